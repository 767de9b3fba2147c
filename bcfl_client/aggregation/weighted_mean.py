"""The weighted mean of updates (federated averaging, McMahan et al. 2017), in integers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bcfl_client.aggregation.blocks import by_blocks, check_updates

__all__ = ["weighted_mean"]

_MAX_TOTAL_WEIGHT = 2**31 - 1
_BLOCK = 2**14  # coordinates at a time: their sums, 128 KiB, stay in a second-level cache


def weighted_mean(updates: Sequence[NDArray[np.int32]], weights: Sequence[int]) -> NDArray[np.int32]:
    """Returns floor(sum(w_i * x_i) / sum(w_i)) for each coordinate of int32 [count] updates, exactly.

    The floor goes towards minus infinity, as Python's `//`. The sums are exact, so the order of the updates does not
    matter. Raises ValueError for no updates, unequal lengths, negative weights and a total outside [1, 2^31).
    """
    check_updates(updates, weights)
    total = sum(weights)
    if min(weights) < 0 or not 1 <= total <= _MAX_TOTAL_WEIGHT:
        raise ValueError(f"weights must not be negative and sum up to 1..2^31-1, not {total}")

    def rule(rows: list[NDArray[np.int32]], out: NDArray[np.int32]) -> None:
        # No overflow: |x| <= 2^31 and the weights sum up to less than 2^31, so every partial sum is below 2^62.
        sums = np.zeros(len(out), dtype=np.int64)
        for row, weight in zip(rows, weights):
            _add(sums, row, weight)
        _floor_divide(sums, total, out)

    return by_blocks(updates, _BLOCK, rule)


@njit(cache=True, nogil=True)
def _add(sums, row, weight):  # type: ignore[no-untyped-def]  # the types are numba's
    for i in range(len(sums)):
        sums[i] += row[i] * weight


@njit(cache=True, nogil=True, error_model="numpy")
def _floor_divide(sums, divisor, out):  # type: ignore[no-untyped-def]  # the types are numba's
    for i in range(len(sums)):
        out[i] = sums[i] // divisor
