"""The coordinate-wise median of updates (Yin et al. 2018), in integers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bcfl_client.aggregation.blocks import by_blocks, check_updates
from bcfl_client.aggregation.ranks import block_size, select_ranks

__all__ = ["median"]


def median(updates: Sequence[NDArray[np.int32]], weights: Sequence[int]) -> NDArray[np.int32]:
    """Returns the median for each coordinate of int32 [count] updates, of two middle values the floor of their mean.

    The floor goes towards minus infinity. Weights have no influence, nor has the order of the updates. Raises
    ValueError for no updates, unequal lengths and another number of weights.
    """
    check_updates(updates, weights)
    middle = (len(updates) - 1) // 2, len(updates) // 2

    def rule(rows: list[NDArray[np.int32]], out: NDArray[np.int32]) -> None:
        low, high = select_ranks(np.stack(rows), middle)
        out[:] = (low & high) + ((low ^ high) >> 1)  # floor((low + high) / 2) without a carry

    return by_blocks(updates, block_size(len(updates)), rule)
