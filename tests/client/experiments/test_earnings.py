"""Pay in a simulation is the contract's, by hand and in sum."""

from __future__ import annotations

import numpy as np

from bcfl_client.experiments.earnings import ROUND_BUDGET, Earnings
from bcfl_client.experiments.federation import PlayedRound
from bcfl_client.types import Verdict

MODEL = np.zeros(1, dtype=np.int32)


def played(scores: dict[int, int], paid: set[int], uploads: int) -> PlayedRound:
    verdicts = {seat: Verdict.OK if seat in scores else Verdict.COPY for seat in range(uploads)}
    return PlayedRound(
        0, dict.fromkeys(range(uploads), MODEL), verdicts, dict.fromkeys(scores, 1), scores, frozenset(paid), MODEL
    )


def test_a_round_by_hand() -> None:
    """Half of the budget is prices; of the rest 100 x 400 : 100 x 200 : 200 x 200 : 100 x 200 parts. A copy and a low
    score count with the median, 200, and get nothing."""
    earnings = Earnings([100, 100, 200, 100])
    earnings.add(played({0: 400, 1: 200, 2: 50}, {0, 1}, 4))
    surplus, floor = ROUND_BUDGET // 2, ROUND_BUDGET // 2 // 500
    assert earnings.paid == [100 * floor + surplus * 4 // 12, 100 * floor + surplus * 2 // 12, 0, 0]
    assert earnings.denied_rounds == [0, 0, 1, 1]
    assert earnings.per_sample([0, 2]) == earnings.paid[0] / 300


def test_all_of_the_budget_is_paid_where_all_are() -> None:
    """Up to a wei each; who has dropped out leaves its price to the others' surplus."""
    earnings = Earnings([7, 11, 13])
    earnings.add(played({0: 5, 1: 6, 2: 7}, {0, 1, 2}, 3))
    assert ROUND_BUDGET - 3 <= sum(earnings.paid) <= ROUND_BUDGET
    earnings.add(played({0: 5, 1: 6}, {0, 1}, 2))
    assert 2 * ROUND_BUDGET - 5 <= sum(earnings.paid) <= 2 * ROUND_BUDGET
