"""The aggregation rules for one coordinate, in plain Python integers: their definition.

Whole updates are aggregated by the other modules, faster and to the same numbers; a fraud proof shows a single
coordinate to `contracts/libraries/AggregateVerifier.sol`, which computes what is computed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

__all__ = ["AggregationRule", "aggregate_coordinate", "counted", "proof_order"]

_BASIS = 10_000


class AggregationRule(IntEnum):
    """A task's rule, by its number in the contract."""

    WEIGHTED_MEAN = 0
    MEDIAN = 1
    TRIMMED_MEAN = 2


def aggregate_coordinate(rule: int, values: Sequence[int], weights: Sequence[int], trim_share: int = 0) -> int:
    """Returns the aggregate of one coordinate: the floor of the weighted mean over the inputs that count.

    `values` and `weights` are in order of the trainers' seats, `trim_share` is in basis points. The median counts one
    or two inputs, without weights. Raises ValueError as `counted`, and for unequal lengths and weights of no sum.
    """
    if len(values) != len(weights):
        raise ValueError(f"{len(values)} values with {len(weights)} weights")
    order = proof_order(rule, values)
    kept = [order[i] for i in counted(rule, len(values), trim_share)]
    shares = [1 if rule == AggregationRule.MEDIAN else weights[i] for i in kept]
    total = sum(shares)
    if total < 1:
        raise ValueError(f"weights must sum up to at least 1, not {total}")
    return sum(share * values[i] for share, i in zip(shares, kept)) // total


def proof_order(rule: int, values: Sequence[int]) -> list[int]:
    """Returns the positions in the order in which a fraud proof shows them: as they are, or by (value, position)."""
    if AggregationRule(rule) == AggregationRule.WEIGHTED_MEAN:
        return list(range(len(values)))
    return sorted(range(len(values)), key=values.__getitem__)  # stable


def counted(rule: int, count: int, trim_share: int = 0) -> range:
    """Returns which of `count` inputs count, in the rule's order.

    Raises ValueError for an unknown rule, no inputs and a share outside 0..4999 basis points.
    """
    if count < 1:
        raise ValueError("there is nothing to aggregate")
    if not 0 <= trim_share < _BASIS // 2:
        raise ValueError(f"trim share must be 0 to {_BASIS // 2 - 1} basis points, not {trim_share}")
    match AggregationRule(rule):
        case AggregationRule.WEIGHTED_MEAN:
            return range(count)
        case AggregationRule.MEDIAN:
            return range((count - 1) // 2, count // 2 + 1)
        case AggregationRule.TRIMMED_MEAN:
            trimmed = count * trim_share // _BASIS
            return range(trimmed, count - trimmed)
