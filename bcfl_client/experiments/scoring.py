"""A task's scoring rule as a simulated federation uses it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bcfl_client.aggregation import aggregate
from bcfl_client.experiments.federation import Score
from bcfl_client.scoring.inputs import Counted, ScoredRound
from bcfl_client.scoring.rules import score_round

__all__ = ["scored_round", "task_score"]

_Parameters = NDArray[np.int32]


def scored_round(
    start: _Parameters,
    updates: Mapping[int, _Parameters],
    weights: Mapping[int, int],
    rule: int,
    trim_share: int,
    count: Callable[[_Parameters], Counted],
    guessed: int,
) -> ScoredRound:
    """The accepted `updates` of a round with their weights, by seat, under an aggregation rule."""

    def combine(seats: Sequence[int]) -> _Parameters:
        return aggregate(rule, [updates[seat] for seat in seats], [weights[seat] for seat in seats], trim_share)

    return ScoredRound(start, updates, combine, count, guessed)


def task_score(
    scoring: int, rule: int, trim_share: int, count: Callable[[_Parameters], Counted], guessed: int
) -> Score:
    """Scores by the task's `scoring` rule, as its miners find them; `count` counts on the validation set."""

    def score(
        start: _Parameters, updates: Mapping[int, _Parameters], weights: Mapping[int, int], model: _Parameters
    ) -> dict[int, int]:
        played = scored_round(start, updates, weights, rule, trim_share, count, guessed)
        return score_round(scoring, played, sorted(updates)).scores()

    return score
