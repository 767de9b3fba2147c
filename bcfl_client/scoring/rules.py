"""The scoring rules that a task can name. Pay is samples times score, and quality follows scores."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from bcfl_client.scoring.aggregate_similarity import aggregate_similarity
from bcfl_client.scoring.aligned_accuracy import aligned_accuracy
from bcfl_client.scoring.data_size import data_size
from bcfl_client.scoring.inputs import Contributions, ScoredRound
from bcfl_client.scoring.leave_one_out import leave_one_out
from bcfl_client.scoring.shapley import shapley
from bcfl_client.scoring.validation_accuracy import validation_accuracy

__all__ = ["ScoringRule", "score_round"]


class ScoringRule(IntEnum):
    """A task's rule, by its number in the contract."""

    VALIDATION_ACCURACY = 0
    DATA_SIZE = 1
    LEAVE_ONE_OUT = 2
    SIMILARITY = 3
    SHAPLEY = 4
    ALIGNED_ACCURACY = 5

    @property
    def compares_changes(self) -> bool:
        """Whether it needs the model that the round started from."""
        return self in (ScoringRule.SIMILARITY, ScoringRule.ALIGNED_ACCURACY)

    @property
    def counts_each(self) -> bool:
        """Whether it asks how good each update is on its own."""
        return self in (ScoringRule.VALIDATION_ACCURACY, ScoringRule.ALIGNED_ACCURACY)


def score_round(rule: int, played: ScoredRound, seats: Sequence[int]) -> Contributions:
    """Returns what each of `seats` (a round's inputs, ascending) brought, by the task's `rule`.

    Raises ValueError for an unknown rule and for no inputs.
    """
    if not seats:
        raise ValueError("there is nothing to score")
    match ScoringRule(rule):
        case ScoringRule.VALIDATION_ACCURACY:
            return validation_accuracy(played, seats)
        case ScoringRule.DATA_SIZE:
            return data_size(played, seats)
        case ScoringRule.LEAVE_ONE_OUT:
            return leave_one_out(played, seats)
        case ScoringRule.SIMILARITY:
            return aggregate_similarity(played, seats)
        case ScoringRule.SHAPLEY:
            return shapley(played, seats)
        case ScoringRule.ALIGNED_ACCURACY:
            return aligned_accuracy(played, seats)
