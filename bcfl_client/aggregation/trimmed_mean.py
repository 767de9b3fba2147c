"""The coordinate-wise trimmed mean of updates (Yin et al. 2018), weighted, in integers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bcfl_client.aggregation.blocks import by_blocks, check_updates
from bcfl_client.aggregation.coordinate import AggregationRule, counted
from bcfl_client.aggregation.ranks import KEY_SHIFT, block_size, select_keys
from bcfl_client.aggregation.weighted_mean import weighted_mean

__all__ = ["trimmed_mean"]

_MAX_TOTAL_WEIGHT = 2**31 - 1
_LANES = 512  # coordinates side by side: their sums stay in a first-level cache


def trimmed_mean(
    updates: Sequence[NDArray[np.int32]], weights: Sequence[int], trim_share: int = 0
) -> NDArray[np.int32]:
    """Returns the weighted mean for each coordinate of int32 [count] updates without the extreme ones, floored.

    Per coordinate the updates are sorted by (value, position) and floor(n * trim_share / 10,000) dropped at each end.
    Equal values with unequal weights make the order of the updates matter: it must be that of the trainers' seats.
    Raises ValueError for no updates, unequal lengths, weights below 1, a total from 2^31 and a share outside 0..4999.
    """
    check_updates(updates, weights)
    total = sum(weights)
    if min(weights) < 1 or total > _MAX_TOTAL_WEIGHT:
        raise ValueError(f"weights must be positive and sum up to at most 2^31-1, not {total}")
    kept = counted(AggregationRule.TRIMMED_MEAN, len(updates), trim_share)
    if len(kept) == len(updates):
        return weighted_mean(updates, weights)
    factors = np.array(weights, dtype=np.int32)

    def rule(rows: list[NDArray[np.int32]], out: NDArray[np.int32]) -> None:
        block = np.stack(rows)
        _mean_between(block, select_keys(block, (kept[0], kept[-1])), factors, out)

    return by_blocks(updates, block_size(len(updates)), rule)


@njit(cache=True, nogil=True, error_model="numpy")
def _mean_between(block, ends, weights, out):  # type: ignore[no-untyped-def]  # the types are numba's
    """The weighted mean of what has a key from ends[0] to ends[1]."""
    # No overflow: |x| <= 2^31 and the weights sum up to less than 2^31, so every partial sum is below 2^62.
    sums, totals = np.empty(_LANES, np.int64), np.empty(_LANES, np.int64)
    for start in range(0, len(out), _LANES):
        mean = out[start : start + _LANES]
        first, last = ends[0, start : start + _LANES], ends[1, start : start + _LANES]
        sums[:] = 0
        totals[:] = 0
        for i in range(len(block)):
            row, weight = block[i, start : start + _LANES], weights[i]
            for j in range(len(mean)):
                key = (np.int64(row[j]) << KEY_SHIFT) + i
                share = weight if (first[j] <= key) & (key <= last[j]) else 0
                sums[j] += row[j] * share
                totals[j] += share
        for j in range(len(mean)):
            mean[j] = sums[j] // totals[j]
