"""`LearningTask.commitBatch`: commitments that trainers signed, brought by anybody."""

from __future__ import annotations

from typing import Any

import pytest

from ..support import chain, signing
from ..support.errors import reverts
from ..support.events import log, logs, names
from ..support.kinds import Phase, Stage
from ..support.play import Play

DIGEST = b"\x07" * 32
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141  # of the curve


@pytest.fixture(scope="module")
def play(module_isolation: None, publish: Any) -> Play:
    return publish(maxStrikes=1).until(Phase.COMMIT)


def said(play: Play, digest: bytes = DIGEST, **domain: Any) -> Any:
    """What is signed in the running round."""
    return signing.message(play.task, play.round["id"], digest, **domain)


def signed(play: Play, seat: int, digest: bytes | None = None) -> tuple[bytes, bytes, bytes]:
    """One commitment of the batch: the honest one of the trainer on `seat`, or of another digest."""
    digest = play.said.commitment(seat) if digest is None else digest
    return digest, *signing.signed(seat + 1, said(play, digest))


# ---------------------------------------------------------------------- reverts


def test_before_selection(publish: Any, eve: Any) -> None:
    play = publish()
    with reverts("LearningTask_WrongPhase", Phase.BIDDING, Phase.COMMIT):
        play.task.commitBatch([signed(play, 0)], {"from": eve})


def test_after_the_deadline(play: Play, eve: Any) -> None:
    batch = [signed(play, 0)]
    play.commit(1)
    chain.next_at(play.status["deadline"])
    with reverts("LearningTask_WrongPhase", Phase.REVEAL, Phase.COMMIT):
        play.task.commitBatch(batch, {"from": eve})


def test_nobody(play: Play, eve: Any) -> None:
    """A batch of nothing is refused."""
    with reverts("LearningTask_EmptyBatch"):
        play.task.commitBatch([], {"from": eve})


def test_no_trainer(play: Play, eve: Any) -> None:
    """One commitment of somebody else spoils the batch: its relay has to look first."""
    with reverts("LearningTask_NotTrainer", eve):
        play.task.commitBatch([signed(play, 0), (DIGEST, *signing.signed(8, said(play)))], {"from": eve})


def test_struck_out(play: Play, eve: Any) -> None:
    """Who has too many strikes has no part any more."""
    play.commit(0, 1)
    play.let_pass(Phase.COMMIT)
    play.play_round()
    with reverts("LearningTask_StruckOut", 2):
        play.task.commitBatch([signed(play, 2)], {"from": eve})


def test_empty(play: Play, eve: Any) -> None:
    """Zero means no commitment, signed or not."""
    with reverts("LearningTask_EmptyDigest"):
        play.task.commitBatch([signed(play, 0, b"\x00" * 32)], {"from": eve})


def test_nothing_new(play: Play, eve: Any) -> None:
    """A batch in which all have committed already is refused; the last one is named."""
    batch = [signed(play, 0), signed(play, 1)]
    chain.send(eve, play.task.commitBatch, batch)
    with reverts("LearningTask_AlreadyCommitted", 1):
        play.task.commitBatch(batch, {"from": eve})


def test_replayed(play: Play, eve: Any) -> None:
    """A signature of the last round names nobody in this one."""
    old = signed(play, 0, DIGEST)
    play.play_round()
    nobody = signing.recovered(said(play), *old[1:])
    with reverts("LearningTask_NotTrainer", nobody):
        play.task.commitBatch([old], {"from": eve})


def test_signed_ahead(play: Play, eve: Any) -> None:
    """Nor does one of a round to come."""
    ahead = signing.signed(1, signing.message(play.task, 2, DIGEST))
    with reverts("LearningTask_NotTrainer", signing.recovered(said(play), *ahead)):
        play.task.commitBatch([(DIGEST, *ahead)], {"from": eve})


def test_wrong_task(publish: Any, play: Play, eve: Any) -> None:
    """A signature for one task names nobody in another."""
    other = publish().until(Phase.COMMIT)
    moved = signed(play, 0, DIGEST)
    with reverts("LearningTask_NotTrainer", signing.recovered(said(other), *moved[1:])):
        other.task.commitBatch([moved], {"from": eve})


@pytest.mark.parametrize(
    "part", [{"chainId": 1}, {"name": "BC-FL2"}, {"version": "2"}], ids=lambda part: next(iter(part))
)
def test_wrong_domain(play: Play, eve: Any, part: dict[str, Any]) -> None:
    """Chain, name and version are bound as well."""
    elsewhere = signing.signed(1, said(play, **part))
    with reverts("LearningTask_NotTrainer", signing.recovered(said(play), *elsewhere)):
        play.task.commitBatch([(DIGEST, *elsewhere)], {"from": eve})


def test_other_digest(play: Play, eve: Any) -> None:
    """A relay cannot change what was signed."""
    _, r, vs = signed(play, 0)
    with reverts("LearningTask_NotTrainer", signing.recovered(said(play), r, vs)):
        play.task.commitBatch([(DIGEST, r, vs)], {"from": eve})


def test_flipped(play: Play, eve: Any) -> None:
    """The parity is a part of the signature."""
    _, r, vs = signed(play, 0, DIGEST)
    flipped = bytes([vs[0] ^ 0x80]) + vs[1:]
    with reverts("LearningTask_NotTrainer", signing.recovered(said(play), r, flipped)):
        play.task.commitBatch([(DIGEST, r, flipped)], {"from": eve})


def test_malleated(play: Play, eve: Any) -> None:
    """The twin of a signature, with the high s, does not fit the compact form: cut down it names nobody."""
    _, r, vs = signed(play, 0, DIGEST)
    both = int.from_bytes(vs, "big")
    twin = ORDER - both % 2**255
    assert twin >= 2**255
    cut = signing.word((1 - (both >> 255)) << 255 | twin)
    with reverts("LearningTask_NotTrainer", signing.recovered(said(play), r, cut)):
        play.task.commitBatch([(DIGEST, r, cut)], {"from": eve})


def test_high_s(play: Play, eve: Any) -> None:
    """The few high ones that do fit are refused."""
    _, r, _ = signed(play, 0, DIGEST)
    high = signing.word(ORDER // 2 + 1)
    with reverts("ECDSAInvalidSignatureS", high):
        play.task.commitBatch([(DIGEST, r, high)], {"from": eve})


def test_no_signature(play: Play, eve: Any) -> None:
    """What nobody can have signed is refused."""
    _, _, vs = signed(play, 0, DIGEST)
    with reverts("ECDSAInvalidSignature"):
        play.task.commitBatch([(DIGEST, b"\x00" * 32, vs)], {"from": eve})


# ---------------------------------------------------------------------- successes


def test_domain(play: Play) -> None:
    """Wallets and relays can ask for the domain."""
    assert bytes(play.task.domainSeparator()) == said(play).header


def test_batch(play: Play, eve: Any) -> None:
    """Anybody may bring the commitments of all; each is as if its trainer had sent it."""
    tx = play.task.commitBatch([signed(play, seat) for seat in (2, 0)], {"from": eve})
    assert names(tx) == ["Committed", "Committed"]
    assert logs(tx, "Committed") == [{"round": 1, "seat": s, "digest": play.said.commitment(s)} for s in (2, 0)]
    assert [play.task.trainer(seat)["stage"] for seat in range(3)] == [Stage.COMMITTED, Stage.NONE, Stage.COMMITTED]
    assert play.round["commits"] == 2
    assert play.phase == Phase.COMMIT


def test_passed_over(play: Play, alice: Any, eve: Any) -> None:
    """Who was faster on its own does not spoil the batch, and keeps what it committed to."""
    batch = [signed(play, 0), signed(play, 1)]
    chain.send(alice, play.task.commit, DIGEST)
    tx = play.task.commitBatch(batch, {"from": eve})
    assert log(tx, "Committed")["seat"] == 1
    assert bytes(play.task.trainer(0)["digest"]) == DIGEST[:25]
    assert play.round["commits"] == 2


def test_twice_in_a_batch(play: Play, eve: Any) -> None:
    """Of two commitments of one trainer the first counts."""
    tx = play.task.commitBatch([signed(play, 0, DIGEST), signed(play, 0)], {"from": eve})
    assert log(tx, "Committed") == {"round": 1, "seat": 0, "digest": DIGEST}
    assert play.round["commits"] == 1


def test_last_one_closes(play: Play, eve: Any) -> None:
    """The phase ends as soon as all have committed, and what was relayed is opened as usual."""
    tx = play.task.commitBatch([signed(play, seat) for seat in range(3)], {"from": eve})
    assert play.round["commitSpan"] == 1 + tx.timestamp - play.round["start"]
    assert play.phase == Phase.REVEAL
    play.reveal()
    assert play.phase == Phase.CHECK


def test_each_round_anew(play: Play, eve: Any) -> None:
    """The next round takes signatures of its own."""
    play.play_round()
    tx = play.task.commitBatch([signed(play, 1)], {"from": eve})
    assert log(tx, "Committed")["round"] == 2
