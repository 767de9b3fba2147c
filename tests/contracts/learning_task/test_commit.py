"""`LearningTask.commit`: a digest per trainer and round."""

from __future__ import annotations

from typing import Any

import pytest

from ..support import chain
from ..support.errors import reverts
from ..support.events import log
from ..support.kinds import Phase, Stage
from ..support.play import Play

DIGEST = b"\x07" * 32


@pytest.fixture(scope="module")
def play(module_isolation: None, publish: Any) -> Play:
    return publish(maxStrikes=1).until(Phase.COMMIT)


# ---------------------------------------------------------------------- reverts


def test_before_selection(publish: Any, alice: Any) -> None:
    with reverts("LearningTask_WrongPhase", Phase.BIDDING, Phase.COMMIT):
        publish().task.commit(0, DIGEST, {"from": alice})


def test_after_the_deadline(play: Play, alice: Any) -> None:
    """The phase ends with its deadline, although not all have committed."""
    play.commit(1)
    chain.next_at(play.status["deadline"])
    with reverts("LearningTask_WrongPhase", Phase.REVEAL, Phase.COMMIT):
        play.task.commit(0, DIGEST, {"from": alice})


def test_not_your_seat(task: Any, alice: Any, bob: Any) -> None:
    """Nobody commits for another."""
    with reverts("LearningTask_NotYourSeat", bob, 0):
        task.commit(0, DIGEST, {"from": bob})


def test_no_such_seat(task: Any, alice: Any) -> None:
    with reverts("LearningTask_NotYourSeat", alice, 3):
        task.commit(3, DIGEST, {"from": alice})


def test_struck_out(play: Play, carol: Any) -> None:
    """Who has too many strikes has no part any more."""
    play.commit(0, 1)
    play.let_pass(Phase.COMMIT)
    play.play_round()
    with reverts("LearningTask_StruckOut", 2):
        play.task.commit(2, DIGEST, {"from": carol})


def test_empty(task: Any, alice: Any) -> None:
    """Zero means no commitment."""
    with reverts("LearningTask_EmptyDigest"):
        task.commit(0, b"\x00" * 32, {"from": alice})


def test_twice(task: Any, alice: Any) -> None:
    """One commitment per round; it cannot be replaced."""
    task.commit(0, DIGEST, {"from": alice})
    with reverts("LearningTask_AlreadyCommitted", 0):
        task.commit(0, b"\x08" * 32, {"from": alice})


# ---------------------------------------------------------------------- successes


def test_commit(play: Play, bob: Any) -> None:
    tx = play.task.commit(1, DIGEST, {"from": bob})
    assert log(tx, "Committed") == {"round": 1, "seat": 1, "digest": DIGEST}
    trainer = play.task.trainer(1)
    assert (trainer["round"], trainer["stage"], bytes(trainer["digest"])) == (1, Stage.COMMITTED, DIGEST)
    assert play.round["commits"] == 1
    assert play.phase == Phase.COMMIT


def test_last_one_closes(play: Play, alice: Any) -> None:
    """The phase ends as soon as all have committed."""
    play.commit(1, 2)
    tx = play.task.commit(0, DIGEST, {"from": alice})
    assert play.round["commitClosed"] == tx.timestamp
    assert play.phase == Phase.REVEAL


def test_until_the_last_second(play: Play, alice: Any) -> None:
    chain.next_at(play.status["deadline"] - 1)
    play.task.commit(0, DIGEST, {"from": alice})
    assert play.round["commits"] == 1


def test_struck_out_are_not_waited_for(play: Play) -> None:
    """The next round expects only those who still have a part."""
    play.commit(0, 1)
    play.let_pass(Phase.COMMIT)
    play.play_round()
    assert (play.round["id"], play.round["activeTrainers"]) == (2, 2)
    play.commit(0, 1)
    assert play.phase == Phase.REVEAL


def test_each_round_anew(play: Play, alice: Any) -> None:
    """A commitment of the last round does not count in the next."""
    play.play_round()
    assert play.round["commits"] == 0
    tx = play.task.commit(0, DIGEST, {"from": alice})
    assert log(tx, "Committed")["round"] == 2
