"""Inner products of changes, exact in integers: what follows from them is the same on every machine."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["inner_product"]


def inner_product(first: NDArray[np.int32], second: NDArray[np.int32], start: NDArray[np.int32]) -> int:
    """Returns the exact inner product of two int32 [count] vectors' changes from `start`, for up to 2^28 of them."""
    high, middle, low = _limbs(first, second, start)
    return (int(high) << 32) + (int(middle) << 16) + int(low)


@njit(cache=True, nogil=True)
def _limbs(first, second, start):  # type: ignore[no-untyped-def]  # the types are numba's
    # A change has 33 bits, a product of two would overflow: upper 17 bits (signed) and lower 16 apart, every sum of
    # 2^28 of their products fits int64.
    high, middle, low = np.int64(0), np.int64(0), np.int64(0)
    for i in range(len(start)):
        a, b = np.int64(first[i]) - start[i], np.int64(second[i]) - start[i]
        upper_a, lower_a, upper_b, lower_b = a >> 16, a & 0xFFFF, b >> 16, b & 0xFFFF
        high += upper_a * upper_b
        middle += upper_a * lower_b + lower_a * upper_b
        low += lower_a * lower_b
    return high, middle, low
