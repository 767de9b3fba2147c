"""The Shapley value of each update in the game of its round: a coalition is worth the validation images that its
aggregate gets right (Wang et al. 2020, "A principled approach to data valuation for federated learning").

Exact for up to eight inputs. Beyond, a truncated Monte Carlo estimate (Ghorbani and Zou 2019) from orders that follow
from the round's own aggregate, which nobody knows before all have revealed and all miners know afterwards.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import combinations
from math import factorial

from bcfl_client.learning.tree import parameter_root
from bcfl_client.scoring.inputs import Contributions, ScoredRound

__all__ = ["EXACT_INPUTS", "exact_shapley", "public_orders", "sampled_shapley", "shapley"]

EXACT_INPUTS = 8  # 255 models to count
_LEAST_ORDERS = 32
_NEGLIGIBLE = 200  # a coalition that lacks less than one in so many images is as good as all together
_FULL_PARTS = 4  # even parts of all images that make a full score


def shapley(played: ScoredRound, seats: Sequence[int]) -> Contributions:
    """Returns the value of each of `seats`, exact or estimated; harmful updates have a negative one."""
    return exact_shapley(played, seats) if len(seats) <= EXACT_INPUTS else sampled_shapley(played, seats)


def exact_shapley(played: ScoredRound, seats: Sequence[int]) -> Contributions:
    """Returns the values in units of 1/n! images. Counts 2^n - 1 models."""
    n = len(seats)
    values = dict.fromkeys(seats, 0)
    for size in range(n):
        orders = factorial(size) * factorial(n - size - 1)
        for others in combinations(seats, size):
            before = _worth(played, others)
            for seat in set(seats) - set(others):
                values[seat] += orders * (_worth(played, (*others, seat)) - before)
    return _contributions(played, seats, values, factorial(n))


def sampled_shapley(played: ScoredRound, seats: Sequence[int]) -> Contributions:
    """Returns the values summed over public orders. An order is left as soon as the rest of it changes next to nothing.

    Every order comes in all its rotations, so that each trainer stands once in each place of it.
    """
    orders = list(public_orders(parameter_root(played.model(seats)), seats))
    values, negligible = dict.fromkeys(seats, 0), _negligible(played, seats)
    for order in orders:
        for seat, marginal, rest in _marginals(played, order):
            values[seat] += marginal
            if rest <= negligible:
                break
    return _contributions(played, seats, values, len(orders), partial(_other_ends, played, orders))


def _marginals(played: ScoredRound, order: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Yields for each of an order in turn its seat, the images that it adds, and how many all together differ by."""
    before, together = played.guessed, _worth(played, order)
    for place, seat in enumerate(order, 1):
        after = _worth(played, order[:place])
        yield seat, after - before, abs(together - after)
        before = after


def _negligible(played: ScoredRound, seats: Sequence[int]) -> int:
    return played.counted(sorted(seats)).count // _NEGLIGIBLE


def _other_ends(played: ScoredRound, orders: Sequence[Sequence[int]], images: int) -> dict[int, int]:
    """How far values may move because orders are left earlier or later when every count may be off by so many images:
    by what is added between the first place where an order may be left and the first where it surely is."""
    moved, negligible = dict.fromkeys(orders[0], 0), _negligible(played, orders[0])
    for order in orders:
        may_have_ended = False
        for seat, marginal, rest in _marginals(played, order):
            moved[seat] += abs(marginal) if may_have_ended else 0
            may_have_ended |= rest <= negligible + 2 * images
            if rest <= negligible - 2 * images:
                break
    return moved


def public_orders(seed: bytes, seats: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yields at least 32 orders of `seats`, whole rotations of some that are sorted by SHA-256 of (seed, number, seat).

    A hash, not a library's generator: every machine and version draws the same.
    """

    def drawn(number: int, seat: int) -> bytes:
        return hashlib.sha256(seed + bytes((number, seat))).digest()

    for number in range(-(-_LEAST_ORDERS // len(seats))):
        order = sorted(seats, key=lambda seat: drawn(number, seat))
        for shift in range(len(order)):
            yield tuple(order[shift:] + order[:shift])


def _worth(played: ScoredRound, coalition: Sequence[int]) -> int:
    return played.counted(sorted(coalition)).correct if coalition else played.guessed


def _contributions(
    played: ScoredRound,
    seats: Sequence[int],
    values: dict[int, int],
    orders: int,
    ends: Callable[[int], dict[int, int]] | None = None,
) -> Contributions:
    # A fixed scale, not the round's best: scores of different rounds move the same quality.
    full = max(1, _FULL_PARTS * played.counted(seats).count * orders // len(seats))
    return Contributions(values, full, 2 * orders, ends)
