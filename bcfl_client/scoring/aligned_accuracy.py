"""Accuracy of those who pull along: validation accuracy, and nothing for an update that goes against the aggregate or
lies on one side of all others.

Accuracy alone cannot tell a small step backwards (Xie et al. 2020) from honest work: the model is nearly the global
one, and as good. Direction alone cannot tell mirrored labels or a backdoor. As a trust score by direction: FLTrust (Cao
et al. 2021), here with the robust aggregate in place of a server's own step.
"""

from __future__ import annotations

from collections.abc import Sequence

from bcfl_client.scoring.aggregate_similarity import along
from bcfl_client.scoring.inputs import Contributions, ScoredRound
from bcfl_client.scoring.one_sided import one_sided
from bcfl_client.scoring.validation_accuracy import validation_accuracy

__all__ = ["aligned_accuracy"]


def aligned_accuracy(played: ScoredRound, seats: Sequence[int]) -> Contributions:
    """Returns how many images each of `seats` gets right on its own, 0 where its change and the aggregate's have no
    positive inner product, and to those who are `one_sided`. For robust aggregates, as `aggregate_similarity`; raises
    ValueError as that does."""
    products = along(played, seats)
    brought = validation_accuracy(played, seats)
    denied = one_sided(played.updates, seats) | {seat for seat in seats if products[seat] <= 0}
    values = {seat: 0 if seat in denied else value for seat, value in brought.values.items()}
    return Contributions(values, brought.full, brought.per_image)
