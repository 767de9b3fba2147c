"""Gains from the middle of the scale."""

from __future__ import annotations

from bcfl_client.scoring.leave_one_out import leave_one_out

from .games import game


def test_gains_by_hand() -> None:
    """Of 1,000 images 50 are the swing: nothing gained is half a score, 50 gained all of it."""
    without = {0: 800, 1: 825, 2: 750, 3: 890}

    def worth(seats: frozenset[int]) -> int:
        (out,) = {0, 1, 2, 3} - seats or {None}
        return 800 if out is None else without[out]

    brought = leave_one_out(game(4, worth), range(4))
    assert (brought.full, brought.per_image) == (100, 2)
    assert brought.scores() == {0: 32_767, 1: 16_383, 2: 65_535, 3: 0}


def test_one_input_alone_has_it_all() -> None:
    """There is nothing to leave it out of."""
    assert leave_one_out(game(2, lambda seats: 7), [1]).scores() == {1: 65_535}
