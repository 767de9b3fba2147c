"""Krum against its definition, and what it is for."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from bcfl_client.aggregation import weighted_mean
from bcfl_client.aggregation.krum import krum, krum_scores, multi_krum


def honest(count: int, length: int = 500, seed: int = 0) -> list[NDArray[np.int32]]:
    generator = np.random.default_rng(seed)
    centre = generator.integers(-(2**24), 2**24, length)
    return [(centre + generator.normal(0, 2**16, length)).astype(np.int32) for _ in range(count)]


@pytest.mark.parametrize(("n", "f"), [(3, 0), (7, 2), (11, 3)])
def test_scores_are_the_definition(n: int, f: int) -> None:
    """The sum of the squared distances to the n - f - 2 nearest, in whole numbers."""
    updates = honest(n)
    exact = [[sum((int(a) - int(b)) ** 2 for a, b in zip(one, other)) for other in updates] for one in updates]
    expected = [sum(sorted(row)[1 : n - f - 1]) for row in exact]
    assert krum_scores(updates, f) == pytest.approx(expected, rel=1e-12)


def test_what_lies_apart_is_left_out() -> None:
    """Two of seven far away: neither is chosen, and the mean of five is the mean of the honest five."""
    updates = honest(5)
    bad = [np.full(500, 2**30, dtype=np.int32), np.full(500, -(2**30), dtype=np.int32)]
    mixed = [bad[0], *updates, bad[1]]
    assert any(np.array_equal(krum(mixed, [1] * 7, 2), update) for update in updates)
    assert np.array_equal(multi_krum(mixed, [9, 1, 2, 3, 4, 5, 9], 2, 5), weighted_mean(updates, [1, 2, 3, 4, 5]))


def test_the_order_of_the_updates_does_not_matter() -> None:
    """The same bytes for any order of arrival."""
    updates, weights = honest(9, 70_000), list(range(1, 10))
    expected = multi_krum(updates, weights, 2, 4)
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(9)
        shuffled = multi_krum([updates[i] for i in order], [weights[i] for i in order], 2, 4)
        assert np.array_equal(shuffled, expected)


def test_the_largest_values_do_not_overflow() -> None:
    """Differences of almost 2^32."""
    low, high = (np.full(1000, value, dtype=np.int32) for value in (-(2**31), 2**31 - 1))
    assert np.array_equal(krum([low, high, high, high, high], [1] * 5, 1), high)


@pytest.mark.parametrize(("n", "f", "kept", "words"), [(4, 1, 1, "too few"), (5, -1, 1, "too few"), (5, 1, 5, "keep")])
def test_impossible_numbers_are_refused(n: int, f: int, kept: int, words: str) -> None:
    """Too few updates, more kept than honest."""
    with pytest.raises(ValueError, match=words):
        multi_krum(honest(n), [1] * n, f, kept)
