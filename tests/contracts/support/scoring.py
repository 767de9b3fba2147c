"""Median scores, by sorting: the contract checks them by counting."""

from __future__ import annotations

from typing import NamedTuple


class Vote(NamedTuple):
    """What one opener of the truth says; `own_seat` is its trainer seat, -1 if it has none."""

    scores: tuple[int, ...]
    own_seat: int = -1


def lower_median(values: list[int]) -> int:
    return sorted(values)[(len(values) - 1) // 2]


def medians(votes: list[Vote], inputs: set[int], trainers: int) -> tuple[tuple[int, ...], int]:
    """Median score per trainer seat, own scores excluded, and the median of these over the inputs."""
    lanes = []
    for seat in range(trainers):
        heard = [vote.scores[seat] for vote in votes if vote.own_seat != seat]
        lanes.append(lower_median(heard) if heard and seat in inputs else 0)
    return tuple(lanes), lower_median([lanes[seat] for seat in sorted(inputs)])


def seats(bitmap: int) -> set[int]:
    """The seats that a bitmap names."""
    return {seat for seat in range(bitmap.bit_length()) if bitmap >> seat & 1}
