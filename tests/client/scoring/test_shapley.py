"""Shapley values: the exact ones against their definition, the estimate against the exact ones."""

from __future__ import annotations

from itertools import permutations
from math import factorial

import numpy as np
import pytest

from bcfl_client.scoring.shapley import exact_shapley, public_orders, sampled_shapley, shapley

from .games import IMAGES, game


def glove(seats: frozenset[int]) -> int:
    """Seats 0 and 1 have a left glove each, 2 a right one; a pair is worth 600."""
    return 600 if 2 in seats and seats & {0, 1} else 0


def useful(seats: frozenset[int]) -> int:
    """Knowledge that overlaps: seat k knows what is divisible by k + 2, the highest seat does harm."""
    known = sum(any(i % (seat + 2) == 0 for seat in seats) for i in range(1, 801))
    return 100 + known - (150 if 9 in seats else 0)


def test_exact_values_by_hand() -> None:
    """The glove game, textbook: 1/6, 1/6, 4/6 of a pair; full is four even parts of all images."""
    found = exact_shapley(game(3, glove), [0, 1, 2])
    assert found.values == {0: 600, 1: 600, 2: 2400}  # in sixths of an image
    assert (found.full, found.per_image) == (4 * IMAGES * 6 // 3, 12)
    assert found.scores() == {0: 600 * 65_535 // 8000, 1: 600 * 65_535 // 8000, 2: 2400 * 65_535 // 8000}


@pytest.mark.parametrize("guessed", [0, 100])
def test_exact_values_are_the_mean_over_all_orders(guessed: int) -> None:
    """What nobody brings is not shared out; together they are what the whole has more than guessing."""
    played, seats = game(10, useful, guessed), [1, 3, 4, 9]
    sums = dict.fromkeys(seats, 0)
    for order in permutations(seats):
        for place, seat in enumerate(order):
            before = useful(frozenset(order[:place])) if place else guessed
            sums[seat] += useful(frozenset(order[: place + 1])) - before
    found = exact_shapley(played, seats)
    assert found.values == sums
    assert sum(found.values.values()) == factorial(4) * (useful(frozenset(seats)) - guessed)
    assert found.scores()[9] == 0


def test_the_estimate_is_close_to_the_exact_values() -> None:
    """Ten inputs, of which one does harm: within a fifth of an even part."""
    played, seats = game(10, useful, 100), list(range(10))
    exact, sampled = exact_shapley(played, seats), sampled_shapley(played, seats)
    truth = np.array([exact.values[seat] for seat in seats]) / exact.full
    guess = np.array([sampled.values[seat] for seat in seats]) / sampled.full
    assert np.abs(guess - truth).max() < 0.2 / 4
    assert sampled.values[9] < 0
    assert shapley(played, seats) == sampled
    assert shapley(played, seats[:8]) == exact_shapley(played, seats[:8])


def test_an_order_ends_where_the_rest_changes_nothing() -> None:
    """A single update that knows all ends every order: few models are counted for a hundred inputs."""
    counted = []
    played = game(100, lambda seats: counted.append(seats) or 990 + (0 in seats))  # type: ignore[func-returns-value]
    values = sampled_shapley(played, range(100)).values
    assert len(counted) == 101  # each alone, and all together
    assert values == {seat: 990 + (seat == 0) for seat in range(100)}


def test_an_image_may_decide_where_orders_end() -> None:
    """Two machines of which one counts one image more of one coalition: what the other finds lies within what may be,
    wherever orders end, though not within an image's own worth; and what may be is far from anything."""

    def worth(seats: frozenset[int]) -> int:
        """All know nearly all; seat 1 brings much harm, which seat 2 undoes."""
        return 995 - (400 if 1 in seats and 2 not in seats else 0) + (5 if len(seats) == 10 else 0)

    seats = range(10)
    found = sampled_shapley(game(10, worth), seats)
    other = sampled_shapley(game(10, lambda some: worth(some) - (len(some) < 10)), seats)
    scores, near, wide = other.scores(), found.around(1), found.around(1, all_ends=True)
    assert not all(near[seat][0] <= scores[seat] <= near[seat][1] for seat in seats)
    assert all(wide[seat][0] <= scores[seat] <= wide[seat][1] for seat in seats)
    assert any(high - low < 65_535 // 4 for low, high in wide.values())


def test_orders_are_fixed_for_all_time() -> None:
    """A second implementation draws the same: by SHA-256, whole rotations, everybody once in each place."""
    orders = list(public_orders(bytes(32), [0, 3, 4, 7]))
    assert len(orders) == 32
    assert orders[:5] == [(7, 3, 4, 0), (3, 4, 0, 7), (4, 0, 7, 3), (0, 7, 3, 4), (3, 0, 4, 7)]
    for place in range(4):
        assert sorted(order[place] for order in orders) == [0] * 8 + [3] * 8 + [4] * 8 + [7] * 8
    assert orders != list(public_orders(b"\1" * 32, [0, 3, 4, 7]))
    assert len(list(public_orders(bytes(32), range(128)))) == 128
