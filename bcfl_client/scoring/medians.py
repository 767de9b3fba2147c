"""The round's scores from the miners' opened ones."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["lower_median", "round_medians"]


def lower_median(values: Sequence[int]) -> int:
    """The middle of `values`, the lower one of two."""
    return sorted(values)[(len(values) - 1) // 2]


def round_medians(
    votes: Sequence[tuple[int | None, Sequence[int]]], inputs: Sequence[int]
) -> tuple[dict[int, int], int]:
    """The score of each input trainer seat, and the lower median of these.

    A vote is the voter's own seat as a trainer, or None, with its scores by trainer seat; a voter has no say on
    itself. A trainer that nobody else scored gets 0.
    """
    medians = {}
    for seat in inputs:
        scores = [vote[seat] for own, vote in votes if own != seat]
        medians[seat] = lower_median(scores) if scores else 0
    return medians, lower_median(list(medians.values()))
