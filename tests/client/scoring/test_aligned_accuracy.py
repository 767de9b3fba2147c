"""Accuracy, for those who go the aggregate's way."""

from __future__ import annotations

import numpy as np
import pytest

from bcfl_client.scoring.aligned_accuracy import aligned_accuracy
from bcfl_client.scoring.inputs import Counted, ScoredRound


def played(start: list[int] | None, updates: list[list[int]], whole: list[int]) -> ScoredRound:
    """Each update gets as many of 100 images right as its last coordinate says."""
    vectors = {seat: np.array(update, dtype=np.int32) for seat, update in enumerate(updates)}
    origin = None if start is None else np.array(start, dtype=np.int32)
    return ScoredRound(
        origin, vectors, lambda seats: np.array(whole, dtype=np.int32), lambda model: Counted(int(model[-1]), 100), 0
    )


def test_accuracy_counts_for_those_who_go_along() -> None:
    """Along, a little along, across, and a good model that steps back."""
    round_ = played([0, 50], [[9, 50], [1, 53], [0, 50], [-1, 60]], [4, 50])
    assert aligned_accuracy(round_, range(4)).scores() == {0: 50 * 65_535 // 100, 1: 53 * 65_535 // 100, 2: 0, 3: 0}
    assert aligned_accuracy(round_, range(4)).per_image == 1


def test_nothing_for_who_lies_on_one_side() -> None:
    """However well it goes along and however good it is."""
    random = np.random.default_rng(3)
    steps = [np.append(random.normal(50, 40, 2000), 60).astype(int).tolist() for _ in range(8)]
    steps[5] = [value + 100 for value in steps[5][:-1]] + [99]
    scores = aligned_accuracy(played([0] * 2001, steps, [50] * 2001), range(8)).scores()
    assert scores == dict.fromkeys(range(8), 60 * 65_535 // 100) | {5: 0}


def test_it_needs_the_start() -> None:
    with pytest.raises(ValueError, match="start"):
        aligned_accuracy(played(None, [[1], [2]], [1]), range(2))
