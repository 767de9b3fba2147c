"""Norm clipping (Sun et al. 2019): a trainer scales its step down to the task's bound before it sends it; miners refuse
longer ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["clip_norm", "step_norm"]


def step_norm(start: NDArray[np.int32], update: NDArray[np.int32], fractional_bits: int) -> float:
    """Returns the Euclidean norm of the step from `start` to `update`, in the parameters' own unit."""
    return float(np.linalg.norm(update.astype(np.float64) - start) / 2.0**fractional_bits)


def clip_norm(
    start: NDArray[np.int32], update: NDArray[np.int32], bound: float, fractional_bits: int
) -> NDArray[np.int32]:
    """Returns `start` plus the step to `update`, scaled so that its Euclidean norm is at most `bound`; int32 [count].

    `bound` is in the parameters' own unit, of which 2^fractional_bits is one. Raises ValueError for a bound that is
    not positive and for updates of another length.
    """
    if not bound > 0:
        raise ValueError(f"the bound must be above 0, not {bound}")
    if start.shape != update.shape:
        raise ValueError(f"an update {update.shape} does not continue a model {start.shape}")
    step = update.astype(np.float64) - start
    # A little below the bound and then towards zero, so that rounding never brings it above.
    norm, most = float(np.sqrt(np.square(step).sum())), bound * 2.0**fractional_bits * (1 - 2.0**-40)
    if norm <= most:
        return update.copy()
    return (start + np.trunc(step * (most / norm)).astype(np.int64)).astype(np.int32)
