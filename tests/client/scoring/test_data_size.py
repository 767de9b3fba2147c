"""The full score for everybody."""

from __future__ import annotations

from bcfl_client.scoring.data_size import data_size

from .games import game


def test_all_have_the_full_score_and_nothing_is_counted() -> None:
    played = game(3, lambda seats: 1 // 0)
    assert data_size(played, [0, 2]).scores() == {0: 65_535, 2: 65_535}
