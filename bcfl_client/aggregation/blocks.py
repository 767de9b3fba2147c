"""Rules applied to many coordinates: blocks that stay in a processor's cache, shared out among threads.

No coordinate depends on another, so the result is the same for any number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

__all__ = ["BlockRule", "by_blocks", "check_updates"]

BlockRule = Callable[[list[NDArray[np.int32]], NDArray[np.int32]], None]
"""Aggregates a block of each update, int32 [size], contiguous and read-only, into the second argument, int32 [size]."""

_MAX_THREADS = 4  # they share a memory that is no faster for more, and their blocks take less than an update


def check_updates(updates: Sequence[NDArray[np.int32]], weights: Sequence[int]) -> None:
    """Raises ValueError for no updates, another number of weights, and what is not int32 [count] for one count."""
    if not updates or len(updates) != len(weights):
        raise ValueError(f"{len(updates)} updates with {len(weights)} weights")
    if any(update.dtype != np.int32 or update.shape != (len(updates[0]),) for update in updates):
        raise ValueError("updates must be int32 vectors of one length")


def by_blocks(updates: Sequence[NDArray[np.int32]], size: int, rule: BlockRule) -> NDArray[np.int32]:
    """Returns `rule` of all coordinates, int32 [count], `size` of them at a time on each thread.

    Threads gain as far as the rule leaves the interpreter's lock.
    """
    count = len(updates[0])
    result = np.empty(count, dtype=np.int32)

    def work(start: int) -> None:
        rows = [np.ascontiguousarray(update[start : start + size]) for update in updates]
        for row in rows:
            row.flags.writeable = False  # no rule changes its inputs, and numba compiles for one kind of array
        rule(rows, result[start : start + size])

    starts = range(0, count, size)
    with ThreadPoolExecutor(min(os.cpu_count() or 1, _MAX_THREADS)) as pool:
        for _ in pool.map(work, starts):
            pass
    return result
