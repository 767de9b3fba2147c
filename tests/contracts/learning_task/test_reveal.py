"""`LearningTask.reveal`: opens a commitment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ..support import chain
from ..support.errors import reverts
from ..support.events import log
from ..support.kinds import Phase, Stage
from ..support.play import Play


@pytest.fixture(scope="module")
def play(module_isolation: None, publish: Any) -> Play:
    """Seat 2 has not committed."""
    play = publish().until(Phase.COMMIT)
    play.commit(0, 1)
    play.let_pass(Phase.COMMIT)
    return play


# ---------------------------------------------------------------------- reverts


def test_while_commit_runs(publish: Any, alice: Any) -> None:
    """Nothing is shown while others may still commit."""
    play = publish().until(Phase.COMMIT)
    play.commit(0)
    with reverts("LearningTask_WrongPhase", Phase.COMMIT, Phase.REVEAL):
        play.task.reveal(0, *play.said.update(0).values(), {"from": alice})


def test_after_the_deadline(play: Play, alice: Any) -> None:
    chain.next_at(play.status["deadline"])
    with reverts("LearningTask_WrongPhase", Phase.FINALISE, Phase.REVEAL):
        play.task.reveal(0, *play.said.update(0).values(), {"from": alice})


def test_no_commitment(play: Play, carol: Any) -> None:
    """Who did not commit cannot reveal: there is nothing to copy in time."""
    with reverts("LearningTask_NoCommit", 2):
        play.task.reveal(2, *play.said.update(2).values(), {"from": carol})


def test_no_such_seat(play: Play, alice: Any) -> None:
    with reverts("LearningTask_NoCommit", 3):
        play.task.reveal(3, *play.said.update(0).values(), {"from": alice})


def test_twice(play: Play, alice: Any) -> None:
    play.reveal(0)
    with reverts("LearningTask_AlreadyRevealed", 0):
        play.task.reveal(0, *play.said.update(0).values(), {"from": alice})


def test_without_samples(play: Play, alice: Any) -> None:
    """An update of nothing would be averaged with weight one and never judged by its size."""
    with reverts("LearningTask_TooFewSamples", 0, 1):
        play.task.reveal(0, *replace(play.said.update(0), samples=0).values(), {"from": alice})


@pytest.mark.parametrize(
    "change",
    [
        {"root": b"\x09" * 32},
        {"content_id": b"\x09" * 32},
        {"samples": 101},
        {"training_time": 1501},
        {"salt": b"\x09" * 32},
    ],
    ids=lambda change: next(iter(change)),
)
def test_other_values(play: Play, alice: Any, change: dict[str, Any]) -> None:
    """Every value is bound by the commitment."""
    with reverts("LearningTask_WrongOpening", 0):
        play.task.reveal(0, *replace(play.said.update(0), **change).values(), {"from": alice})


def test_no_samples(publish: Any, alice: Any) -> None:
    """An update of no samples is none, though it was committed."""
    play = publish().until(Phase.COMMIT)
    empty = replace(play.said.update(0), samples=0)
    chain.send(alice, play.task.commit, 0, play.said.commitment(0, empty))
    play.commit(1, 2)
    with reverts("LearningTask_TooFewSamples", 0, 1):
        play.task.reveal(0, *empty.values(), {"from": alice})


def test_copied_commitment(publish: Any, bob: Any) -> None:
    """A commitment copied from another cannot be opened with the other's values: it binds its sender."""
    play = publish().until(Phase.COMMIT)
    chain.send(bob, play.task.commit, 1, play.said.commitment(0))
    play.commit(0, 2)
    with reverts("LearningTask_WrongOpening", 1):
        play.task.reveal(1, *play.said.update(0).values(), {"from": bob})


def test_commitment_of_the_last_round(publish: Any, alice: Any) -> None:
    """A commitment made again in the next round cannot be opened with the old values: it binds its round."""
    play = publish().until(Phase.COMMIT)
    old, values = play.said.commitment(0), play.said.update(0).values()
    play.play_round()
    chain.send(alice, play.task.commit, 0, old)
    play.commit(1, 2)
    with reverts("LearningTask_WrongOpening", 0):
        play.task.reveal(0, *values, {"from": alice})


# ---------------------------------------------------------------------- successes


def test_reveal(play: Play, alice: Any) -> None:
    made = play.said.update(0)
    tx = play.task.reveal(0, *made.values(), {"from": alice})
    assert log(tx, "Revealed") == {
        "round": 1,
        "seat": 0,
        "root": made.root,
        "contentId": made.content_id,
        "samples": 100,
        "trainingTime": 1500,
        "salt": made.salt,
    }
    trainer = play.task.trainer(0)
    assert (trainer["stage"], trainer["samples"], bytes(trainer["digest"])) == (Stage.REVEALED, 100, made.root)
    assert play.round["reveals"] == 1
    assert play.task.inputs() == 0b001
    assert play.phase == Phase.REVEAL


def test_relayed(play: Play, eve: Any) -> None:
    """Whoever knows the salt may send it: a trainer needs no money for it."""
    play.task.reveal(0, *play.said.update(0).values(), {"from": eve})
    assert play.task.trainer(0)["stage"] == Stage.REVEALED


def test_last_one_closes(play: Play, bob: Any) -> None:
    """The phase ends when all who committed have revealed."""
    play.reveal(0)
    tx = play.task.reveal(1, *play.said.update(1).values(), {"from": bob})
    assert play.round["revealClosed"] == tx.timestamp
    assert play.phase == Phase.CHECK


def test_enough_at_the_deadline(publish: Any) -> None:
    """At the deadline the round goes on when it has the least updates."""
    play = publish().until(Phase.REVEAL)
    play.reveal(0, 1)
    play.let_pass(Phase.REVEAL)
    assert play.phase == Phase.CHECK


def test_more_samples_than_offered(publish: Any, alice: Any) -> None:
    """A claim beyond the offer is taken down as it is; it counts no more than the cap when the round is paid."""
    play = publish().until(Phase.COMMIT)
    boast = replace(play.said.update(0), samples=2**32 - 1)
    chain.send(alice, play.task.commit, 0, play.said.commitment(0, boast))
    play.commit(1, 2)
    play.task.reveal(0, *boast.values(), {"from": alice})
    assert (play.task.trainer(0)["samples"], play.task.trainer(0)["cap"]) == (2**32 - 1, 100)
