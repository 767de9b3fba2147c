"""`LearningTask.initialise`: the factory's first and only call. What it sets is in `task_factory/test_publish.py`."""

from __future__ import annotations

from typing import Any

from ..support.errors import reverts
from ..support.kinds import Phase


def test_not_the_factory(task: Any, publisher: Any) -> None:
    """Not even the publisher may start a task."""
    with reverts("LearningTask_NotFactory", publisher):
        task.initialise({"from": publisher})


def test_twice(task: Any, factory: Any, accounts: Any) -> None:
    """A task starts once, even if its factory asked again."""
    account = accounts.at(factory.address, force=True)
    with reverts("LearningTask_WrongPhase", Phase.BIDDING, Phase.CLOSED):
        task.initialise({"from": account})
