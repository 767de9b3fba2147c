"""What anybody may ask a task, phase by phase."""

from __future__ import annotations

from typing import Any

import pytest

from ..support import chain
from ..support.events import plain
from ..support.kinds import Phase, Role, State
from ..support.play import Play
from ..support.terms import BASE, WINDOW


@pytest.mark.parametrize("view", ["trainer", "miner"])
def test_no_such_seat(task: Any, view: str) -> None:
    """On a seat that nobody has there is nobody."""
    nobody = getattr(task, view)(0)
    assert (nobody["account"], nobody["deposit"]) == (chain.ZERO_ADDRESS, 0)


def test_fresh(task: Any, alice: Any) -> None:
    """Before anybody has bid."""
    assert (task.trainerCount(), task.minerCount()) == (0, 0)
    assert (task.bidCount(Role.TRAINER), task.bidCount(Role.MINER)) == (0, 0)
    assert plain(task.bidOf(Role.MINER, alice)) == (0, 0, 0, 0, 0)
    assert (task.inputs(), task.burnt(), task.pool()) == (0, 0, BASE["reward"])
    assert plain(task.head()) == (b"\x00" * 32, BASE["initialRoot"], BASE["initialContent"])
    assert task.withdrawable(alice) == 0


def test_every_phase_with_its_deadline(play: Play) -> None:
    """An honest task walks through all phases; each tells when time would end it."""
    seen = []
    while play.phase != Phase.CLOSED:
        status = play.status
        if seen and status["round"]["id"] == 2:
            break
        seen.append(status["phase"])
        assert (status["deadline"] == 0) == (status["phase"] in (Phase.SELECT, Phase.FINALISE))
        assert status["deadline"] == 0 or status["deadline"] > chain.now()
        play.until(next_phase(status["phase"]))
    assert seen == list(Phase)[1:]


def test_clock_alone(play: Play) -> None:
    """Each phase ends by its deadline without any call; windows follow each other from the start of the round."""
    play.until(Phase.COMMIT)
    play.commit(0, 1)
    start = play.round["start"]
    for number, phase in enumerate([Phase.COMMIT, Phase.REVEAL], 1):
        assert play.status["deadline"] == start + number * WINDOW
        if phase == Phase.REVEAL:
            play.task.reveal(*play.said.update(0).values(), {"from": play.trainers[0]})
            chain.mine_at(start + number * WINDOW - 1)
            assert play.phase == phase
        play.let_pass(phase)
    assert play.phase == Phase.FINALISE  # one update is too few


def test_closed(play: Play, publisher: Any) -> None:
    """After the end only withdrawals are left."""
    play.until(Phase.COMMIT)
    for _ in range(BASE["rounds"]):
        play.play_round()
    status = play.status
    assert (status["state"], status["phase"], status["deadline"], status["roundsLeft"]) == (
        *(State.COMPLETED, Phase.CLOSED, 0, 0),
    )
    assert play.task.pool() == 0


def test_terms_outlive_the_task(play: Play) -> None:
    """Terms never change."""
    play.until(Phase.COMMIT).play_round()
    assert plain(play.task.terms()) == tuple(play.terms.values())


def next_phase(phase: int) -> Phase:
    """What follows in an honest round."""
    return Phase.COMMIT if phase == Phase.FINALISE else Phase(phase + 1)
