"""Aggregation rules, one per file, and the weights that go into them.

`AGGREGATION_RULES` maps a rule's number in the contract to the function that computes it: integers in, integers out,
the same bytes on every machine and in any order of arrival.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from bcfl_client.aggregation.weighted_mean import weighted_mean

__all__ = ["AGGREGATION_RULES", "AggregationRule", "update_weight", "weighted_mean"]

AggregationRule = Callable[[Sequence[NDArray[np.int32]], Sequence[int]], NDArray[np.int32]]

AGGREGATION_RULES: dict[int, AggregationRule] = {0: weighted_mean}

_FULL_QUALITY = 65535


def update_weight(capped_samples: int, quality: int) -> int:
    """Returns the weight of an accepted update: its samples, scaled by the trainer's quality 0..65535, at least 1."""
    return max(1, capped_samples * quality // _FULL_QUALITY)
