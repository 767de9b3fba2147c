"""Cosines in integers: exact whatever the numbers."""

from __future__ import annotations

from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcfl_client.scoring.aggregate_similarity import aggregate_similarity, inner_product
from bcfl_client.scoring.inputs import ScoredRound

NUMBERS = st.integers(-(2**31), 2**31 - 1)


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=40))
def test_inner_product_is_exact(rows: list[tuple[int, int, int]]) -> None:
    """As Python's integers have it, the largest changes included."""
    first, second, start = np.array(rows, dtype=np.int32).T
    expected = sum((a - s) * (b - s) for a, b, s in rows)
    assert inner_product(first.copy(), second.copy(), start.copy()) == expected


def test_inner_product_of_many_extremes_is_exact() -> None:
    """Sums beyond 64 bits."""
    low, high = np.full(2**18, -(2**31), dtype=np.int32), np.full(2**18, 2**31 - 1, dtype=np.int32)
    assert inner_product(high, high, low) == 2**18 * (2**32 - 1) ** 2
    assert inner_product(low, high, high) == 0
    assert inner_product(low, low, high) == 2**18 * (2**32 - 1) ** 2


def scores(start: list[int], updates: list[list[int]], whole: list[int]) -> list[int]:
    vectors = {seat: np.array(update, dtype=np.int32) for seat, update in enumerate(updates)}
    played = ScoredRound(
        np.array(start, dtype=np.int32), vectors, lambda seats: np.array(whole, dtype=np.int32), lambda model: 1 // 0, 0
    )
    return list(aggregate_similarity(played, sorted(vectors)).scores().values())


def test_cosines_by_hand() -> None:
    """Along, across, against, at 45 degrees, of any length; changes count, not positions; standing still is no
    direction."""
    updates = [[12, 5], [10, 9], [3, 5], [17, 12], [10, 5]]
    assert scores([10, 5], updates, [14, 5]) == [65_535, 0, 0, floor(65_535 / 2**0.5), 0]
    assert scores([10, 5], updates, [10, 5]) == [0] * 5


def test_without_a_start_there_are_no_changes() -> None:
    played = ScoredRound(None, {0: np.zeros(1, dtype=np.int32)}, lambda seats: 1 // 0, lambda model: 1 // 0, 0)
    with pytest.raises(ValueError, match="start"):
        aggregate_similarity(played, [0])
