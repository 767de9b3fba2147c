"""Accuracy of those who pull along: validation accuracy, and nothing for an update that goes against the aggregate or
stands apart from all others.

Accuracy alone cannot tell a small step backwards (Xie et al. 2020) from honest work: the model is nearly the global
one, and as good. Direction alone cannot tell mirrored labels or a backdoor. As a trust score by direction: FLTrust (Cao
et al. 2021), here with the robust aggregate in place of a server's own step.
"""

from __future__ import annotations

from collections.abc import Sequence

from bcfl_client.scoring.aggregate_similarity import along
from bcfl_client.scoring.inputs import Contributions, ScoredRound
from bcfl_client.scoring.outliers import outliers
from bcfl_client.scoring.validation_accuracy import validation_accuracy

__all__ = ["aligned_accuracy"]


def aligned_accuracy(played: ScoredRound, seats: Sequence[int]) -> Contributions:
    """Returns how many images each of `seats` gets right on its own, 0 where its change and the aggregate's have no
    positive inner product, and for `outliers`. For robust aggregates, as `aggregate_similarity`; raises ValueError as
    that does."""
    products = along(played, seats)
    brought = validation_accuracy(played, seats)
    apart = outliers(played.start, played.updates, seats)
    values = {seat: value if products[seat] > 0 and seat not in apart else 0 for seat, value in brought.values.items()}
    return Contributions(values, brought.full, brought.per_image)
