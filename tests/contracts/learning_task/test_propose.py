"""`LearningTask.propose`: a block with work, and the proposer's own seal opened."""

from __future__ import annotations

from typing import Any

import pytest

from ..support import chain, digests
from ..support.errors import reverts
from ..support.events import log, names, plain
from ..support.kinds import Phase
from ..support.play import Play

HARD = 2**64


@pytest.fixture(scope="module")
def play(module_isolation: None, publish: Any) -> Play:
    return publish().until(Phase.MINE)


@pytest.fixture
def forking(fn_isolation: None, publish: Any) -> Play:
    """A task in which others may propose for 60 s after the first. Its making takes time: not for the whole file."""
    return publish(forkWindow=60).until(Phase.MINE)


def propose(play: Play, seat: int, opening: Any = None, nonce: int | None = None, who: Any = None) -> Any:
    opening = opening or play.said.opening(seat)
    nonce = play.work(seat, opening)[0] if nonce is None else nonce
    return play.task.propose(seat, opening.values(), nonce, {"from": who or play.miners[seat]})


# ---------------------------------------------------------------------- reverts


def test_while_seal_runs(publish: Any) -> None:
    """Nobody starts early: the work is bound to all seals."""
    play = publish().until(Phase.SEAL)
    play.seal(0)
    with reverts("LearningTask_WrongPhase", Phase.SEAL, Phase.MINE):
        propose(play, 0)


def test_after_the_deadline(play: Play) -> None:
    opening, nonce = play.said.opening(0), play.work(0, play.said.opening(0))[0]
    chain.next_at(play.status["deadline"])
    with reverts("LearningTask_WrongPhase", Phase.FINALISE, Phase.MINE):
        propose(play, 0, opening, nonce)


def test_after_the_first(play: Play) -> None:
    """Without a fork window the first block closes the phase."""
    play.propose(0)
    with reverts("LearningTask_WrongPhase", Phase.OPEN, Phase.MINE):
        propose(play, 1)


def test_after_the_fork_window(forking: Play) -> None:
    forking.propose(0)
    opening, nonce = forking.said.opening(1), forking.work(1, forking.said.opening(1))[0]
    chain.next_at(forking.status["deadline"])
    with reverts("LearningTask_WrongPhase", Phase.OPEN, Phase.MINE):
        propose(forking, 1, opening, nonce)


def test_not_your_seat(play: Play, nick: Any) -> None:
    with reverts("LearningTask_NotYourSeat", nick, 0):
        propose(play, 0, who=nick)


def test_struck_out(publish: Any) -> None:
    play = publish(maxStrikes=1).until(Phase.SEAL)
    play.seal(0, 1)
    play.let_pass(Phase.SEAL)
    play.play_round()
    play.until(Phase.MINE)
    with reverts("LearningTask_StruckOut", 2):
        propose(play, 2)


def test_not_sealed(publish: Any) -> None:
    """Who sealed nothing proposes nothing."""
    play = publish().until(Phase.SEAL)
    play.seal(0, 1)
    play.let_pass(Phase.SEAL)
    with reverts("LearningTask_NotSealed", 2):
        propose(play, 2)


def test_twice(forking: Play) -> None:
    """One proposal per miner and round."""
    forking.propose(0)
    with reverts("LearningTask_AlreadyProposed", 0):
        propose(forking, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"root": b"\x09" * 32},
        {"content_id": b"\x09" * 32},
        {"accuracy": 1},
        {"scores": (1, 2, 3)},
        {"salt": b"\x09" * 32},
    ],
    ids=lambda change: next(iter(change)),
)
def test_other_than_sealed(play: Play, change: dict[str, Any]) -> None:
    """A proposal opens what its miner has sealed, whole."""
    with reverts("LearningTask_WrongOpening", 0):
        propose(play, 0, play.said.opening(0, **change))


def test_copied_seal(publish: Any, nick: Any) -> None:
    """A seal copied from another cannot be opened with the other's result: it binds its sender."""
    play = publish().until(Phase.SEAL)
    chain.send(nick, play.task.seal, 1, digests.seal(play.said.place(play.miners[0]), play.said.opening(0)))
    play.seal(0, 2)
    with reverts("LearningTask_WrongOpening", 1):
        propose(play, 1, play.said.opening(0))


@pytest.mark.parametrize("scores", [(), tuple(range(1, 18))], ids=["none", "17"])
def test_wrong_count_of_score_words(publish: Any, scores: tuple[int, ...]) -> None:
    """One word for up to sixteen trainers, even if sealed otherwise."""
    play = publish().until(Phase.SEAL)
    odd = {0: play.said.opening(0, scores=scores)}
    play.seal(results=odd)
    with reverts("LearningTask_WrongScores", len(odd[0].words()), 1):
        propose(play, 0, odd[0])


def test_too_little_work(play: Play) -> None:
    """The block hash is at most 2^256 / difficulty."""
    nonce, block_hash = play.work(0, play.said.opening(0), enough=False)
    limit = digests.target(play.terms["difficulty"])
    with reverts("LearningTask_TooLittleWork", int.from_bytes(block_hash, "big"), limit):
        propose(play, 0, nonce=nonce)


def test_other_miners_nonce(publish: Any) -> None:
    """A nonce copied from another is worth nothing: the work binds its sender."""
    play = publish(difficulty=2**10).until(Phase.SEAL)
    same = {seat: play.said.opening(0) for seat in range(3)}
    play.seal(results=same)
    stolen, _ = play.work(0, same[0])
    own = int.from_bytes(digests.work(play.header(1, same[1]), stolen), "big")
    with reverts("LearningTask_TooLittleWork", own, digests.target(2**10)):
        propose(play, 1, same[1], stolen)


# ---------------------------------------------------------------------- successes


def test_propose(play: Play, nick: Any) -> None:
    """The block is kept with its place in the chain, and the proposer's seal is open."""
    opening = play.said.opening(1)
    nonce, block_hash = play.work(1, opening)
    seals = bytes(play.status["sealsDigest"])
    tx = propose(play, 1, opening, nonce)

    assert names(tx) == ["Proposed", "Opened"]
    assert log(tx, "Proposed") == {
        "round": 1,
        "seat": 1,
        "blockHash": block_hash,
        "attempt": 0,
        "parent": b"\x00" * 32,
        "sealsDigest": seals,
        "difficulty": play.terms["difficulty"],
        "nonce": nonce,
    }
    assert log(tx, "Opened") == {"round": 1, "seat": 1, "opening": plain(opening.values())}

    miner = play.task.miner(1)
    assert (miner["account"], miner["order"], miner["accuracy"]) == (nick, 1, 8001)
    assert (bytes(miner["result"]), bytes(miner["blockHash"])) == (digests.result(opening), block_hash)
    assert (bytes(miner["root"]), bytes(miner["contentId"])) == (opening.root, opening.content_id)
    assert miner["scores"][0] == opening.words()[0]
    current = play.round
    assert (current["proposers"], current["openers"]) == (0b010, 0b010)
    assert current["firstProposal"] == current["mineClosed"] == tx.timestamp
    assert play.phase == Phase.OPEN


def test_any_hash_meets_difficulty_one(publish: Any) -> None:
    """The least difficulty asks for no work."""
    play = publish(difficulty=1).until(Phase.MINE)
    propose(play, 0, nonce=123)
    assert play.phase == Phase.OPEN


def test_forks(forking: Play) -> None:
    """Within the fork window others propose too, in an order that is kept; the phase stays open."""
    propose(forking, 2)
    assert forking.phase == Phase.MINE
    assert forking.status["deadline"] == forking.round["firstProposal"] + 60
    propose(forking, 0)
    assert [forking.task.miner(seat)["order"] for seat in range(3)] == [2, 0, 1]
    assert forking.round["proposers"] == forking.round["openers"] == 0b101


def test_all_have_proposed(forking: Play) -> None:
    """When every sealer has proposed there is nobody left to wait for: Mine and Open are over."""
    first = propose(forking, 0).timestamp
    propose(forking, 1)
    tx = propose(forking, 2)
    current = forking.round
    assert (current["firstProposal"], current["mineClosed"], current["openClosed"]) == (first, *[tx.timestamp] * 2)
    assert forking.phase == Phase.CHALLENGE


def test_parent(play: Play) -> None:
    """The next block stands on the last one."""
    play.play_round()
    head = bytes(play.status["head"]["blockHash"])
    play.until(Phase.MINE)
    tx = propose(play, 0)
    assert head != b"\x00" * 32
    assert log(tx, "Proposed")["parent"] == head
