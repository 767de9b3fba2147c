"""Who of the bidders takes part: ranking, displacement, the walk within the budget (paper, section III-B, function 2).

Written from the rules, not from the contract: the two check each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Bid", "BidBook", "choose_miners", "choose_trainers", "lower_median"]

_BUCKETS = 100  # one per cent of the highest price
_CAP_MEDIANS = 3
_MAX_TOTAL_SAMPLES = 2**31 - 1
_BASIS = 10_000


@dataclass(frozen=True, order=True)
class _Rank:
    bucket: int
    distrust: int
    small_offer: int
    arrival: int


@dataclass(frozen=True)
class Bid:
    """A bid: a trainer's price per sample and round and its samples, or a miner's fee per block and 0."""

    account: str
    price: int
    samples: int
    deposit: int


class BidBook:
    """The best `slots` bids of one role, by price bucket, reputation, offer and arrival."""

    def __init__(self, slots: int, max_price: int) -> None:
        self._slots = slots
        self._max_price = max_price
        self._bids: dict[str, tuple[_Rank, Bid]] = {}

    @property
    def full(self) -> bool:
        """Whether every slot is taken."""
        return len(self._bids) >= self._slots

    @property
    def deposits(self) -> int:
        """Wei of all bids that are in."""
        return sum(bid.deposit for _, bid in self._bids.values())

    def holds(self, account: str) -> bool:
        """Whether `account` has a bid in."""
        return account in self._bids

    def place(self, bid: Bid, reputation: int, arrival: int) -> Bid | None:
        """Takes `bid` in and returns the bid that loses its slot: `bid` itself when it is the worst."""
        bucket = -(-bid.price * _BUCKETS // self._max_price) if self._max_price else 0
        self._bids[bid.account] = (_Rank(bucket, -reputation, -bid.samples, arrival), bid)
        if len(self._bids) <= self._slots:
            return None
        worst = max(self._bids, key=lambda account: self._bids[account][0])
        return self._bids.pop(worst)[1]

    def ranked(self) -> list[Bid]:
        """The bids, best first."""
        return [bid for _, bid in sorted(self._bids.values(), key=lambda entry: entry[0])]


def choose_miners(ranked: Sequence[Bid], terms: Mapping[str, Any]) -> list[Bid]:
    """Those whose fee for all rounds the miners' share of the reward covers."""
    budget = terms["reward"] * terms["minerShare"] // _BASIS
    return [bid for bid in ranked if bid.price * terms["rounds"] <= budget]


def choose_trainers(ranked: Sequence[Bid], budget: int) -> tuple[list[Bid], int]:
    """Those whom `budget` (wei per round) covers, walking by rank and skipping, and the cap: three times the lower
    median of their offers."""
    taken: list[Bid] = []
    cap = 0
    for bid in ranked:
        candidates = [*taken, bid]
        new_cap = _CAP_MEDIANS * lower_median([one.samples for one in candidates])
        counted = [min(one.samples, new_cap) for one in candidates]
        cost = sum(one.price * samples for one, samples in zip(candidates, counted))
        if cost <= budget and sum(counted) <= _MAX_TOTAL_SAMPLES:
            taken, cap = candidates, new_cap
    return taken, cap


def lower_median(values: Sequence[int]) -> int:
    """The middle of `values`, the lower one of two."""
    return sorted(values)[(len(values) - 1) // 2]
