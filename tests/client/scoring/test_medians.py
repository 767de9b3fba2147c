"""The round's scores: lower medians, without a word on oneself."""

from __future__ import annotations

import random

from bcfl_client.scoring.medians import lower_median, round_medians


def test_lower_median_by_hand() -> None:
    assert [lower_median(values) for values in ([5], [2, 9], [3, 1, 2], [4, 1, 3, 2])] == [5, 2, 2, 2]


def test_own_score_is_left_out() -> None:
    """D14: a miner that is also trainer 1 cannot raise its own score."""
    honest, own = [10, 20], [10, 65_535]
    medians, middle = round_medians([(None, honest), (None, honest), (1, own)], [0, 1])
    assert medians == {0: 10, 1: 20} and middle == 10


def test_nobody_else_scored_it() -> None:
    assert round_medians([(0, [50, 60])], [0, 1]) == ({0: 0, 1: 60}, 0)


def test_medians_pass_the_contracts_count() -> None:
    """What is computed by sorting is what `Scores.isLowerMedian` accepts by counting."""
    rng = random.Random(1)
    for _ in range(500):
        values = [rng.randrange(5) for _ in range(rng.randrange(1, 17))]
        median = lower_median(values)
        rank = (len(values) - 1) // 2
        assert sum(v < median for v in values) <= rank < sum(v <= median for v in values)
