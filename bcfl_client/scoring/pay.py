"""What a round's budget comes to for each trainer: prices first, the rest by samples and score. Money in wei."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Claim", "share_budget"]


@dataclass(frozen=True)
class Claim:
    """A revealed update's part in a round's budget: its price, its weight in the surplus, burnt instead of paid."""

    floor: int
    weight: int
    denied: bool = False


def share_budget(budget: int, claims: Mapping[int, Claim]) -> dict[int, int]:
    """What each claim comes to: its price, and its part of the rest by weight, rounded down."""
    surplus = budget - sum(claim.floor for claim in claims.values())
    total = sum(claim.weight for claim in claims.values())
    return {seat: claim.floor + (surplus * claim.weight // total if total else 0) for seat, claim in claims.items()}
