"""A trainer's quality: its scores so far, of 65,535. It scales the weight of its next updates, not of this one."""

from __future__ import annotations

__all__ = ["learn"]


def learn(quality: int, score: int) -> int:
    """Quality after a score: half-way down, an eighth up."""
    return quality + (score - quality) // 8 if score > quality else quality - (quality - score) // 2
