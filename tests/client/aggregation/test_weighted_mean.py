"""The weighted mean and its weights: the published vectors, exactness at the extremes, any order of arrival."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcfl_client.aggregation import AggregationRule, aggregate, streamed_mean, update_weight, weighted_mean

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/aggregation.json").read_text())
INT32 = st.integers(-(2**31), 2**31 - 1)


def vector(values: list[int]) -> np.ndarray:
    return np.array(values, dtype=np.int32)


@pytest.mark.parametrize("case", VECTORS["weighted_mean"])
def test_follows_the_published_vectors(case: dict) -> None:
    """Negative numbers rounded down, the ends of the range, the largest weights; forwards and backwards."""
    updates, weights = [vector(values) for values in case["updates"]], case["weights"]
    assert weighted_mean(updates, weights).tolist() == case["mean"]
    assert weighted_mean(updates[::-1], weights[::-1]).tolist() == case["mean"]
    assert streamed_mean(iter(updates), weights).tolist() == case["mean"]


@settings(max_examples=100, deadline=None)
@given(st.data(), st.integers(1, 6), st.integers(1, 5))
def test_is_the_floor_of_the_exact_quotient(data: st.DataObject, count: int, length: int) -> None:
    """0 <= S - q W < W for every coordinate, which is what the contract checks; weights of 0 have no influence."""
    updates = [vector(data.draw(st.lists(INT32, min_size=length, max_size=length))) for _ in range(count)]
    limit = (2**31 - 1) // count
    weights = [data.draw(st.integers(0, limit)) for _ in range(count - 1)] + [data.draw(st.integers(1, limit))]
    mean = weighted_mean(updates, weights)
    for k in range(length):
        total = sum(weight * int(update[k]) for weight, update in zip(weights, updates))
        assert 0 <= total - int(mean[k]) * sum(weights) < sum(weights)
    order = data.draw(st.permutations(range(count)))
    assert weighted_mean([updates[i] for i in order], [weights[i] for i in order]).tobytes() == mean.tobytes()


@pytest.mark.parametrize("length", [1, 2**16 - 1, 2**16, 2**16 + 1])
def test_blocks_do_not_show(length: int) -> None:
    """Lengths around the size of a block give what Python's integers give, from arrays with strides as well."""
    rng = np.random.default_rng(length)
    updates = [rng.integers(-(2**31), 2**31, 2 * length).astype(np.int32)[::2] for _ in range(3)]
    assert weighted_mean(updates, [7, 11, 2**31 - 20]).tolist() == exact_mean(updates, [7, 11, 2**31 - 20])


@pytest.mark.parametrize("count", [1, 7, 8, 9, 16, 17, 100])
def test_groups_do_not_show(count: int) -> None:
    """Any number of updates, added eight at a time or as they come, gives what Python's integers give."""
    rng = np.random.default_rng(count)
    updates = list(rng.integers(-(2**31), 2**31, (count, 50)).astype(np.int32))
    weights = rng.integers(0, (2**31 - 1) // count, count, endpoint=True).tolist()
    assert weighted_mean(updates, weights).tolist() == exact_mean(updates, weights)
    assert streamed_mean((update for update in updates), weights).tolist() == exact_mean(updates, weights)


def exact_mean(updates: list, weights: list[int]) -> list[int]:
    columns = zip(*(update.tolist() for update in updates))
    return [sum(w * x for w, x in zip(weights, column)) // sum(weights) for column in columns]


def test_takes_less_memory_than_two_updates() -> None:
    """Every rule, beyond its inputs; a stream of any length takes four, its own updates among them."""
    updates = [np.full(2**21, value, dtype=np.int32) for value in range(5)]
    streamed_mean((vector([1]) for _ in range(20)), [1] * 20)  # loads what was compiled, which is no memory of a rule
    for rule in AggregationRule:
        aggregate(rule, [vector([1])] * 5, [1] * 5, 2000)
        assert peak_of(lambda rule=rule: aggregate(rule, updates, [1] * 5, 2000)) < 2 * updates[0].nbytes
    stream = (updates[0].copy() for _ in range(20))
    assert peak_of(lambda: streamed_mean(stream, [1] * 20)) < 4.1 * updates[0].nbytes


def peak_of(call: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("updates", "weights", "message"),
    [
        ([], [], "0 updates"),
        ([vector([1])], [1, 2], "1 updates with 2 weights"),
        ([vector([1]), vector([1, 2])], [1, 1], "one length"),
        ([vector([1]), np.array([1], dtype=np.int64)], [1, 1], "int32"),
        ([vector([1]).reshape(1, 1)], [1], "int32 vectors"),
        ([vector([1])], [0], "weights must"),
        ([vector([1]), vector([1])], [-1, 2], "weights must"),
        ([vector([1]), vector([1])], [2**30, 2**30], "weights must"),
    ],
)
def test_refuses_what_has_no_mean(updates: list, weights: list, message: str) -> None:
    """No updates, unequal lengths, other types, and weights that could overflow."""
    with pytest.raises(ValueError, match=message):
        weighted_mean(updates, weights)
    with pytest.raises(ValueError, match=r"weights|int32|follows"):
        streamed_mean(iter(updates), weights)


def test_rules_are_found_by_the_contracts_number() -> None:
    """0 is the weighted mean."""
    assert aggregate(AggregationRule.WEIGHTED_MEAN, [vector([1]), vector([4])], [1, 2]).tolist() == [3]


@pytest.mark.parametrize("case", VECTORS["weights"])
def test_weights_follow_the_published_vectors(case: dict) -> None:
    """Samples scaled by quality, rounded down, never below 1."""
    assert update_weight(case["samples"], case["quality"]) == case["weight"]
