"""Chosen ranks of many short columns at once, by a sorting network compiled by numba.

A network's comparisons do not depend on the data, so each is done for a whole row of a tile in vector instructions.
Source: Batcher's merge exchange, Knuth, The Art of Computer Programming, volume 3, algorithm 5.2.2M.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["KEY_SHIFT", "block_size", "select_keys", "select_ranks"]

KEY_SHIFT = 32
_LANES = 64  # columns of a tile: 128 rows of int32 stay in a first-level cache

_BLOCK_VALUES, _MAX_BLOCK = 2**18, 2**15

_Rows = NDArray[np.int32]


def block_size(count: int) -> int:
    """Returns how many columns of `count` values to take at a time: at most 1 MiB of them, for the cache's sake."""
    return min(max(_BLOCK_VALUES // count, _LANES), _MAX_BLOCK)


def select_ranks(rows: _Rows, ranks: tuple[int, ...]) -> NDArray[np.int32]:
    """Returns the values of these ranks, 0 the smallest, of each column: [n, m] to [ranks, m]."""
    selected = np.empty((len(ranks), rows.shape[1]), dtype=np.int32)
    _select(rows, 1, np.zeros(len(rows), dtype=np.int64), *_network(len(rows), ranks), selected)
    return selected


def select_keys(rows: _Rows, ranks: tuple[int, ...]) -> NDArray[np.int64]:
    """As `select_ranks`, of the keys value * 2^KEY_SHIFT + row: of equal values the upper row's is the smaller."""
    selected = np.empty((len(ranks), rows.shape[1]), dtype=np.int64)
    _select(rows, 1 << KEY_SHIFT, np.arange(len(rows), dtype=np.int64), *_network(len(rows), ranks), selected)
    return selected


@lru_cache(maxsize=256)
def _network(count: int, ranks: tuple[int, ...]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Returns the comparisons [m, 2] that bring these ranks of `count` values to their places, and the ranks."""
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
    return np.array(needed[::-1], dtype=np.uint64).reshape(-1, 2), np.array(ranks, dtype=np.uint64)


@njit(cache=True, nogil=True)
def _select(rows, factor, tags, network, ranks, selected):  # type: ignore[no-untyped-def]  # the types are numba's
    """Writes the ranks of value * factor + tag, in the type of `selected`."""
    tile = np.zeros((len(rows), _LANES), selected.dtype)
    for start in range(0, rows.shape[1], _LANES):
        for i in range(len(rows)):
            source, tag = rows[i, start : start + _LANES], tags[i]
            for j in range(len(source)):
                tile[i, j] = source[j] * factor + tag
        for k in range(len(network)):
            low, high = network[k, 0], network[k, 1]  # unsigned: numba need not ask whether they count from the end
            for j in range(_LANES):
                a, b = tile[low, j], tile[high, j]
                tile[low, j], tile[high, j] = min(a, b), max(a, b)
        for k in range(len(ranks)):
            target = selected[k, start : start + _LANES]
            for j in range(len(target)):
                target[j] = tile[ranks[k], j]
