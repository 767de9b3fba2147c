"""The weighted mean of updates (federated averaging, McMahan et al. 2017), in integers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bcfl_client.aggregation.blocks import Block, by_blocks, check_updates

__all__ = ["weighted_mean"]

_MAX_TOTAL_WEIGHT = 2**31 - 1
_LANES = 1024  # coordinates side by side: their sums stay in a first-level cache


def weighted_mean(updates: Sequence[NDArray[np.int32]], weights: Sequence[int]) -> NDArray[np.int32]:
    """Returns floor(sum(w_i * x_i) / sum(w_i)) for each coordinate of int32 [count] updates, exactly.

    The floor goes towards minus infinity, as Python's `//`. The sums are exact, so the order of the updates does not
    matter. Raises ValueError for no updates, unequal lengths, negative weights and a total outside [1, 2^31).
    """
    check_updates(updates, weights)
    total = sum(weights)
    if min(weights) < 0 or not 1 <= total <= _MAX_TOTAL_WEIGHT:
        raise ValueError(f"weights must not be negative and sum up to 1..2^31-1, not {total}")
    factors = np.array(weights, dtype=np.int32)

    def rule(block: Block, out: Block) -> None:
        _mean(block, factors, total, out)

    return by_blocks(updates, rule)


@njit(cache=True, nogil=True, error_model="numpy")
def _mean(block, weights, total, out):  # type: ignore[no-untyped-def]  # the types are numba's
    # No overflow: |x| <= 2^31 and the weights sum up to less than 2^31, so every partial sum is below 2^62.
    sums = np.empty(_LANES, np.int64)
    for start in range(0, len(out), _LANES):
        mean = out[start : start + _LANES]
        sums[:] = 0
        for i in range(len(block)):
            row, weight = block[i, start : start + _LANES], weights[i]
            for j in range(len(mean)):
                sums[j] += row[j] * weight
        for j in range(len(mean)):
            mean[j] = sums[j] // total
