"""Contributions become 16-bit scores; every coalition is counted once."""

from __future__ import annotations

from bcfl_client.scoring.inputs import Contributions

from .games import game


def test_scores_by_hand() -> None:
    """Below nothing is nothing, above full is full, between them the share rounded down."""
    brought = Contributions({0: -5, 1: 0, 2: 1, 3: 3, 4: 9}, full=3)
    assert brought.scores() == {0: 0, 1: 0, 2: 21_845, 3: 65_535, 4: 65_535}


def test_limits_are_those_of_the_counts() -> None:
    """Two images off, each moving a value by two; exact rules leave no room."""
    assert Contributions({7: 10}, full=20, per_image=2).around(2) == {7: (6 * 65_535 // 20, 14 * 65_535 // 20)}
    assert Contributions({7: 3}, full=20, per_image=2).around(2)[7][0] == 0
    assert Contributions({7: 10}, full=20).around(5) == {7: (32_767, 32_767)}


def test_each_coalition_is_counted_once_and_one_update_is_itself() -> None:
    asked = []
    played = game(3, lambda seats: asked.append(seats) or len(seats))  # type: ignore[func-returns-value]
    for _ in range(3):
        assert (played.counted([1]).correct, played.counted((0, 2)).correct) == (1, 2)
    assert asked == [{1}, {0, 2}]
    assert played.model([1]) is played.updates[1]
