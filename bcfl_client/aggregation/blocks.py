"""Rules applied to many coordinates: blocks that stay in a processor's cache, shared out among threads.

No coordinate depends on another, so the result is the same for any number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

__all__ = ["Block", "BlockRule", "by_blocks", "check_updates"]

Block = NDArray[np.int32]
BlockRule = Callable[[Block, Block], None]
"""Aggregates int32 [updates, coordinates] into int32 [coordinates]. Leaves the interpreter's lock where it can."""

_BLOCK_VALUES = 2**18  # 1 MiB: most of a second-level cache
_MIN_COORDINATES, _MAX_COORDINATES = 256, 8192


def check_updates(updates: Sequence[NDArray[np.int32]], weights: Sequence[int]) -> None:
    """Raises ValueError for no updates, another number of weights, and what is not int32 [count] for one count."""
    if not updates or len(updates) != len(weights):
        raise ValueError(f"{len(updates)} updates with {len(weights)} weights")
    if any(update.dtype != np.int32 or update.shape != (len(updates[0]),) for update in updates):
        raise ValueError("updates must be int32 vectors of one length")


def by_blocks(updates: Sequence[NDArray[np.int32]], rule: BlockRule) -> NDArray[np.int32]:
    """Returns `rule` of all coordinates, int32 [count]. Takes one block of memory per thread besides the result."""
    count = len(updates[0])
    size = min(max(_BLOCK_VALUES // len(updates), _MIN_COORDINATES), _MAX_COORDINATES)
    result = np.empty(count, dtype=np.int32)

    def work(part: range) -> None:
        buffer = np.empty(len(updates) * size, dtype=np.int32)
        for start in part:
            out = result[start : start + size]
            block = buffer[: len(updates) * len(out)]
            np.concatenate([update[start : start + size] for update in updates], out=block)
            rule(block.reshape(len(updates), len(out)), out)

    starts = range(0, count, size)
    threads = min(os.cpu_count() or 1, len(starts))
    if threads <= 1:
        work(starts)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, (starts[i::threads] for i in range(threads))))
    return result
