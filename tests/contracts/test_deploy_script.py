"""`brownie run scripts/deploy.py`: a factory, its code and the pieces of it, linked and printed."""

from __future__ import annotations

from typing import Any

import pytest
from brownie import history, run


def test_deploy(LearningTask: Any, publisher: Any, capsys: pytest.CaptureFixture[str]) -> None:
    factory = run("deploy")
    task = LearningTask.at(factory.implementation())
    assert factory.taskFee() == 0
    printed = capsys.readouterr().out
    pieces = [task.bidding(), task.blocks(), task.settlement()]
    for address in (factory, factory.reputation(), task, *pieces):
        assert str(address) in printed
    assert [tx.sender for tx in list(history)[-5:]] == [publisher] * 5
