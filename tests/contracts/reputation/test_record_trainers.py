"""`Reputation.recordTrainers`: the trainers' quality over past tasks."""

from __future__ import annotations

from typing import Any

from ..support.errors import OUT_OF_RANGE, reverts
from ..support.events import logs


def test_not_a_task(reputation: Any, eve: Any, alice: Any) -> None:
    """Nobody but a task of the factory writes."""
    with reverts("Reputation_NotTask", eve):
        reputation.recordTrainers([alice], [65_535], {"from": eve})


def test_quality_is_missing(reputation: Any, task_account: Any, alice: Any, bob: Any) -> None:
    """There is a quality for each trainer."""
    with reverts(OUT_OF_RANGE):
        reputation.recordTrainers([alice, bob], [1], {"from": task_account})


def test_half_way(reputation: Any, task_account: Any, alice: Any, bob: Any) -> None:
    """The quality moves half-way to the new one, from 0 for the unknown, rounded down."""
    tx = reputation.recordTrainers([alice, bob], [65_535, 9], {"from": task_account})
    assert [tuple(event.values()) for event in logs(tx, "TrainerRecorded")] == [(alice, 32_767), (bob, 4)]
    assert [reputation.trainerQuality(who) for who in (alice, bob)] == [32_767, 4]

    reputation.recordTrainers([alice, bob], [65_535, 0], {"from": task_account})
    assert [reputation.trainerQuality(who) for who in (alice, bob)] == [49_151, 2]
