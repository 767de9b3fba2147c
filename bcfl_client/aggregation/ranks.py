"""Chosen ranks of many short columns at once, by a sorting network compiled by numba.

A network's comparisons do not depend on the data, so each is done for a whole row of a tile in vector instructions.
Source: Batcher's merge exchange, Knuth, The Art of Computer Programming, volume 3, algorithm 5.2.2M.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["select_ranks"]

_LANES = 64  # columns of a tile: 128 rows of int32 stay in a first-level cache


def select_ranks(rows: NDArray[np.signedinteger], ranks: tuple[int, ...]) -> NDArray[np.signedinteger]:
    """Returns the values of these ranks, 0 the smallest, of each column: int32 or int64 [n, m] to [ranks, m]."""
    selected = np.empty((len(ranks), rows.shape[1]), dtype=rows.dtype)
    _select(rows, _network(len(rows), ranks), np.array(ranks, dtype=np.uint64), selected)
    return selected


@lru_cache(maxsize=256)
def _network(count: int, ranks: tuple[int, ...]) -> NDArray[np.uint64]:
    """Returns the comparisons [m, 2] that move these ranks of `count` values to their places, smaller one first."""
    pairs = []
    p = top = 1 << (count - 1).bit_length() >> 1
    while p > 0:
        q, r, d = top, 0, p
        while d > 0:
            pairs += [(i, i + d) for i in range(count - d) if i & p == r]
            d, q, r = q - p, q >> 1, p
        p >>= 1
    needed, places = [], set(ranks)
    for pair in reversed(pairs):
        if not places.isdisjoint(pair):
            places.update(pair)
            needed.append(pair)
    return np.array(needed[::-1], dtype=np.uint64).reshape(-1, 2)


@njit(cache=True, nogil=True)
def _select(rows, pairs, ranks, selected):  # type: ignore[no-untyped-def]  # the types are numba's
    tile = np.zeros((len(rows), _LANES), rows.dtype)
    for start in range(0, rows.shape[1], _LANES):
        for i in range(len(rows)):
            source = rows[i, start : start + _LANES]
            for j in range(len(source)):
                tile[i, j] = source[j]
        for k in range(len(pairs)):
            low, high = pairs[k, 0], pairs[k, 1]  # unsigned: numba need not ask whether they count from the end
            for j in range(_LANES):
                a, b = tile[low, j], tile[high, j]
                tile[low, j], tile[high, j] = min(a, b), max(a, b)
        for k in range(len(ranks)):
            target = selected[k, start : start + _LANES]
            for j in range(len(target)):
                target[j] = tile[ranks[k], j]
