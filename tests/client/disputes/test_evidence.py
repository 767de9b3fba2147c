"""The evidence of a challenge, read back as the contract reads it, for every rule and random models."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcfl_client.aggregation import AggregationRule, aggregate
from bcfl_client.disputes import LeafProof, ProofInput, build_evidence, first_difference
from bcfl_client.errors import ChainError
from bcfl_client.learning.tree import ParameterTree, leaf_hash, root_above

TRIM = 2000


def models(count: int, many: int, seed: int) -> list[np.ndarray]:
    """Random updates, close enough together for ties between their values."""
    rng = np.random.default_rng(seed)
    spread = rng.choice([2, 2**31 - 1])
    return [rng.integers(-spread, spread, count, dtype=np.int32) for _ in range(many)]


def inputs_of(updates: list[np.ndarray], seed: int) -> list[ProofInput]:
    rng = np.random.default_rng(seed)
    return [ProofInput("0x" + rng.bytes(20).hex(), int(rng.integers(1, 1000)), values) for values in updates]


def accepts(rule: int, inputs: list[ProofInput], coordinate: int, root: bytes, data: bytes) -> bool:
    """Disputes._holds and AggregateVerifier, line by line: True when the evidence shows a wrong value. Raises
    AssertionError for what the contract calls a wrong proof."""
    count = len(inputs[0].values)
    by_account = {one.account: seat for seat, one in enumerate(inputs)}
    entry = 128 + 32 * len(ParameterTree(inputs[0].values).path(0, coordinate // 32))
    shown = len(inputs) if coordinate < count else 0
    assert len(data) == shown * (20 + entry) + entry

    def opened(piece: bytes) -> tuple[bytes | None, int]:
        path = [piece[at : at + 32] for at in range(128, entry, 32)]
        at = 4 * (coordinate % 32)
        value = int.from_bytes(piece[at : at + 4], "little", signed=True)
        return root_above(count, 0, coordinate // 32, leaf_hash(piece[:128]), path), value

    first, end = 0, shown
    if rule == AggregationRule.MEDIAN:
        first, end = (shown - 1) // 2, shown // 2 + 1
    if rule == AggregationRule.TRIMMED_MEAN:
        first, end = shown * TRIM // 10_000, shown - shown * TRIM // 10_000
    values = weights = 0
    last: int | None = None
    for position in range(shown):
        piece = data[position * (20 + entry) : (position + 1) * (20 + entry)]
        seat = by_account["0x" + piece[:20].hex()]
        found, value = opened(piece[20:])
        assert found == ParameterTree(inputs[seat].values).root
        key = seat if rule == AggregationRule.WEIGHTED_MEAN else value * 128 + seat
        assert last is None or key > last
        last = key
        if first <= position < end:
            weight = 1 if rule == AggregationRule.MEDIAN else inputs[seat].weight
            values, weights = values + weight * value, weights + weight
    found, result = opened(data[-entry:])
    assert found == root
    if not shown:
        return result != 0
    return not 0 <= values - result * weights < weights


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(list(AggregationRule)),
    st.one_of(st.integers(1, 200), st.integers(201, 30_000)),
    st.integers(1, 12),
    st.integers(0, 2**32 - 1),
)
def test_one_wrong_coordinate_is_enough(rule: AggregationRule, count: int, many: int, seed: int) -> None:
    """A result that is off by one at any coordinate, by any rule, is found and refuted by the contract's reading."""
    rng = np.random.default_rng(seed)
    inputs = inputs_of(models(count, many, seed), seed)
    right = aggregate(rule, [one.values for one in inputs], [one.weight for one in inputs], TRIM)
    wrong = right.copy()
    at = int(rng.integers(count))
    wrong[at] += 1 if wrong[at] < 2**31 - 1 else -1
    assert first_difference(right, wrong) == at
    tree = ParameterTree(wrong)
    data = build_evidence(rule, TRIM, inputs, at, tree.root, LeafProof.of(tree, at))
    assert accepts(rule, inputs, at, tree.root, data)


@pytest.mark.parametrize("rule", list(AggregationRule))
def test_a_model_of_300_000_parameters(rule: AggregationRule) -> None:
    """The last coordinate of a large model with an odd count."""
    inputs = inputs_of(models(299_999, 3, 1), 1)
    wrong = aggregate(rule, [one.values for one in inputs], [one.weight for one in inputs], TRIM)
    wrong[-1] ^= 1
    at = first_difference(aggregate(rule, [one.values for one in inputs], [one.weight for one in inputs], TRIM), wrong)
    assert at == 299_998
    tree = ParameterTree(wrong)
    data = build_evidence(rule, TRIM, inputs, at, tree.root, LeafProof.of(tree, at))
    assert accepts(rule, inputs, at, tree.root, data)


def test_a_padding_takes_the_results_leaf_alone() -> None:
    """Forty parameters leave twenty-four zeros in the second leaf; one of them is not zero."""
    inputs = inputs_of(models(40, 3, 2), 2)
    padded = np.zeros(64, dtype=np.int32)
    padded[:40] = aggregate(0, [one.values for one in inputs], [one.weight for one in inputs])
    right = padded.copy()
    padded[50] = 7
    assert first_difference(right[:40], padded) == first_difference(padded, right[:40]) == 50
    assert first_difference(right[:40].tobytes(), right.tobytes()) is None
    tree = ParameterTree(padded)
    leaf = LeafProof.of(tree, 50)
    root = root_above(40, 0, 1, leaf_hash(leaf.leaf), leaf.path)
    assert root is not None
    data = build_evidence(0, 0, inputs, 50, root, leaf)
    assert data == leaf.packed and accepts(0, inputs, 50, root, data)
    with pytest.raises(ValueError, match="coordinate 51 is right: 0"):
        build_evidence(0, 0, inputs, 51, root, leaf)


def test_nothing_can_be_shown_against_what_is_right() -> None:
    """The same parameters under another content id differ nowhere; a proof of a right value would cost the bond."""
    inputs = inputs_of(models(100, 3, 3), 3)
    right = aggregate(0, [one.values for one in inputs], [one.weight for one in inputs])
    assert first_difference(right, right.tobytes()) is None
    tree = ParameterTree(right)
    with pytest.raises(ValueError, match="coordinate 5 is right"):
        build_evidence(0, 0, inputs, 5, tree.root, LeafProof.of(tree, 5))
    with pytest.raises(ValueError, match="not one of the root"):
        build_evidence(0, 0, inputs, 5, bytes(32), LeafProof.of(tree, 5))
    for outside in (-1, 128):
        with pytest.raises(ValueError, match="in no leaf"):
            build_evidence(0, 0, inputs, outside, tree.root, LeafProof.of(tree, 5))


def test_refuses_what_nodes_do_not_pass_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names both lengths. The largest task there can be, 128 inputs of 2^28 parameters, still fits."""
    leaf, siblings, trainers = 128, 23 * 32, 128
    assert 4 + 7 * 32 + trainers * (20 + leaf + siblings) + leaf + siblings + 256 + 31 < 128 * 1024
    inputs = inputs_of(models(100, 3, 4), 4)
    wrong = inputs[0].values ^ 1
    tree = ParameterTree(wrong)
    monkeypatch.setattr("bcfl_client.disputes.evidence.MAX_CALLDATA", 1000)
    with pytest.raises(ChainError, match=r"3 inputs takes 1[0-9]{3} bytes, and nodes take transactions of 1000"):
        build_evidence(1, 0, inputs, 5, tree.root, LeafProof.of(tree, 5))


def test_bytes_that_are_no_parameters() -> None:
    with pytest.raises(ValueError, match="no whole number"):
        first_difference(b"1234", b"12345")
