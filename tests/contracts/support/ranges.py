"""The allowed range of each term, next to the base terms; ends are inclusive."""

from __future__ import annotations

from typing import Any

from .terms import BASE

MONTH = 30 * 24 * 3600
HALF = 2**79  # half of what a balance of 80 bits holds

DIGESTS = [name for name, value in BASE.items() if isinstance(value, bytes)]  # anything but zero

RANGES = {
    "manifestSize": (1, 2**16),
    "validationSize": (1, 2**26),
    "parameterCount": (1, 2**28),
    "aggregationRule": (0, 2),
    "trimShare": (0, 4_999),
    "scoringRule": (0, 5),
    "forkRule": (0, 2),
    "targetAccuracy": (0, 10_000),
    "payScore": (0, 10_000),
    "startQuality": (1, 2**16 - 1),
    "fastBlocks": (0, 2**16 - 1),
    "fastRewards": (0, 10_000),
    "rounds": (1, 10_000),
    "trainerSlots": (1, 128),
    "minerSlots": (1, 16),
    "minTrainers": (1, BASE["trainerSlots"]),
    "minMiners": (1, BASE["minerSlots"]),
    "minUpdates": (1, BASE["minTrainers"]),
    "maxVoidRounds": (0, 100),
    "maxStrikes": (1, 100),
    "minSamples": (1, 2**32 - 1),
    "maxTrainingTime": (1, MONTH),
    "reward": (1, HALF),
    "maxPrice": (1, 2**64 - 1),
    "maxFee": (0, HALF),
    "trainerDeposit": (1, 2**47),
    "challengeBond": (1, 2**76),
    "minerDeposit": (4 * BASE["challengeBond"], HALF),
    "penalty": (0, BASE["trainerDeposit"] * BASE["minSamples"]),
    "minerShare": (1, 9_999),
    "slashShare": (1000, 10_000),
    "earlyBonus": (0, 10_000),
    "biddingWindow": (1, MONTH),
    "commitWindow": (BASE["maxTrainingTime"], MONTH),
    "revealWindow": (1, MONTH),
    "checkWindow": (1, MONTH),
    "sealWindow": (1, MONTH),
    "mineWindow": (1, MONTH),
    "forkWindow": (0, MONTH),
    "openWindow": (1, MONTH),
    "minWindow": (0, BASE["challengeWindow"]),
    "challengeWindow": (1, MONTH),
    "responseWindow": (1, MONTH),
    "auditPeriod": (0, 365 * 24 * 3600),
    "difficulty": (1, 2**64),
    "blockTime": (0, MONTH),
}

# What else must change so that a term at its end breaks no other rule. A reward of one wei breaks one always: it
# cannot be shared.
COMPANIONS: dict[tuple[str, int], dict[str, Any]] = {
    ("trainerSlots", 1): {"minTrainers": 1, "minUpdates": 1},
    ("minerSlots", 1): {"minMiners": 1},
    ("minTrainers", 1): {"minUpdates": 1},
    ("minSamples", 1): {"penalty": 0},
    ("maxTrainingTime", MONTH): {"commitWindow": MONTH},
    ("reward", 1): {"reward": 2, "minerShare": 5000, "rounds": 1, "trainerSlots": 1, "minTrainers": 1}
    | {"minUpdates": 1, "minerSlots": 1, "minMiners": 1},
    ("trainerDeposit", 1): {"penalty": 0},
    ("challengeBond", 2**76): {"minerDeposit": 2**78},
    ("challengeWindow", 1): {"minWindow": 0},
}
