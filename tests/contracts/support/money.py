"""What a round pays, worked out again; and a task's books."""

from __future__ import annotations

from typing import Any, NamedTuple

from . import chain
from .kinds import Phase, Role


class Work(NamedTuple):
    """One revealed update in an accepted round: wei per sample, samples that count, the score of its weight."""

    price: int
    samples: int
    score: int


def pay(budget: int, works: list[Work]) -> list[int]:
    """Wei per update: its price, and its part of the rest of `budget` by samples x score, rounded down."""
    prices = [work.price * work.samples for work in works]
    weights = [work.samples * work.score for work in works]
    surplus = budget - sum(prices)
    return [price + (surplus * weight // sum(weights) if sum(weights) else 0) for price, weight in zip(prices, weights)]


def fees(fee: int, openers: int) -> tuple[int, int]:
    """Wei for the block's miner and for each other opener of the truth."""
    each = (fee - fee // 2) // openers
    return fee // 2 + each, each


def assert_balanced(task: Any, people: list[Any], bonds: int = 0) -> None:
    """The task holds exactly what it owes, what is at stake (so many bonds too), what is left of the reward and what
    is to be burnt."""
    closed = chain.look(task.phase) == Phase.CLOSED
    owed = sum(chain.look(task.withdrawable, who) for who in people)
    trainers = [chain.look(task.trainer, seat) for seat in range(task.trainerCount())]
    miners = [chain.look(task.miner, seat) for seat in range(task.minerCount())]
    staked = sum(seat["deposit"] for seat in [*trainers, *miners])
    if not trainers:
        staked = sum(task.bidOf(role, who)["deposit"] for role in Role for who in people)
    held = bonds * chain.look(task.terms)["challengeBond"]
    assert chain.balance(task) == task.pool() + owed + held + (0 if closed else staked + task.burnt())
