"""The median: by hand, the published vectors, any order of arrival."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bcfl_client.aggregation import AggregationRule, aggregate, median

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/aggregation.json").read_text())
LOW, HIGH = -(2**31), 2**31 - 1


def vectors(*rows: list[int]) -> list[np.ndarray]:
    return [np.array(row, dtype=np.int32) for row in rows]


@pytest.mark.parametrize("case", VECTORS["median"])
def test_follows_the_published_vectors(case: dict) -> None:
    """Halves rounded down, the ends of the range; forwards and backwards."""
    updates = vectors(*case["updates"])
    assert median(updates, [1] * len(updates)).tolist() == case["median"]
    assert median(updates[::-1], [1] * len(updates)).tolist() == case["median"]


def test_by_hand() -> None:
    odd = vectors([1, -9, LOW, 4], [3, -7, HIGH, 4], [2, -8, 0, -4])
    assert median(odd, [1, 1, 1]).tolist() == [2, -8, 0, 4]
    even = [*odd, *vectors([2, -8, HIGH, -5])]
    assert median(even, [1, 1, 1, 1]).tolist() == [2, -8, 2**30 - 1, 0]
    assert median(vectors([LOW, HIGH, -1, HIGH], [LOW, HIGH, 0, LOW]), [1, 1]).tolist() == [LOW, HIGH, -1, -1]


def test_weights_and_order_have_no_influence() -> None:
    rng = np.random.default_rng(5)
    for count in (2, 5, 10, 33):
        updates = list(rng.integers(-3, 3, (count, 300), dtype=np.int32))
        result = median(updates, [1] * count).tobytes()
        shuffled = [updates[i] for i in rng.permutation(count)]
        assert median(shuffled, rng.integers(0, 2**31, count).tolist()).tobytes() == result


def test_one_wild_update_moves_it_no_further_than_its_neighbours() -> None:
    """Whatever a minority sends, every coordinate stays within what the others sent."""
    rng = np.random.default_rng(6)
    honest = rng.integers(-1000, 1000, (3, 500), dtype=np.int32)
    for wild in (LOW, HIGH):
        result = median([*honest, np.full(500, wild, dtype=np.int32)], [1] * 4)
        assert (honest.min(axis=0) <= result).all() and (result <= honest.max(axis=0)).all()


def test_is_rule_1() -> None:
    updates = vectors([1], [2], [9])
    assert aggregate(AggregationRule.MEDIAN, updates, [1, 1, 50]).tolist() == [2]


@pytest.mark.parametrize(
    ("updates", "weights", "message"),
    [
        ([], [], "0 updates"),
        (vectors([1]), [1, 2], "1 updates with 2 weights"),
        (vectors([1], [1, 2]), [1, 1], "one length"),
        ([np.array([1.0])], [1], "int32"),
    ],
)
def test_refuses_what_has_no_median(updates: list, weights: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        median(updates, weights)
