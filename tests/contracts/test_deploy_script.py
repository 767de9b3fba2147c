"""`brownie run scripts/deploy.py`: a factory, its code and its transitions, linked and printed."""

from __future__ import annotations

from typing import Any

import pytest
from brownie import history, run


def test_deploy(LearningTask: Any, publisher: Any, capsys: pytest.CaptureFixture[str]) -> None:
    factory = run("deploy")
    task = LearningTask.at(factory.implementation())
    assert factory.taskFee() == 0
    printed = capsys.readouterr().out
    for address in (factory.address, factory.reputation(), task.address, task.transitions()):
        assert address in printed
    assert [tx.sender for tx in list(history)[-3:]] == [publisher] * 3
