"""Updates that are shifted to one side of all others of their round. In integers throughout.

Honest training moves every parameter its own way: about as many of an update's parameters lie above the middle of all
updates as below it. Attacks that subtract deviations from a mean ("a little is enough", Baruch et al. 2019; min-max,
Shejwalkar and Houmansadr 2021) lie below the middle nearly everywhere, however little they move. In rounds of ten with
Dirichlet 0.5 honest ones lean at most 0.43 on Fashion-MNIST and 0.25 on MNIST, two who know only each other's training
0.42 and more there, 0.65 and more here. With data as unlike as Dirichlet 0.1 or two shards each, one honest update in a
hundred of Fashion-MNIST leans farther than the bound, none of MNIST.

Who knows the round's other updates before it fixes its own could make an honest one lean: commitments prevent that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bcfl_client.aggregation import median
from bcfl_client.scoring.medians import lower_median
from bcfl_client.types import MAX_SCORE

__all__ = ["one_sided"]

_LEAST_INPUTS = 7  # with fewer, one whose data differ from all others' leans as far
_LEAST_PARAMETERS = 1024  # with fewer, chance is enough
_LEANING = MAX_SCORE * 15 // 32


def one_sided(updates: Mapping[int, NDArray[np.int32]], seats: Sequence[int]) -> frozenset[int]:
    """Returns who of `seats` leans away from all others, by updates int32 [count] of these seats."""
    if len(seats) < _LEAST_INPUTS or len(updates[seats[0]]) < _LEAST_PARAMETERS:
        return frozenset()
    leans = _leans(updates, seats)
    # Only differences count: when some updates shift the median, all others lean the other way.
    middle = lower_median(list(leans.values()))
    return frozenset(seat for seat in seats if abs(leans[seat] - middle) > _LEANING)


def _leans(updates: Mapping[int, NDArray[np.int32]], seats: Sequence[int]) -> dict[int, int]:
    """How many more parameters lie above the median than below it, from -65,535 to 65,535 for all that differ from it;
    rounded down."""
    middle = median([updates[seat] for seat in seats], [1] * len(seats))
    leans = {}
    for seat in seats:
        above = int(np.count_nonzero(updates[seat] > middle))
        below = int(np.count_nonzero(updates[seat] < middle))
        leans[seat] = (above - below) * MAX_SCORE // max(above + below, 1)
    return leans
