"""What anybody may ask a factory."""

from __future__ import annotations

from typing import Any

import pytest
from brownie.exceptions import VirtualMachineError


def test_unknown_index(factory: Any) -> None:
    """There is no task beyond the last."""
    with pytest.raises(VirtualMachineError):
        factory.tasks(factory.taskCount())


def test_fresh(factory: Any, implementation: Any) -> None:
    """A fresh factory has the fee and the code it was given, and no tasks."""
    assert factory.taskFee() == 0
    assert factory.implementation() == implementation
    assert factory.taskCount() == 0


def test_task_fee(TaskFactory: Any, implementation: Any, publisher: Any) -> None:
    """The fee is fixed when a factory is made."""
    assert TaskFactory.deploy(5, implementation, {"from": publisher}).taskFee() == 5


def test_is_task(factory: Any, implementation: Any, eve: Any, publish: Any) -> None:
    """Only what the factory made is a task of it: not the code that tasks share, nor anybody else."""
    task = publish().task
    assert factory.isTask(task)
    assert not factory.isTask(implementation)
    assert not factory.isTask(eve)


def test_owns_its_registry(factory: Any, reputation: Any) -> None:
    """The registry listens to this factory's tasks."""
    assert reputation.factory() == factory
