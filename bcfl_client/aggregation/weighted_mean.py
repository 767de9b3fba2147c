"""The weighted mean of updates (federated averaging, McMahan et al. 2017), in integers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bcfl_client.aggregation.blocks import by_blocks, check_updates

__all__ = ["streamed_mean", "weighted_mean"]

_MAX_TOTAL_WEIGHT = 2**31 - 1
_BLOCK = 2**16  # coordinates at a time: their sums, 512 KiB, stay in a second-level cache
_ROWS = 8  # added at once: sums are loaded and stored an eighth as often


def weighted_mean(updates: Sequence[NDArray[np.int32]], weights: Sequence[int]) -> NDArray[np.int32]:
    """Returns floor(sum(w_i * x_i) / sum(w_i)) for each coordinate of int32 [count] updates, exactly.

    The floor goes towards minus infinity, as Python's `//`. The sums are exact, so the order of the updates does not
    matter. Raises ValueError for no updates, unequal lengths, negative weights and a total outside [1, 2^31).
    """
    check_updates(updates, weights)
    total = _total(weights)

    def rule(rows: list[NDArray[np.int32]], out: NDArray[np.int32]) -> None:
        sums = np.zeros(len(out), dtype=np.int64)
        for first in range(0, len(rows), _ROWS):
            _add(sums, rows[first : first + _ROWS], weights[first : first + _ROWS])
        _floor_divide(sums, total, out)

    return by_blocks(updates, _BLOCK, rule)


def streamed_mean(updates: Iterable[NDArray[np.int32]], weights: Sequence[int]) -> NDArray[np.int32]:
    """Returns what `weighted_mean` does, of updates that need not be in memory together: none is kept.

    Takes four updates' memory in all, whatever their number. Raises ValueError as `weighted_mean` does.
    """
    total = _total(weights)
    sums, count = np.zeros(0, dtype=np.int64), 0
    for count, update in enumerate(updates, 1):
        if count == 1:
            sums = np.zeros(len(update), dtype=np.int64)
        check_updates([update], weights[count - 1 : count])
        if len(update) != len(sums):
            raise ValueError(f"an update of {len(update)} parameters follows one of {len(sums)}")
        _add(sums, [update], weights[count - 1 : count])
    if count != len(weights):
        raise ValueError(f"{count} updates with {len(weights)} weights")
    mean = np.empty(len(sums), dtype=np.int32)
    _floor_divide(sums, total, mean)
    return mean


def _total(weights: Sequence[int]) -> int:
    total = sum(weights)
    if min(weights, default=0) < 0 or not 1 <= total <= _MAX_TOTAL_WEIGHT:
        raise ValueError(f"weights must not be negative and sum up to 1..2^31-1, not {total}")
    return total


def _add(sums: NDArray[np.int64], rows: list[NDArray[np.int32]], weights: Sequence[int]) -> None:
    """Adds up to `_ROWS` rows, times their weights."""
    missing = _ROWS - len(rows)
    factors = np.array([*weights, *[0] * missing], dtype=np.int32)
    _add_rows(sums, factors, *[*rows, *rows[:1] * missing])


# Narrow factors: a product of two 32-bit numbers takes one instruction, of 64-bit ones several.
# No overflow: |x| <= 2^31 and the weights sum up to less than 2^31, so every partial sum is below 2^62.
@njit(cache=True, nogil=True)
def _add_rows(sums, factors, a, b, c, d, e, f, g, h):  # type: ignore[no-untyped-def]  # the types are numba's
    fa, fb, fc, fd = factors[0], factors[1], factors[2], factors[3]
    fe, ff, fg, fh = factors[4], factors[5], factors[6], factors[7]
    for i in range(len(sums)):
        first = (a[i] * fa + b[i] * fb) + (c[i] * fc + d[i] * fd)
        sums[i] += first + ((e[i] * fe + f[i] * ff) + (g[i] * fg + h[i] * fh))


@njit(cache=True, nogil=True, error_model="numpy")
def _floor_divide(sums, divisor, out):  # type: ignore[no-untyped-def]  # the types are numba's
    for i in range(len(sums)):
        out[i] = sums[i] // divisor
