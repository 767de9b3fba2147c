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
        publish().task.commit(DIGEST, {"from": alice})


def test_after_the_deadline(play: Play, alice: Any) -> None:
    """The phase ends with its deadline, although not all have committed."""
    play.commit(1)
    chain.next_at(play.status["deadline"])
    with reverts("LearningTask_WrongPhase", Phase.REVEAL, Phase.COMMIT):
        play.task.commit(DIGEST, {"from": alice})


def test_after_its_own_window(publish: Any, alice: Any) -> None:
    """The window is the term of this phase; all others here are longer."""
    play = publish(commitWindow=100).until(Phase.COMMIT)
    play.commit(1)
    chain.next_at(play.round["start"] + 100)
    with reverts("LearningTask_WrongPhase", Phase.REVEAL, Phase.COMMIT):
        play.task.commit(DIGEST, {"from": alice})


@pytest.mark.parametrize("who", ["mia", "eve"])
def test_no_trainer(request: pytest.FixtureRequest, task: Any, who: str) -> None:
    """Neither a miner nor anybody else commits."""
    account = request.getfixturevalue(who)
    with reverts("LearningTask_NotTrainer", account):
        task.commit(DIGEST, {"from": account})


def test_struck_out(play: Play, carol: Any) -> None:
    """Who has too many strikes has no part any more."""
    play.commit(0, 1)
    play.let_pass(Phase.COMMIT)
    play.play_round()
    with reverts("LearningTask_StruckOut", 2):
        play.task.commit(DIGEST, {"from": carol})


def test_empty(task: Any, alice: Any) -> None:
    """Zero means no commitment."""
    with reverts("LearningTask_EmptyDigest"):
        task.commit(b"\x00" * 32, {"from": alice})


def test_twice(task: Any, alice: Any) -> None:
    """One commitment per round; it cannot be replaced."""
    task.commit(DIGEST, {"from": alice})
    with reverts("LearningTask_AlreadyCommitted", 0):
        task.commit(b"\x08" * 32, {"from": alice})


# ---------------------------------------------------------------------- successes


def test_commit(play: Play, bob: Any) -> None:
    tx = play.task.commit(DIGEST, {"from": bob})
    assert log(tx, "Committed") == {"round": 1, "seat": 1, "digest": DIGEST}
    trainer = play.task.trainer(1)
    assert (trainer["round"], trainer["stage"], bytes(trainer["digest"])) == (1, Stage.COMMITTED, DIGEST[:25])
    assert play.round["commits"] == 1
    assert play.phase == Phase.COMMIT


def test_last_one_closes(play: Play, alice: Any) -> None:
    """The phase ends as soon as all have committed."""
    play.commit(1, 2)
    tx = play.task.commit(DIGEST, {"from": alice})
    assert play.round["commitSpan"] == 1 + tx.timestamp - play.round["start"]
    assert play.phase == Phase.REVEAL


def test_until_the_last_second(play: Play, alice: Any) -> None:
    chain.next_at(play.status["deadline"] - 1)
    play.task.commit(DIGEST, {"from": alice})
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
    tx = play.task.commit(DIGEST, {"from": alice})
    assert log(tx, "Committed")["round"] == 2
