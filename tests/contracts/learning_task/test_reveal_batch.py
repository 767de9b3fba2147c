"""`LearningTask.revealBatch`: commitments opened by whoever knows the salt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ..support import chain
from ..support.errors import reverts
from ..support.events import log, logs, names
from ..support.kinds import Phase, Stage
from ..support.play import Play


@pytest.fixture(scope="module")
def play(module_isolation: None, publish: Any) -> Play:
    """Seat 2 has not committed."""
    play = publish().until(Phase.COMMIT)
    play.commit(0, 1)
    play.let_pass(Phase.COMMIT)
    return play


def shown(play: Play, seat: int, **changes: Any) -> tuple[Any, ...]:
    """One update of the batch."""
    return str(play.trainers[seat]), *replace(play.said.update(seat), **changes).values()


# ---------------------------------------------------------------------- reverts


def test_while_commit_runs(publish: Any, eve: Any) -> None:
    play = publish().until(Phase.COMMIT)
    play.commit(0)
    with reverts("LearningTask_WrongPhase", Phase.COMMIT, Phase.REVEAL):
        play.task.revealBatch([shown(play, 0)], {"from": eve})


def test_after_the_deadline(play: Play, eve: Any) -> None:
    batch = [shown(play, 0)]
    chain.next_at(play.status["deadline"])
    with reverts("LearningTask_WrongPhase", Phase.FINALISE, Phase.REVEAL):
        play.task.revealBatch(batch, {"from": eve})


def test_nobody(play: Play, eve: Any) -> None:
    """A batch of nothing is refused."""
    with reverts("LearningTask_EmptyBatch"):
        play.task.revealBatch([], {"from": eve})


def test_no_trainer(play: Play, eve: Any) -> None:
    """One update of somebody else spoils the batch: its relay has to look first."""
    with reverts("LearningTask_NotTrainer", eve):
        play.task.revealBatch([shown(play, 0), (str(eve), *shown(play, 1)[1:])], {"from": eve})


def test_no_commitment(play: Play, eve: Any) -> None:
    """So does one that was not committed to."""
    with reverts("LearningTask_NoCommit", 2):
        play.task.revealBatch([shown(play, 0), shown(play, 2)], {"from": eve})


def test_struck_out(publish: Any, eve: Any) -> None:
    """Who has too many strikes has committed to nothing."""
    play = publish(maxStrikes=1).until(Phase.COMMIT)
    play.commit(0, 1)
    play.let_pass(Phase.COMMIT)
    play.play_round()
    play.until(Phase.REVEAL)
    with reverts("LearningTask_NoCommit", 2):
        play.task.revealBatch([shown(play, 2)], {"from": eve})


def test_nothing_new(publish: Any, eve: Any) -> None:
    """A batch in which all are open already is refused; the last one is named."""
    play = publish().until(Phase.REVEAL)
    batch = [shown(play, 0), shown(play, 1)]
    chain.send(eve, play.task.revealBatch, batch)
    with reverts("LearningTask_AlreadyRevealed", 1):
        play.task.revealBatch(batch, {"from": eve})


def test_without_samples(play: Play, eve: Any) -> None:
    with reverts("LearningTask_TooFewSamples", 0, 1):
        play.task.revealBatch([shown(play, 0, samples=0)], {"from": eve})


@pytest.mark.parametrize(
    "change",
    [
        {"root": b"\x09" * 32},
        {"content_id": b"\x09" * 32},
        {"samples": 201},
        {"training_time": 1501},
        {"salt": b"\x09" * 32},
    ],
    ids=lambda change: next(iter(change)),
)
def test_other_values(play: Play, eve: Any, change: dict[str, Any]) -> None:
    """A relay cannot change what was committed to, and a wrong one spoils the batch."""
    with reverts("LearningTask_WrongOpening", 1):
        play.task.revealBatch([shown(play, 0), shown(play, 1, **change)], {"from": eve})


def test_of_another_trainer(play: Play, eve: Any) -> None:
    """Nor whose it is."""
    with reverts("LearningTask_WrongOpening", 1):
        play.task.revealBatch([(str(play.trainers[1]), *shown(play, 0)[1:])], {"from": eve})


# ---------------------------------------------------------------------- successes


def test_batch(publish: Any, eve: Any) -> None:
    """Anybody may bring the updates of all, in any order; each is as if its trainer had sent it."""
    play = publish().until(Phase.REVEAL)
    made = {seat: play.said.update(seat) for seat in (2, 0)}
    tx = play.task.revealBatch([shown(play, seat) for seat in made], {"from": eve})
    assert names(tx) == ["Revealed", "Revealed"]
    assert [tuple(event.values()) for event in logs(tx, "Revealed")] == [
        (1, seat, *update.values()) for seat, update in made.items()
    ]
    for seat, update in made.items():
        trainer = play.task.trainer(seat)
        assert (trainer["stage"], trainer["samples"]) == (Stage.REVEALED, update.samples)
        assert bytes(trainer["digest"]) == update.root[:25]
    assert (play.round["revealed"], play.round["reveals"]) == (0b101, 2)
    assert play.task.inputs() == 0b101
    assert play.phase == Phase.REVEAL


def test_passed_over(publish: Any, eve: Any) -> None:
    """Who was faster on its own does not spoil the batch, whatever the batch says of it."""
    play = publish().until(Phase.REVEAL)
    play.reveal(0)
    tx = play.task.revealBatch([shown(play, 0, samples=7), shown(play, 1)], {"from": eve})
    assert log(tx, "Revealed")["seat"] == 1
    assert play.task.trainer(0)["samples"] == 100
    assert play.round["reveals"] == 2


def test_twice_in_a_batch(play: Play, eve: Any) -> None:
    """The second time it is open already."""
    tx = play.task.revealBatch([shown(play, 0), shown(play, 0)], {"from": eve})
    assert log(tx, "Revealed")["seat"] == 0
    assert play.round["reveals"] == 1


def test_last_one_closes(play: Play, eve: Any) -> None:
    """The phase ends when all who committed have revealed."""
    tx = play.task.revealBatch([shown(play, 1), shown(play, 0)], {"from": eve})
    assert play.round["revealSpan"] == 1 + tx.timestamp - play.round["start"]
    assert play.phase == Phase.CHECK
