"""Rounds whose coalitions have a worth that a test writes down."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from bcfl_client.scoring.inputs import Counted, ScoredRound

IMAGES = 1000


def game(players: int, worth: Callable[[frozenset[int]], int], guessed: int = 0) -> ScoredRound:
    """A round in which the updates of the seats S together get worth(S) of 1,000 images right."""
    updates = {seat: np.eye(1, players, seat, dtype=np.int32)[0] for seat in range(players)}

    def combine(seats: Sequence[int]) -> NDArray[np.int32]:
        assert list(seats) == sorted(set(seats)) and len(seats) > 1
        return np.sum([updates[seat] for seat in seats], axis=0, dtype=np.int32)

    def count(model: NDArray[np.int32]) -> Counted:
        return Counted(worth(frozenset(np.flatnonzero(model).tolist())), IMAGES)

    return ScoredRound(np.zeros(players, dtype=np.int32), updates, combine, count, guessed)
