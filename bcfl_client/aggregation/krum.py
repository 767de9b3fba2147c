"""Krum and multi-Krum (Blanchard et al. 2017): the updates that lie closest together. For comparison: no contract
can prove a choice by distances over all coordinates, so no task can name these rules.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bcfl_client.aggregation.blocks import check_updates
from bcfl_client.aggregation.weighted_mean import weighted_mean

__all__ = ["krum", "krum_scores", "multi_krum"]

_BLOCK = 2**16  # coordinates at a time


def krum(updates: Sequence[NDArray[np.int32]], weights: Sequence[int], byzantine: int) -> NDArray[np.int32]:
    """Returns the int32 [count] update with the lowest score, of equal ones the first. See `multi_krum`."""
    return multi_krum(updates, weights, byzantine, 1)


def multi_krum(
    updates: Sequence[NDArray[np.int32]], weights: Sequence[int], byzantine: int, kept: int
) -> NDArray[np.int32]:
    """Returns the weighted mean, floored, of the `kept` int32 [count] updates with the lowest scores.

    `byzantine` is how many updates at most are not honest. Raises ValueError for fewer than 2 * byzantine + 3 updates,
    for `kept` outside 1..n - byzantine, and as `weighted_mean` does.
    """
    check_updates(updates, weights)
    if not 1 <= kept <= len(updates) - byzantine:
        raise ValueError(f"cannot keep {kept} of {len(updates)} updates of which {byzantine} may be byzantine")
    best = np.sort(np.argsort(krum_scores(updates, byzantine), kind="stable")[:kept])
    return weighted_mean([updates[i] for i in best], [weights[i] for i in best])


def krum_scores(updates: Sequence[NDArray[np.int32]], byzantine: int) -> NDArray[np.float64]:
    """Returns for each update the sum of its squared distances to the n - byzantine - 2 nearest others.

    Raises ValueError for a negative number and for fewer than 2 * byzantine + 3 updates.
    """
    n = len(updates)
    if byzantine < 0 or n < 2 * byzantine + 3:
        raise ValueError(f"{n} updates are too few for {byzantine} byzantine ones: 2 * byzantine + 3 are needed")
    distances = np.zeros((n, n))
    for start in range(0, len(updates[0]), _BLOCK):
        # A pair's sum has one order wherever the two stand, so the order of the updates does not matter.
        block = np.stack([update[start : start + _BLOCK] for update in updates]).astype(np.float64)
        for i in range(n):
            distances[i, i + 1 :] += np.square(block[i + 1 :] - block[i]).sum(axis=1)
    distances += distances.T
    nearest = np.sort(distances, axis=1)[:, 1 : n - byzantine - 1]  # without the distance to itself
    return np.asarray(nearest.sum(axis=1), dtype=np.float64)
