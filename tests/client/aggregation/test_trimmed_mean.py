"""The trimmed mean: by hand, the published vectors, ties, when the order of arrival matters and when not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bcfl_client.aggregation import AggregationRule, aggregate, trimmed_mean, weighted_mean

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/aggregation.json").read_text())
LOW, HIGH = -(2**31), 2**31 - 1


def vectors(*rows: list[int]) -> list[np.ndarray]:
    return [np.array(row, dtype=np.int32) for row in rows]


@pytest.mark.parametrize("case", VECTORS["trimmed_mean"])
def test_follows_the_published_vectors(case: dict) -> None:
    """Shares just below and at a whole input, ties with unequal weights, the ends of the range, one update."""
    assert trimmed_mean(vectors(*case["updates"]), case["weights"], case["trim_share"]).tolist() == case["mean"]


def test_by_hand() -> None:
    updates = vectors([HIGH, -1], [1, LOW], [2, -2], [LOW, HIGH])
    # Left over: 1 x 2 + 2 x 3 of 5, and -1 x 1 - 2 x 3 of 4.
    assert trimmed_mean(updates, [1, 2, 3, 4], 2500).tolist() == [8 // 5, -7 // 4] == [1, -2]


def test_a_tie_is_cut_by_position() -> None:
    """Of equal values the first positions are dropped below and the last ones above."""
    updates = vectors([5, 0], [5, 5], [5, 5], [9, 5])
    assert trimmed_mean(updates, [1, 10, 100, 1000], 2500).tolist() == [5, 5]
    low = vectors([0, 0], [0, 0], [7, 0], [7, 8])
    # First coordinate: positions 1 and 2 remain, (0 x 10 + 7 x 100) / 110. Reversed: weights 100 and 10 the same way.
    assert trimmed_mean(low, [1, 10, 100, 1000], 2500).tolist() == [6, 0]
    assert trimmed_mean(low[::-1], [1000, 100, 10, 1], 2500).tolist() == [7000 // 1001, 0]


def test_order_has_no_influence_without_ties_or_with_equal_weights() -> None:
    rng = np.random.default_rng(8)
    for count in (3, 10, 21):
        order = rng.permutation(count)
        distinct = [rng.permutation(count).astype(np.int32) for _ in range(200)]
        updates = list(np.array(distinct).T.copy())
        weights = rng.integers(1, 1000, count).tolist()
        shuffled, shares = [updates[i] for i in order], [weights[i] for i in order]
        assert trimmed_mean(shuffled, shares, 2000).tobytes() == trimmed_mean(updates, weights, 2000).tobytes()
        tied = list(rng.integers(0, 3, (count, 200), dtype=np.int32))
        same = trimmed_mean([tied[i] for i in order], [3] * count, 2000)
        assert same.tobytes() == trimmed_mean(tied, [3] * count, 2000).tobytes()


def test_nothing_trimmed_is_the_weighted_mean() -> None:
    updates = list(np.random.default_rng(9).integers(LOW, HIGH, (9, 100), dtype=np.int32))
    for trim_share in (0, 1111):  # 9 x 1111 / 10,000 is none
        result = trimmed_mean(updates, list(range(1, 10)), trim_share)
        assert result.tobytes() == weighted_mean(updates, list(range(1, 10))).tobytes()


def test_is_rule_2() -> None:
    updates = vectors([1], [2], [9])
    assert aggregate(AggregationRule.TRIMMED_MEAN, updates, [1, 1, 1], 3334).tolist() == [2]
    assert aggregate(AggregationRule.TRIMMED_MEAN, updates, [1, 1, 1]).tolist() == [4]


@pytest.mark.parametrize(
    ("updates", "weights", "trim_share", "message"),
    [
        ([], [], 0, "0 updates"),
        (vectors([1]), [1, 2], 0, "1 updates with 2 weights"),
        (vectors([1], [1, 2]), [1, 1], 0, "one length"),
        ([np.array([1.0])], [1], 0, "int32"),
        (vectors([1], [1]), [0, 1], 0, "weights must be positive"),
        (vectors([1], [1]), [2**30, 2**30], 0, "weights must"),
        (vectors([1]), [1], 5000, "trim share"),
        (vectors([1]), [1], -1, "trim share"),
    ],
)
def test_refuses_what_has_no_mean(updates: list, weights: list, trim_share: int, message: str) -> None:
    """A weight of 0 could leave a rest without weight, which has no mean."""
    with pytest.raises(ValueError, match=message):
        trimmed_mean(updates, weights, trim_share)
