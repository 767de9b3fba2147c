"""Cosines in integers: exact whatever the numbers."""

from __future__ import annotations

from math import floor

import numpy as np
import pytest

from bcfl_client.scoring.aggregate_similarity import aggregate_similarity
from bcfl_client.scoring.inputs import ScoredRound


def scores(start: list[int], updates: list[list[int]], whole: list[int]) -> list[int]:
    vectors = {seat: np.array(update, dtype=np.int32) for seat, update in enumerate(updates)}
    played = ScoredRound(
        np.array(start, dtype=np.int32), vectors, lambda seats: np.array(whole, dtype=np.int32), lambda model: 1 // 0, 0
    )
    return list(aggregate_similarity(played, sorted(vectors)).scores().values())


def test_cosines_by_hand() -> None:
    """Along, across, against, at 45 degrees, of any length; changes count, not positions; standing still is no
    direction."""
    updates = [[12, 5], [10, 9], [3, 5], [17, 12], [10, 5]]
    assert scores([10, 5], updates, [14, 5]) == [65_535, 0, 0, floor(65_535 / 2**0.5), 0]
    assert scores([10, 5], updates, [10, 5]) == [0] * 5


def test_without_a_start_there_are_no_changes() -> None:
    played = ScoredRound(None, {0: np.zeros(1, dtype=np.int32)}, lambda seats: 1 // 0, lambda model: 1 // 0, 0)
    with pytest.raises(ValueError, match="start"):
        aggregate_similarity(played, [0])
