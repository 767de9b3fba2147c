"""`LearningTask.challenge`: one coordinate that is wrong refutes a result. What follows is in
`test_finalise_refuted.py`."""

from __future__ import annotations

from typing import Any

import pytest

from ..support import chain
from ..support.disputes import BOND, LIE, SALT, Case, lied
from ..support.errors import reverts
from ..support.events import log, names
from ..support.kinds import Phase, Rule
from ..support.models import Models, entry
from ..support.terms import BASE

COUNT = BASE["parameterCount"]
PADDED = 160  # with the padding: five leaves
RULES = [(Rule.WEIGHTED_MEAN, 0), (Rule.MEDIAN, 0), (Rule.TRIMMED_MEAN, 2500), (Rule.TRIMMED_MEAN, 0)]
RULE_NAMES = ["mean", "median", "trimmed mean", "nothing trimmed"]


@pytest.fixture(scope="module")
def case(module_isolation: None, publish: Any, eve: Any) -> Case:
    """Seats 0 and 1 agree on a lie, and a block carries it; seat 2 opened the truth. Eve has committed to proofs
    against 0 and 2."""
    case = lied(publish(), 0, 1)
    case.commit(eve, 0)
    case.commit(eve, 2)
    return case


@pytest.fixture
def forked(fn_isolation: None, publish: Any) -> Case:
    """All have proposed: seat 0 a lie, the others the truth. Challenge runs."""
    play = publish(forkWindow=60).until(Phase.SEAL)
    case = Case.of(play, {0: Models.of(play).lie(LIE)})
    case.seal()
    for seat in range(3):
        case.propose(seat)
    return case


def challenge(case: Case, who: Any, seat: int = 0, **changes: Any) -> Any:
    return case.task.challenge(*case.proof(seat, **changes), {"from": who})


# ---------------------------------------------------------------------- reverts


def test_after_the_end(publish: Any, eve: Any) -> None:
    """Nothing is shown any more when the task is closed."""
    case = lied(publish(rounds=1), 0, 1)
    claim = case.commit(eve)
    case.play.let_pass(Phase.CHALLENGE)
    case.play.finalise()
    assert case.play.phase == Phase.CLOSED
    with reverts("LearningTask_NoClaim", claim):
        challenge(case, eve)


def test_not_committed(case: Case, eve: Any) -> None:
    """Nothing is shown without a bond and a commitment before it."""
    with reverts("LearningTask_NoClaim", case.claim(eve, 1)):
        challenge(case, eve, 1)


def test_commitment_against_another_miner(case: Case, eve: Any, everybody: list[Any]) -> None:
    """A bond against an honest miner does not turn into a proof against it by showing what another one did."""
    chain.send(eve, case.task.commitChallenge, 2, case.digest(eve, 1), value=BOND)
    with reverts("LearningTask_NoClaim", case.claim(eve, 1)):
        challenge(case, eve, 1)
    assert case.play.round["refuted"] == 0


def test_anothers_commitment(case: Case, dave: Any) -> None:
    """Who saw a proof on its way cannot use it: the claim binds its sender."""
    with reverts("LearningTask_NoClaim", case.claim(dave)):
        challenge(case, dave)


def test_commitment_posted_by_another(case: Case, dave: Any, eve: Any) -> None:
    """Nor does it gain by posting the claim that it saw on its way: the proof needs a bond of its own sender."""
    chain.send(dave, case.task.commitChallenge, 1, case.digest(eve, 1), value=BOND)
    with reverts("LearningTask_NoClaim", case.claim(eve, 1)):
        challenge(case, eve, 1)


@pytest.mark.parametrize("change", [{"coordinate": LIE + 1}, {"salt": b"\x0c" * 32}], ids=["coordinate", "salt"])
def test_another_claim(case: Case, eve: Any, change: dict[str, Any]) -> None:
    """It binds the coordinate, hidden by the salt."""
    with reverts("LearningTask_NoClaim", case.claim(eve, **change)):
        challenge(case, eve, **change)


def test_claim_of_the_last_round(publish: Any, eve: Any) -> None:
    """And the round."""
    case = lied(publish(), 0, 1)
    case.commit(eve)
    case.play.let_pass(Phase.CHALLENGE)
    case.play.finalise()
    later = lied(case.play, 0, 1)
    with reverts("LearningTask_NoClaim", later.claim(eve)):
        challenge(later, eve)


def test_twice(forked: Case, eve: Any) -> None:
    """A claim is shown once."""
    forked.refute(eve)
    with reverts("LearningTask_NoClaim", forked.claim(eve)):
        challenge(forked, eve)


def test_not_that_miners_result(case: Case, eve: Any) -> None:
    """What is refuted is what the miner opened, whole."""
    with reverts("LearningTask_WrongResult", 0):
        challenge(case, eve, content_id=b"\x09" * 32)


def test_coordinate_beyond_the_last_leaf(case: Case, eve: Any) -> None:
    case.commit(eve, coordinate=PADDED)
    with reverts("LearningTask_WrongProof", PADDED, COUNT - 1):
        case.task.challenge(0, PADDED, *case.proof()[2:], {"from": eve})


@pytest.mark.parametrize("cut", [-32, -1, 1])
def test_wrong_length(case: Case, eve: Any, cut: int) -> None:
    """Evidence is exactly three inputs and the result: each a leaf and three siblings, inputs with an address."""
    whole = case.models.evidence(LIE, case.made[0])
    length = 3 * (20 + 128 + 96) + 128 + 96
    assert len(whole) == length
    with reverts("LearningTask_WrongProof", length + cut, length):
        challenge(case, eve, evidence=whole[:cut] if cut < 0 else whole + bytes(cut))


@pytest.mark.parametrize("seats", [[1, 0, 2], [0, 2, 1], [0, 0, 1], [0, 1, 1]], ids=str)
def test_wrong_order(case: Case, eve: Any, seats: list[int]) -> None:
    """By seat for the mean, each input once: the first that is not after the one before it is named."""
    first = next(i for i in (1, 2) if seats[i] <= seats[i - 1])
    with reverts("LearningTask_WrongProof", first, 3):
        challenge(case, eve, evidence=case.models.evidence(LIE, case.made[0], seats))


def test_no_input_of_a_stranger(case: Case, eve: Any) -> None:
    evidence = bytes.fromhex(eve.address[2:]) + case.models.evidence(LIE, case.made[0])[20:]
    with reverts("LearningTask_WrongProof", 0, 3):
        challenge(case, eve, evidence=evidence)


@pytest.mark.parametrize("at", [20, 20 + 4 * LIE, 20 + 127, 20 + 128, 20 + 223], ids=lambda at: f"byte {at}")
def test_changed_input(case: Case, eve: Any, at: int) -> None:
    """Every byte of an input's leaf and path is bound by its root."""
    whole = case.models.evidence(LIE, case.made[0])
    changed = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
    with reverts("LearningTask_WrongProof", 0, 3):
        challenge(case, eve, evidence=changed)


def test_changed_result(case: Case, eve: Any) -> None:
    """So is the result's leaf: nobody makes a result wrong."""
    other = case.models.lie(LIE, by=2)
    with reverts("LearningTask_WrongResult", 0):
        challenge(case, eve, evidence=case.models.evidence(LIE, other))


def test_other_leaf(case: Case, eve: Any) -> None:
    """A leaf at another place is another leaf."""
    inputs = b"".join(case.models.shown(seat, 1) for seat in range(3))
    with reverts("LearningTask_WrongProof", 0, 3):
        challenge(case, eve, evidence=inputs + entry(case.made[0], 1))


def test_right(case: Case, eve: Any) -> None:
    """A right coordinate refutes nothing; the commitment and its bond stay."""
    with reverts("LearningTask_NotProven", case.claim(eve, 2)):
        challenge(case, eve, 2)
    assert case.task.stakeOf(case.claim(eve, 2))["challenger"] == eve
    assert case.task.miner(2)["stakes"] == 1


# ---------------------------------------------------------------------- successes


def test_challenge(case: Case, eve: Any) -> None:
    """The result is refuted; it has no block any more, and who opened the truth mines again."""
    tx = challenge(case, eve)
    assert names(tx) == ["Refuted"]
    assert log(tx, "Refuted") == {
        "round": 1,
        "seat": 0,
        "challenger": eve,
        "claim": case.claim(eve),
        "coordinate": LIE,
    }
    assert case.task.stakeOf(case.claim(eve))["challenger"] == chain.ZERO_ADDRESS
    miner = case.task.miner(0)
    assert (miner["accuser"], miner["provenRound"], miner["deposit"]) == (eve, 0, 40_000)  # until the round is settled
    current = case.play.round
    assert (current["refuted"], current["lastDispute"], current["activeMiners"]) == (0b001, tx.timestamp, 0b111)
    assert (case.play.phase, case.play.status["attempt"]) == (Phase.MINE, 1)
    assert case.play.status["deadline"] == tx.timestamp + BASE["mineWindow"]


def test_until_the_round_is_settled(case: Case, eve: Any) -> None:
    """Who has committed in time may show its proof after the window too, as long as nobody has ended the round."""
    case.play.let_pass(Phase.CHALLENGE)
    assert case.play.phase == Phase.FINALISE
    assert log(challenge(case, eve), "Refuted")["seat"] == 0
    assert case.play.phase == Phase.MINE


def test_while_others_still_open(publish: Any, eve: Any) -> None:
    """A lie may be refuted before all have voted; the vote goes on."""
    play = publish().until(Phase.SEAL)
    case = Case.of(play, {0: Models.of(play).lie(LIE)})
    case.seal()
    case.propose(0)
    case.commit(eve)
    challenge(case, eve)
    assert play.phase == Phase.OPEN
    case.open(1)
    case.open(2)
    assert (play.phase, play.status["attempt"]) == (Phase.MINE, 1)


def test_truth_with_a_block(forked: Case, eve: Any) -> None:
    """Where a block of the truth is there, its window goes on: the bond has prolonged it, the proof does not."""
    forked.commit(eve)
    end = forked.play.status["deadline"]
    challenge(forked, eve)
    assert (forked.play.phase, forked.play.status["deadline"]) == (Phase.CHALLENGE, end)


def test_fast_block(publish: Any, eve: Any) -> None:
    """After a refuted fast block the round goes on with Seal, whole, without its miner."""
    play = publish(fastBlocks=1).until(Phase.COMMIT)
    play.play_round()
    case = Case.of(play.until(Phase.SEAL), {0: Models.of(play).lie(LIE)})
    play.propose_fast(0, case.results)
    case.commit(eve)
    tx = challenge(case, eve)
    current = play.round
    assert (current["fast"], current["refuted"], current["activeMiners"]) == (0, 0b001, 0b110)
    assert (play.phase, play.status["deadline"]) == (Phase.SEAL, tx.timestamp + BASE["sealWindow"])
    with reverts("LearningTask_StruckOut", 0):
        play.task.seal(0, SALT, {"from": play.miners[0]})
    play.seal(results=case.results)
    assert play.phase == Phase.MINE


# ---------------------------------------------------------------------- who was first


def test_earliest_commitment_counts(forked: Case, dave: Any, eve: Any) -> None:
    """Who committed later and showed first gives way to who committed first, and has its bond back."""
    forked.commit(eve)
    forked.commit(dave)
    challenge(forked, dave)
    assert forked.task.miner(0)["accuser"] == dave
    challenge(forked, eve)
    assert forked.task.miner(0)["accuser"] == eve
    assert [forked.task.withdrawable(who) for who in (dave, eve)] == [BOND, 0]


def test_later_commitment_changes_nothing(forked: Case, dave: Any, eve: Any) -> None:
    """Who comes second has its bond back at once."""
    forked.refute(eve)
    forked.commit(dave)
    tx = challenge(forked, dave)
    assert log(tx, "Refuted")["challenger"] == dave
    assert forked.task.miner(0)["accuser"] == eve
    assert [forked.task.withdrawable(who) for who in (dave, eve)] == [BOND, 0]


def test_committed_in_the_same_block(forked: Case, dave: Any, eve: Any) -> None:
    """On a tie who showed it first."""
    with chain.one_block():
        for who in (eve, dave):
            chain.post(who, forked.task.commitChallenge, 0, forked.digest(who), value=BOND)
    assert forked.task.stakeOf(forked.claim(eve))["postedAt"] == forked.task.stakeOf(forked.claim(dave))["postedAt"]
    challenge(forked, dave)
    challenge(forked, eve)
    assert forked.task.miner(0)["accuser"] == dave
    assert [forked.task.withdrawable(who) for who in (dave, eve)] == [0, BOND]
