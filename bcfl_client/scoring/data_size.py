"""Data size alone: every accepted update has the full score, so that pay and weight follow the samples."""

from __future__ import annotations

from collections.abc import Sequence

from bcfl_client.scoring.inputs import Contributions, ScoredRound

__all__ = ["data_size"]


def data_size(played: ScoredRound, seats: Sequence[int]) -> Contributions:
    """Returns the same for all `seats`; the contract multiplies scores by samples."""
    return Contributions(dict.fromkeys(seats, 1), full=1)
