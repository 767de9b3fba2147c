"""Inner products in integers: exact whatever the numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bcfl_client.scoring.inner_product import inner_product

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
