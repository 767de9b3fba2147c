"""The weighted mean of updates (federated averaging, McMahan et al. 2017), in integers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["weighted_mean"]

_MAX_TOTAL_WEIGHT = 2**31 - 1
_BLOCK = 8192  # coordinates at a time: both 64 KiB buffers stay in the processor's second-level cache


def weighted_mean(updates: Sequence[NDArray[np.int32]], weights: Sequence[int]) -> NDArray[np.int32]:
    """Returns floor(sum(w_i * x_i) / sum(w_i)) for each coordinate of int32 [count] updates, exactly.

    The floor goes towards minus infinity, as Python's `//`. The sums are exact, so the order of the updates does not
    matter. Raises ValueError for no updates, unequal lengths, negative weights and a total outside [1, 2^31).
    """
    total = sum(weights)
    if not updates or len(updates) != len(weights):
        raise ValueError(f"{len(updates)} updates with {len(weights)} weights")
    if min(weights) < 0 or not 1 <= total <= _MAX_TOTAL_WEIGHT:
        raise ValueError(f"weights must not be negative and sum up to 1..2^31-1, not {total}")
    count = len(updates[0])
    if any(update.dtype != np.int32 or update.shape != (count,) for update in updates):
        raise ValueError("updates must be int32 vectors of one length")

    mean = np.empty(count, dtype=np.int32)
    sums, products = np.empty(_BLOCK, dtype=np.int64), np.empty(_BLOCK, dtype=np.int64)
    for start in range(0, count, _BLOCK):
        size = min(_BLOCK, count - start)
        block, product = sums[:size], products[:size]
        block[:] = 0
        # No overflow: |x| <= 2^31 and the weights sum up to less than 2^31, so every partial sum is below 2^62.
        for update, weight in zip(updates, weights):
            np.multiply(update[start : start + size], weight, out=product, dtype=np.int64)
            block += product
        mean[start : start + size] = np.floor_divide(block, total, out=block)
    return mean
