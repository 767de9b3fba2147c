"""What an adversary of a simulated federation sees, and so what its update can be made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bcfl_client.scoring.similarity import EarlierRound

__all__ = ["Attack", "Situation"]


@dataclass(frozen=True)
class Situation:
    """One adversary's knowledge when its update of a round is due. All vectors are int32 [count].

    `honest` is what its own training gave, `start` itself where it does not train. `allies` are the honest results of
    all adversaries that train, by seat: they may conspire. `others` are the uploads of the honest clients in this
    round, by seat: empty where commitments come before the bytes. `earlier` are past rounds, the latest last.
    `clipping_norm` is the task's, 0 = no bound.
    """

    seat: int
    round_id: int
    start: NDArray[np.int32]
    honest: NDArray[np.int32]
    allies: Mapping[int, NDArray[np.int32]]
    others: Mapping[int, NDArray[np.int32]]
    earlier: Sequence[EarlierRound]
    clipping_norm: float
    random: np.random.Generator


Attack = Callable[[Situation], NDArray[np.int32]]
"""Returns the update that the adversary uploads."""
