"""Updates that stand apart from all others of their round: too long, or shifted to one side. In integers throughout.

Honest training moves every parameter its own way: about as many of an update's parameters lie above the middle of all
updates as below it (measured on MNIST, Fashion-MNIST and digits, iid to Dirichlet 0.1 and two shards: the difference is
at most 0.46 of them). Attacks that subtract deviations from a mean ("a little is enough", Baruch et al. 2019; min-max,
Shejwalkar and Houmansadr 2021) lie below it nearly everywhere, however little they move. A step of several times the
others' length is boosted (Bagdasaryan et al. 2020).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bcfl_client.aggregation import median
from bcfl_client.scoring.inner_product import inner_product
from bcfl_client.scoring.medians import lower_median
from bcfl_client.types import MAX_SCORE

__all__ = ["outliers"]

_LEAST_INPUTS = 3  # of two, neither is apart
_LEAST_PARAMETERS = 1024  # with fewer, chance alone makes an update lean
_BOOSTED = 7, 2  # three and a half times the middle length; honest ones with unequal data reach 3.2
_LEANING = MAX_SCORE // 2


def outliers(
    start: NDArray[np.int32], updates: Mapping[int, NDArray[np.int32]], seats: Sequence[int]
) -> frozenset[int]:
    """Returns who of `seats` stands apart, from updates int32 [count] by seat that continue the model `start`."""
    if len(seats) < _LEAST_INPUTS:
        return frozenset()
    squares = {seat: inner_product(updates[seat], updates[seat], start) for seat in seats}
    above, below = _BOOSTED
    longest = above**2 * lower_median(list(squares.values()))
    leans = _leans(updates, seats) if len(start) >= _LEAST_PARAMETERS else dict.fromkeys(seats, 0)
    middle = lower_median(list(leans.values()))
    return frozenset(
        seat for seat in seats if below**2 * squares[seat] > longest or abs(leans[seat] - middle) > _LEANING
    )


def _leans(updates: Mapping[int, NDArray[np.int32]], seats: Sequence[int]) -> dict[int, int]:
    """How many more parameters lie above the median than below it, from -65,535 to 65,535 for all that differ from it.

    Only differences count: when some updates shift the median, all others lean the other way.
    """
    middle = median([updates[seat] for seat in seats], [1] * len(seats))
    leans = {}
    for seat in seats:
        above = int(np.count_nonzero(updates[seat] > middle))
        below = int(np.count_nonzero(updates[seat] < middle))
        leans[seat] = (above - below) * MAX_SCORE // max(above + below, 1)
    return leans
