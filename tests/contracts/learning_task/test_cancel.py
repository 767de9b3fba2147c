"""`LearningTask.cancel`: only the publisher, only before anybody was chosen."""

from __future__ import annotations

from typing import Any

import pytest

from ..support.errors import reverts
from ..support.events import log, logs, names
from ..support.kinds import Phase, Role, State
from ..support.play import Play
from ..support.terms import BASE


@pytest.fixture(scope="module")
def play(module_isolation: None, publish: Any) -> Play:
    play = publish()
    play.bid_all()
    return play


# ---------------------------------------------------------------------- reverts


def test_not_the_publisher(task: Any, eve: Any) -> None:
    with reverts("LearningTask_NotPublisher", eve):
        task.cancel({"from": eve})


def test_after_selection(play: Play, publisher: Any) -> None:
    """Once participants are chosen the publisher cannot leave them."""
    play.let_pass(Phase.BIDDING)
    play.select()
    with reverts("LearningTask_WrongPhase", Phase.COMMIT, Phase.BIDDING):
        play.task.cancel({"from": publisher})


def test_twice(task: Any, publisher: Any) -> None:
    task.cancel({"from": publisher})
    with reverts("LearningTask_WrongPhase", Phase.CLOSED, Phase.BIDDING):
        task.cancel({"from": publisher})


# ---------------------------------------------------------------------- successes


@pytest.mark.parametrize("phase", [Phase.BIDDING, Phase.SELECT])
def test_everybody_is_refunded(play: Play, publisher: Any, phase: Phase) -> None:
    """All deposits and the whole reward are owed back; nothing is burnt."""
    if phase == Phase.SELECT:
        play.let_pass(Phase.BIDDING)
    tx = play.task.cancel({"from": publisher})

    assert names(tx) == ["Cancelled", *["NotSelected"] * 6, "TaskAborted"]
    assert {(event["role"], event["account"], event["deposit"]) for event in logs(tx, "NotSelected")} == {
        (Role.TRAINER, who, (seat + 1) * 10_000) for seat, who in enumerate(play.trainers)
    } | {(Role.MINER, who, 40_000) for who in play.miners}
    assert log(tx, "TaskAborted") == {"toPublisher": BASE["reward"]}

    assert play.status["state"] == State.ABORTED
    assert play.phase == Phase.CLOSED
    owed = [play.task.withdrawable(who) for who in (publisher, *play.trainers, *play.miners)]
    assert owed == [BASE["reward"], 10_000, 20_000, 30_000, 40_000, 40_000, 40_000]
    assert play.task.balance() == sum(owed)
    assert play.task.pool() == 0


def test_without_bids(publish: Any, publisher: Any) -> None:
    """A task that nobody wants can be cancelled too."""
    task = publish().task
    tx = task.cancel({"from": publisher})
    assert names(tx) == ["Cancelled", "TaskAborted"]
    assert task.withdrawable(publisher) == BASE["reward"]
