"""Which of a round's verified blocks becomes the head (BC-FL, section IV-C): for clients, audit and simulation alike.

All candidates carry the same model, so the rule decides who is paid. `contracts/libraries/ForkChoice.sol` is the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

__all__ = ["Candidate", "ForkRule", "choose"]


class ForkRule(IntEnum):
    """A task's rule, by its number in the contract."""

    LONGEST = 0  # the earliest valid proposal
    REPUTATION = 1  # the miner with the highest reputation
    DISTANCE = 2  # the smallest distance to the truth


@dataclass(frozen=True)
class Candidate:
    """A verified block. `distance` of its model to the truth is 0 for all blocks on a chain."""

    seat: int  # its miner's
    order: int  # of its proposal in the round, as the contract counts
    reputation: int  # its miner's, of 65,535
    block_hash: bytes
    distance: int = 0


def choose(rule: int, candidates: Iterable[Candidate]) -> Candidate:
    """Returns the block that `rule` prefers, of equal ones that with the lowest hash (as a big-endian number).

    The order of the candidates does not matter. Raises ValueError for none and for an unknown rule.
    """
    best = min(candidates, key=lambda block: _preference(ForkRule(rule), block), default=None)
    if best is None:
        raise ValueError("there is no block to choose from")
    return best


def _preference(rule: ForkRule, block: Candidate) -> tuple[int, int]:
    """Lowest first."""
    block_hash = int.from_bytes(block.block_hash, "big")
    match rule:
        case ForkRule.LONGEST:
            return block.order, block_hash
        case ForkRule.REPUTATION:
            return -block.reputation, block_hash
        case ForkRule.DISTANCE:
            return block.distance, block_hash
