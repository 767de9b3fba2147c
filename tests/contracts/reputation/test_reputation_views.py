"""What anybody may ask the registry."""

from __future__ import annotations

from typing import Any

import pytest

from ..support.events import plain

WORD = 65_535


def test_unknown_is_lowest(reputation: Any, eve: Any) -> None:
    """Who never took part has reputation 0: a new identity gains nothing."""
    assert reputation.minerReputation(eve) == 0
    assert reputation.trainerQuality(eve) == 0
    assert plain(reputation.minerRecord(eve)) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        ([(True, 100, 100)], WORD),
        ([(True, 100, 100), (False, 100, 100)], WORD // 2),  # n/m = 1/2 decides, s/t = 1
        ([(True, 25, 100)], WORD // 4),  # s/t = 1/4 decides, n/m = 1
        ([(False, 50, 100)], 0),  # never a block
        ([(True, 0, 0)], 0),  # nothing was ever offered
    ],
)
def test_lower_of_two_shares(
    reputation: Any, task_account: Any, mia: Any, services: list[tuple[bool, int, int]], expected: int
) -> None:
    """A miner's reputation is the lower of accepted per served and received per offered."""
    for service in services:
        reputation.recordRound([(mia, *service)], {"from": task_account})
    assert reputation.minerReputation(mia) == expected
