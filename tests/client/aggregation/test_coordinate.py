"""One coordinate by hand, the order of a proof, and whole updates of every rule against it."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcfl_client.aggregation import AggregationRule, aggregate, aggregate_coordinate, proof_order
from bcfl_client.aggregation.coordinate import counted

MEAN, MEDIAN, TRIMMED = AggregationRule
LOW, HIGH = -(2**31), 2**31 - 1
# Few values: ties are what a rule may get wrong.
VALUES = st.sampled_from([LOW, LOW + 1, -2, -1, 0, 1, 2, HIGH - 1, HIGH]) | st.integers(LOW, HIGH)


@pytest.mark.parametrize(
    ("rule", "values", "weights", "trim_share", "expected"),
    [
        (MEAN, [5, 6], [1, 1], 0, 5),
        (MEAN, [-5, -6], [1, 1], 0, -6),
        (MEAN, [10, 20], [0, 3], 0, 20),
        (MEDIAN, [9, -4, 2], [1, 1, 100], 0, 2),
        (MEDIAN, [0, -1], [1, 1], 0, -1),
        (MEDIAN, [LOW, HIGH], [1, 1], 0, -1),
        (TRIMMED, [100, 1, 2, -100], [9, 1, 3, 9], 2500, 1),  # 7 / 4
        (TRIMMED, [100, 1, 2, -100], [9, 1, 3, 9], 2499, 0),  # 4 inputs x 2499 / 10,000 is none: 7 / 22
        (TRIMMED, [0, 0, 1], [5, 1, 9], 3334, 0),
        (TRIMMED, [-3], [7], 4999, -3),
    ],
)
def test_by_hand(rule: int, values: list[int], weights: list[int], trim_share: int, expected: int) -> None:
    assert aggregate_coordinate(rule, values, weights, trim_share) == expected


def test_proof_order_is_by_seat_or_by_value_and_seat() -> None:
    values = [3, -1, 3, LOW, -1]
    assert proof_order(MEAN, values) == [0, 1, 2, 3, 4]
    assert proof_order(MEDIAN, values) == proof_order(TRIMMED, values) == [3, 1, 4, 0, 2]


@pytest.mark.parametrize("rule", AggregationRule)
@pytest.mark.parametrize("trim_share", [0, 1, 3333, 4999])
def test_something_is_always_left(rule: int, trim_share: int) -> None:
    """For any number of inputs as many are dropped below as above."""
    for count in range(1, 129):
        kept = counted(rule, count, trim_share)
        assert len(kept) >= 1 and kept[0] == count - 1 - kept[-1]


@pytest.mark.parametrize(
    ("rule", "values", "weights", "trim_share", "message"),
    [
        (3, [1], [1], 0, "3 is not a valid AggregationRule"),
        (MEAN, [], [], 0, "nothing to aggregate"),
        (MEAN, [1], [1, 2], 0, "1 values with 2 weights"),
        (MEAN, [1, 2], [0, 0], 0, "weights must"),
        (TRIMMED, [1], [1], 5000, "trim share must be 0 to 4999 basis points, not 5000"),
        (TRIMMED, [1], [1], -1, "trim share"),
    ],
)
def test_refuses(rule: int, values: list[int], weights: list[int], trim_share: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        aggregate_coordinate(rule, values, weights, trim_share)


def test_rules_have_the_contracts_numbers() -> None:
    assert [int(rule) for rule in (MEAN, MEDIAN, TRIMMED)] == [0, 1, 2]
    assert [rule.name for rule in AggregationRule] == ["WEIGHTED_MEAN", "MEDIAN", "TRIMMED_MEAN"]


# ------------------------------------------------------------ whole updates


def expected(rule: int, updates: np.ndarray, weights: list[int], trim_share: int) -> list[int]:
    return [aggregate_coordinate(rule, column, weights, trim_share) for column in updates.T.tolist()]


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from(AggregationRule), st.integers(1, 9), st.integers(1, 5), st.integers(0, 4999))
def test_whole_updates_on_any_values(data: st.DataObject, rule: int, count: int, length: int, trim_share: int) -> None:
    rows = data.draw(st.lists(st.lists(VALUES, min_size=length, max_size=length), min_size=count, max_size=count))
    weights = data.draw(st.lists(st.integers(1, (2**31 - 1) // count), min_size=count, max_size=count))
    updates = np.array(rows, dtype=np.int32)
    assert aggregate(rule, list(updates), weights, trim_share).tolist() == expected(rule, updates, weights, trim_share)


@pytest.mark.parametrize("rule", AggregationRule)
def test_whole_updates_of_any_number(rule: int) -> None:
    """1 to 128 of them: few values, so that many are equal, and the extremes."""
    rng = np.random.default_rng(1)
    for count in range(1, 129):
        updates = rng.choice(np.array([LOW, -7, -1, 0, 1, HIGH], dtype=np.int32), (count, 70))
        weights = rng.integers(1, (2**31 - 1) // count, count).tolist()
        trim_share = int(rng.integers(0, 5000))
        result = aggregate(rule, list(updates), weights, trim_share)
        assert result.tolist() == expected(rule, updates, weights, trim_share)


@pytest.mark.parametrize("rule", AggregationRule)
@pytest.mark.parametrize("length", [0, 1, 63, 64, 65, 511, 1025, 8191, 8192, 8193, 20_000])
def test_tiles_blocks_and_threads_do_not_show(rule: int, length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lengths around every size in use, on 1 to 5 threads."""
    rng = np.random.default_rng(length)
    updates = rng.integers(LOW, HIGH, (4, length), dtype=np.int32, endpoint=True)
    right = expected(rule, updates, [7, 11, 1, 2**31 - 20], 2500)
    for threads in (1, 2, 5, None):
        monkeypatch.setattr(os, "cpu_count", lambda threads=threads: threads)
        assert aggregate(rule, list(updates), [7, 11, 1, 2**31 - 20], 2500).tolist() == right


@pytest.mark.parametrize("rule", AggregationRule)
def test_takes_arrays_as_they_come(rule: int) -> None:
    """With strides, and read-only as from bytes; the result is new and writable, the inputs stay as they are."""
    data = np.random.default_rng(3).integers(LOW, HIGH, (3, 200), dtype=np.int32)
    updates = [data[0, ::2], data[1, ::-2], np.frombuffer(data[2, :100].tobytes(), dtype="<i4")]
    before = [update.copy() for update in updates]
    result = aggregate(rule, updates, [1, 2, 3], 3334)
    assert result.tolist() == expected(rule, np.array(before), [1, 2, 3], 3334)
    assert result.flags.writeable and result.dtype == np.int32
    assert all((update == copy).all() for update, copy in zip(updates, before))


@pytest.mark.parametrize("rule", [3, -1])
def test_refuses_an_unknown_rule(rule: int) -> None:
    with pytest.raises(ValueError, match="not a valid AggregationRule"):
        aggregate(rule, [np.zeros(1, dtype=np.int32)], [1])
