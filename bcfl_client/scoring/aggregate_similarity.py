"""Similarity to the aggregate: the cosine between an update's change and the round's, in integers throughout."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt

from bcfl_client.scoring.inner_product import inner_product
from bcfl_client.scoring.inputs import Contributions, ScoredRound
from bcfl_client.types import MAX_SCORE

__all__ = ["aggregate_similarity", "along"]


def aggregate_similarity(played: ScoredRound, seats: Sequence[int]) -> Contributions:
    """Returns floor(65535 * cos) for each of `seats`, the same on every machine; negative ones score nothing.

    The aggregate holds the update itself, so a mean follows who shouts loudest: use it with a robust rule. Where
    nothing moved there is no angle, and the value is 0. Raises ValueError without the round's start.
    """
    products = along(played, seats)
    start, whole = played.start, played.model(seats)
    length = inner_product(whole, whole, start)
    values = {}
    for seat, product in products.items():
        squares = inner_product(played.updates[seat], played.updates[seat], start) * length
        values[seat] = isqrt((MAX_SCORE * product) ** 2 // squares) if product > 0 else 0
    return Contributions(values, full=MAX_SCORE)


def along(played: ScoredRound, seats: Sequence[int]) -> dict[int, int]:
    """Returns the inner product of each update's change with the aggregate's, exactly. Raises ValueError without the
    round's start."""
    start, whole = played.start, played.model(seats)
    return {seat: inner_product(played.updates[seat], whole, start) for seat in seats}
