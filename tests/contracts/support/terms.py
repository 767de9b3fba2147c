"""The terms of the tests' tasks: small numbers, so that every payout can be worked out on paper."""

from __future__ import annotations

from typing import Any

WINDOW = 1000  # seconds; far above what a test takes, so that phases end when a test says so

# In the order of the struct `Terms`; wei, seconds, basis points as there.
BASE: dict[str, Any] = {
    "initialRoot": b"\x01" * 32,
    "initialContent": b"\x02" * 32,
    "manifestContent": b"\x03" * 32,
    "manifestHash": b"\x04" * 32,
    "manifestSize": 500,
    "validationContent": b"\x05" * 32,
    "validationHash": b"\x06" * 32,
    "validationSize": 785_000,
    "parameterCount": 150,
    "aggregationRule": 0,
    "trimShare": 0,
    "scoringRule": 0,
    "forkRule": 0,
    "rounds": 3,
    "trainerSlots": 4,
    "minerSlots": 3,
    "minTrainers": 2,
    "minMiners": 2,
    "minUpdates": 2,
    "maxVoidRounds": 1,
    "maxStrikes": 2,
    "minSamples": 10,
    "maxTrainingTime": 100,
    "closeWhenFull": False,
    "reward": 3_000_000,
    "maxPrice": 1000,
    "maxFee": 100_000,
    "trainerDeposit": 100,
    "minerDeposit": 40_000,
    "challengeBond": 10_000,
    "penalty": 500,
    "minerShare": 2000,
    "slashShare": 5000,
    "earlyBonus": 2000,
    "targetAccuracy": 0,
    "payScore": 5000,
    "startQuality": 32_768,
    "fastBlocks": 0,
    "fastRewards": 0,
    "biddingWindow": WINDOW,
    "commitWindow": WINDOW,
    "revealWindow": WINDOW,
    "checkWindow": WINDOW,
    "sealWindow": WINDOW,
    "mineWindow": WINDOW,
    "forkWindow": 0,
    "openWindow": WINDOW,
    "minWindow": 50,
    "challengeWindow": 500,
    "responseWindow": 100,
    "auditPeriod": 86_400,
    "difficulty": 4,
    "blockTime": 0,
}


def terms(**changes: Any) -> dict[str, Any]:
    """`BASE` with `changes`, in the order of the struct."""
    unknown = changes.keys() - BASE.keys()
    if unknown:
        raise KeyError(f"no such terms: {sorted(unknown)}")
    return BASE | changes
