"""`LearningTask.open`: a miner's vote, and the end of the round when it was the last one."""

from __future__ import annotations

from typing import Any

import pytest

from ..support import chain, digests
from ..support.errors import reverts
from ..support.events import log, names, plain
from ..support.kinds import Phase, State
from ..support.play import Play


@pytest.fixture(scope="module")
def play(module_isolation: None, publish: Any) -> Play:
    """Seat 0 has proposed, and by that opened."""
    return publish().until(Phase.OPEN)


def open_seal(play: Play, seat: int, opening: Any = None, medians: Any = ((), 0), who: Any = None) -> Any:
    opening = opening or play.said.opening(seat)
    return play.task.open(seat, opening.values(), *medians, {"from": who or play.miners[seat]})


# ---------------------------------------------------------------------- reverts


def test_while_mine_runs(publish: Any) -> None:
    """No seal is opened before there is a block."""
    play = publish().until(Phase.MINE)
    with reverts("LearningTask_WrongPhase", Phase.MINE, Phase.OPEN):
        open_seal(play, 0)


def test_after_the_deadline(play: Play) -> None:
    play.open(1)
    opening = play.said.opening(2)
    chain.next_at(play.status["deadline"])
    with reverts("LearningTask_WrongPhase", Phase.FINALISE, Phase.OPEN):
        open_seal(play, 2, opening)


def test_not_your_seat(play: Play, mia: Any) -> None:
    with reverts("LearningTask_NotYourSeat", mia, 1):
        open_seal(play, 1, who=mia)


def test_struck_out(publish: Any) -> None:
    play = publish(maxStrikes=1).until(Phase.SEAL)
    play.seal(0, 1)
    play.let_pass(Phase.SEAL)
    play.play_round()
    play.until(Phase.OPEN)
    with reverts("LearningTask_StruckOut", 2):
        open_seal(play, 2)


def test_not_sealed(publish: Any) -> None:
    """Who sealed nothing has no vote: nobody agrees after having seen."""
    play = publish().until(Phase.SEAL)
    play.seal(0, 1)
    play.let_pass(Phase.SEAL)
    play.propose(0)
    with reverts("LearningTask_NotSealed", 2):
        open_seal(play, 2, play.said.opening(0))


@pytest.mark.parametrize("seat", [0, 1])
def test_twice(play: Play, seat: int) -> None:
    """One vote per miner; the proposer's is cast."""
    play.open(1)
    with reverts("LearningTask_AlreadyOpened", seat):
        open_seal(play, seat)


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
    """A vote is what was sealed, whole."""
    with reverts("LearningTask_WrongOpening", 1):
        open_seal(play, 1, play.said.opening(1, **change))


def test_wrong_count_of_score_words(publish: Any) -> None:
    """One word for up to sixteen trainers, even if sealed otherwise."""
    play = publish().until(Phase.SEAL)
    odd = {1: play.said.opening(1, scores=tuple(range(17)))}
    play.seal(results=odd)
    play.propose(0)
    with reverts("LearningTask_WrongScores", 2, 1):
        open_seal(play, 1, odd[1])


def test_too_little_gas_to_finalise(publish: Any) -> None:
    """A vote that should end the round and runs out of gas over it fails, so that an estimate covers both."""
    play = publish(minWindow=0).until(Phase.OPEN)
    play.open(1)
    medians = chain.ahead(lambda: (play.open(2), play.medians())[1])
    needed = chain.ahead(lambda: open_seal(play, 2, medians=medians).gas_used)
    opening = play.said.opening(2)
    with reverts("FailedCall"):
        play.task.open(2, opening.values(), *medians, {"from": play.miners[2], "gas_limit": needed * 3 // 4})


# ---------------------------------------------------------------------- successes


def test_open(play: Play) -> None:
    opening = play.said.opening(2)
    tx = open_seal(play, 2)
    assert names(tx) == ["Opened"]
    assert log(tx, "Opened") == {"round": 1, "seat": 2, "opening": plain(opening.values())}
    miner = play.task.miner(2)
    assert (miner["accuracy"], bytes(miner["result"])) == (8002, digests.result(opening))
    assert miner["scores"][0] == opening.words()[0]
    assert play.round["openers"] == 0b101
    assert play.phase == Phase.OPEN


def test_last_one_closes(play: Play) -> None:
    """When all sealers have opened, what is left is the time to object: the shorter one, for all agree."""
    open_seal(play, 1)
    tx = open_seal(play, 2)
    assert play.round["openClosed"] == tx.timestamp
    assert play.phase == Phase.CHALLENGE
    assert play.status["deadline"] == play.round["firstProposal"] + play.terms["minWindow"]


def test_disagreement_takes_longer(publish: Any) -> None:
    """Without unanimity the whole challenge window runs."""
    play = publish().until(Phase.SEAL)
    other = {2: play.said.opening(2, root=b"\x09" * 32)}
    play.seal(results=other)
    play.propose(0)
    play.open(1)
    open_seal(play, 2, other[2])
    assert play.phase == Phase.CHALLENGE
    assert play.status["deadline"] == play.round["firstProposal"] + play.terms["challengeWindow"]


def test_silence_is_no_agreement(publish: Any) -> None:
    """Unanimity is one of all selected miners, not of those who sealed."""
    play = publish().until(Phase.SEAL)
    play.seal(0, 1)
    play.let_pass(Phase.SEAL)
    play.propose(0)
    open_seal(play, 1)
    assert play.phase == Phase.CHALLENGE
    assert play.status["deadline"] == play.round["firstProposal"] + play.terms["challengeWindow"]


def test_no_majority(publish: Any) -> None:
    """Where no result has a strict majority there is nothing to object to."""
    play = publish().until(Phase.SEAL)
    others = {1: play.said.opening(1, root=b"\x09" * 32), 2: play.said.opening(2, content_id=b"\x0a" * 32)}
    play.seal(results=others)
    play.propose(0)
    play.open(results=others)
    assert play.phase == Phase.FINALISE


def test_finalises_at_once(publish: Any) -> None:
    """With no shortest window the vote that completes unanimity ends the round itself."""
    play = publish(minWindow=0).until(Phase.OPEN)
    play.open(1)
    medians = chain.ahead(lambda: (play.open(2), play.medians())[1])
    tx = open_seal(play, 2, medians=medians)
    assert names(tx)[:2] == ["Opened", "RoundFinalised"]
    assert names(tx)[-1] == "RoundStarted"
    assert (play.phase, play.round["id"]) == (Phase.COMMIT, 2)


def test_finalises_the_task(publish: Any) -> None:
    """So does the very last vote of a task."""
    play = publish(minWindow=0, rounds=1).until(Phase.OPEN)
    play.open(1)
    medians = chain.ahead(lambda: (play.open(2), play.medians())[1])
    tx = open_seal(play, 2, medians=medians)
    assert names(tx)[-2:] != ["RoundStarted"]
    assert play.status["state"] == State.COMPLETED


def test_wrong_medians_still_vote(publish: Any) -> None:
    """A vote with medians that another vote made stale counts all the same; the end of the round is left to others."""
    play = publish(minWindow=0).until(Phase.OPEN)
    play.open(1)
    tx = open_seal(play, 2, medians=([1], 1))
    assert names(tx) == ["Opened"]
    assert play.phase == Phase.FINALISE


def test_not_ready_still_votes(play: Play) -> None:
    """Medians change nothing while the round is not ready."""
    tx = open_seal(play, 1, medians=([1], 1))
    assert names(tx) == ["Opened"]
    assert play.phase == Phase.OPEN
