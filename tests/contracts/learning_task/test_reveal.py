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
        play.task.reveal(*play.said.update(0).values(), {"from": alice})


def test_after_the_deadline(play: Play, alice: Any) -> None:
    chain.next_at(play.status["deadline"])
    with reverts("LearningTask_WrongPhase", Phase.FINALISE, Phase.REVEAL):
        play.task.reveal(*play.said.update(0).values(), {"from": alice})


@pytest.mark.parametrize("committed", [2, 3], ids=["by the clock", "by the last one"])
def test_after_its_own_window(publish: Any, alice: Any, committed: int) -> None:
    """The window is the term of this phase, from the end of Commit; all others here are longer."""
    play = publish(commitWindow=300, revealWindow=100).until(Phase.COMMIT)
    play.commit(*range(committed))
    if committed == 2:
        play.let_pass(Phase.COMMIT)
    span = play.round["commitSpan"]
    chain.next_at(play.round["start"] + (span - 1 if span else 300) + 100)
    with reverts("LearningTask_WrongPhase", Phase.FINALISE, Phase.REVEAL):
        play.task.reveal(*play.said.update(0).values(), {"from": alice})


def test_no_commitment(play: Play, carol: Any) -> None:
    """Who did not commit cannot reveal: there is nothing to copy in time."""
    with reverts("LearningTask_NoCommit", 2):
        play.task.reveal(*play.said.update(2).values(), {"from": carol})


@pytest.mark.parametrize("who", ["mia", "eve"])
def test_no_trainer(request: pytest.FixtureRequest, play: Play, who: str) -> None:
    """Only a trainer's own; relays take `revealBatch`."""
    account = request.getfixturevalue(who)
    with reverts("LearningTask_NotTrainer", account):
        play.task.reveal(*play.said.update(0).values(), {"from": account})


def test_twice(play: Play, alice: Any) -> None:
    play.reveal(0)
    with reverts("LearningTask_AlreadyRevealed", 0):
        play.task.reveal(*play.said.update(0).values(), {"from": alice})


def test_without_samples(play: Play, alice: Any) -> None:
    """An update of nothing would be averaged with weight one and never judged by its size."""
    with reverts("LearningTask_TooFewSamples", 0, 1):
        play.task.reveal(*replace(play.said.update(0), samples=0).values(), {"from": alice})


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
        play.task.reveal(*replace(play.said.update(0), **change).values(), {"from": alice})


def test_no_samples(publish: Any, alice: Any) -> None:
    """An update of no samples is none, though it was committed."""
    play = publish().until(Phase.COMMIT)
    empty = replace(play.said.update(0), samples=0)
    chain.send(alice, play.task.commit, play.said.commitment(0, empty))
    play.commit(1, 2)
    with reverts("LearningTask_TooFewSamples", 0, 1):
        play.task.reveal(*empty.values(), {"from": alice})


@pytest.mark.parametrize("large", [{"samples": 2**32 + 100}, {"training_time": 2**32}], ids=["samples", "time"])
def test_more_than_32_bits(publish: Any, alice: Any, large: dict[str, int]) -> None:
    """Numbers that no slot holds are refused, though they were committed."""
    play = publish().until(Phase.COMMIT)
    made = replace(play.said.update(0), **large)
    chain.send(alice, play.task.commit, play.said.commitment(0, made))
    play.commit(1, 2)
    with reverts("LearningTask_WrongOpening", 0):
        play.task.reveal(*made.values(), {"from": alice})


def test_copied_commitment(publish: Any, bob: Any) -> None:
    """A commitment copied from another cannot be opened with the other's values: it binds its sender."""
    play = publish().until(Phase.COMMIT)
    chain.send(bob, play.task.commit, play.said.commitment(0))
    play.commit(0, 2)
    with reverts("LearningTask_WrongOpening", 1):
        play.task.reveal(*play.said.update(0).values(), {"from": bob})


def test_commitment_of_the_last_round(publish: Any, alice: Any) -> None:
    """A commitment made again in the next round cannot be opened with the old values: it binds its round."""
    play = publish().until(Phase.COMMIT)
    old, values = play.said.commitment(0), play.said.update(0).values()
    play.play_round()
    chain.send(alice, play.task.commit, old)
    play.commit(1, 2)
    with reverts("LearningTask_WrongOpening", 0):
        play.task.reveal(*values, {"from": alice})


# ---------------------------------------------------------------------- successes


def test_reveal(play: Play, alice: Any) -> None:
    made = play.said.update(0)
    tx = play.task.reveal(*made.values(), {"from": alice})
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
    assert (trainer["stage"], trainer["samples"], bytes(trainer["digest"])) == (Stage.REVEALED, 100, made.root[:25])
    assert play.round["reveals"] == 1
    assert play.task.inputs() == 0b001
    assert play.phase == Phase.REVEAL


def test_last_one_closes(play: Play, bob: Any) -> None:
    """The phase ends when all who committed have revealed."""
    play.reveal(0)
    tx = play.task.reveal(*play.said.update(1).values(), {"from": bob})
    assert play.round["revealSpan"] == 1 + tx.timestamp - play.round["start"]
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
    chain.send(alice, play.task.commit, play.said.commitment(0, boast))
    play.commit(1, 2)
    play.task.reveal(*boast.values(), {"from": alice})
    assert (play.task.trainer(0)["samples"], play.task.trainer(0)["cap"]) == (2**32 - 1, 100)
