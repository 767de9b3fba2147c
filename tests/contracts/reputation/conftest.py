"""Who may write to the registry."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="module")
def task_account(play: Any, accounts: Any) -> Any:
    """A task, unlocked to send as if its code did."""
    return accounts.at(play.task.address, force=True)
