"""Norm clipping: never above the bound, nothing else changed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcfl_client.aggregation.clipping import clip_norm, step_norm

BITS = 24


def norm(start: np.ndarray, update: np.ndarray) -> float:
    return float(np.linalg.norm((update.astype(np.float64) - start) / 2**BITS))


@given(st.integers(0, 2**32 - 1), st.floats(1e-3, 1e3), st.floats(1e-4, 200))
def test_never_above_the_bound(seed: int, bound: float, scale: float) -> None:
    """A long step ends at the bound, short by rounding at most, in its own direction; a short one is as it was."""
    generator = np.random.default_rng(seed)
    start = generator.integers(-(2**24), 2**24, 50, dtype=np.int32)
    step = np.clip(generator.normal(0, scale, 50) * 2**BITS, -(2**30), 2**30)
    update = (start + step.astype(np.int64)).astype(np.int32)
    clipped = clip_norm(start, update, bound, BITS)
    if norm(start, update) <= bound:
        assert np.array_equal(clipped, update)
        return
    assert bound - 50 / 2**BITS <= norm(start, clipped) <= bound
    one, two = update.astype(np.float64) - start, clipped.astype(np.float64) - start
    assert one @ two >= 0.999 * np.linalg.norm(one) * np.linalg.norm(two) - 1e3 * np.linalg.norm(one)


def test_a_step_a_hair_above_the_bound_is_clipped() -> None:
    """Where a float's norm would hide that it is: miners count in integers."""
    start, update = np.zeros(2, np.int32), np.array([2**27, 1], dtype=np.int32)
    assert clip_norm(start, update, 8.0, BITS).tolist() == [2**27 - 1, 0]
    assert step_norm(start, update, BITS) == pytest.approx(8)


def test_extremes_stay_in_range() -> None:
    """From the lowest to the highest value."""
    start, update = (np.full(3, value, dtype=np.int32) for value in (-(2**31), 2**31 - 1))
    assert norm(start, clip_norm(start, update, 1.0, BITS)) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("bound", [0.0, -1.0, float("nan")])
def test_a_bound_that_is_none_is_refused(bound: float) -> None:
    """Not positive, not a number."""
    with pytest.raises(ValueError, match="above 0"):
        clip_norm(np.zeros(2, np.int32), np.ones(2, np.int32), bound, BITS)
