"""Similarity to the aggregate: the cosine between an update's change and the round's, in integers throughout."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bcfl_client.scoring.inputs import Contributions, ScoredRound
from bcfl_client.types import MAX_SCORE

__all__ = ["aggregate_similarity", "along", "inner_product"]


def aggregate_similarity(played: ScoredRound, seats: Sequence[int]) -> Contributions:
    """Returns floor(65535 * cos) for each of `seats`, the same on every machine; negative ones score nothing.

    The aggregate holds the update itself, so a mean follows who shouts loudest: use it with a robust rule. Where
    nothing moved there is no angle, and the value is 0. Raises ValueError without the round's start.
    """
    products = along(played, seats)
    start, whole = _start(played), played.model(seats)
    length = inner_product(whole, whole, start)
    values = {}
    for seat, product in products.items():
        squares = inner_product(played.updates[seat], played.updates[seat], start) * length
        values[seat] = isqrt((MAX_SCORE * product) ** 2 // squares) if product > 0 else 0
    return Contributions(values, full=MAX_SCORE)


def along(played: ScoredRound, seats: Sequence[int]) -> dict[int, int]:
    """Returns the inner product of each update's change with the aggregate's, exactly. Raises ValueError without the
    round's start."""
    start, whole = _start(played), played.model(seats)
    return {seat: inner_product(played.updates[seat], whole, start) for seat in seats}


def _start(played: ScoredRound) -> NDArray[np.int32]:
    if played.start is None:
        raise ValueError("changes are counted from the round's start, which is not there")
    return played.start


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
