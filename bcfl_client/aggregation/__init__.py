"""Aggregation rules, one per file, and the weights that go into them.

Integers in, integers out, the same bytes on every machine. `coordinate` defines the rules, for a single number.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bcfl_client.aggregation.coordinate import AggregationRule, aggregate_coordinate, proof_order
from bcfl_client.aggregation.median import median
from bcfl_client.aggregation.trimmed_mean import trimmed_mean
from bcfl_client.aggregation.weighted_mean import streamed_mean, weighted_mean

__all__ = [
    "AggregationRule",
    "aggregate",
    "aggregate_coordinate",
    "median",
    "proof_order",
    "streamed_mean",
    "trimmed_mean",
    "update_weight",
    "weighted_mean",
]

_FULL_QUALITY = 65535


def aggregate(
    rule: int, updates: Sequence[NDArray[np.int32]], weights: Sequence[int], trim_share: int = 0
) -> NDArray[np.int32]:
    """Returns the task's `rule` of int32 [count] updates, which are in order of their trainers' seats.

    `trim_share`, in basis points, is for the trimmed mean. Raises ValueError for an unknown rule and as the rules do.
    """
    match AggregationRule(rule):
        case AggregationRule.WEIGHTED_MEAN:
            return weighted_mean(updates, weights)
        case AggregationRule.MEDIAN:
            return median(updates, weights)
        case AggregationRule.TRIMMED_MEAN:
            return trimmed_mean(updates, weights, trim_share)


def update_weight(capped_samples: int, quality: int) -> int:
    """Returns the weight of an accepted update: its samples, scaled by the trainer's quality 0..65535, at least 1."""
    return max(1, capped_samples * quality // _FULL_QUALITY)
