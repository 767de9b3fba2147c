"""Whole tasks of random terms, bids and behaviour: contract and auditor agree to the wei on all of them."""

from __future__ import annotations

import random

import pytest

from bcfl_client.audit import audit_task
from bcfl_client.storage import DirectoryStore
from bcfl_client.types import State

from .dice import Player
from .stage import Stage
from .world import World


def _terms(dice: random.Random) -> dict[str, object]:
    min_trainers = dice.randint(1, 3)
    fast_blocks = dice.choice([0, 1, 1, 9000])
    return {
        "rounds": dice.randint(2, 6),
        "trainerSlots": dice.randint(3, 6),
        "minerSlots": dice.randint(2, 6),
        "minTrainers": min_trainers,
        "minMiners": 1,
        "minUpdates": dice.randint(1, min_trainers),
        "maxVoidRounds": dice.choice([1, 9, 9]),
        "maxStrikes": dice.randint(2, 6),
        "closeWhenFull": dice.random() < 0.3,
        "reward": dice.randint(200_000, 5_000_000),
        "minerShare": dice.randint(100, 8000),
        "slashShare": dice.randint(1000, 10_000),
        "penalty": dice.randint(0, 1010),
        "earlyBonus": dice.randint(0, 10_000),
        "targetAccuracy": dice.choice([0, 1, 3333, 9000]),
        "payScore": dice.choice([0, 5000, 9000, 10_000]),
        "startQuality": dice.randint(1, 65_535),
        "forkWindow": dice.choice([0, 60]),
        "minWindow": dice.choice([1 if fast_blocks else 0, 50]),
        "blockTime": dice.choice([0, 20]),
        "aggregationRule": dice.randint(0, 2),
        "trimShare": dice.choice([0, 2500, 4999]),
        "forkRule": dice.randint(0, 2),
        "challengeBond": dice.choice([1, 9999, 10_000]),
        "fastBlocks": fast_blocks,
        "fastRewards": dice.choice([0, 3000]),
        "difficulty": dice.choice([1, 4, 50]),
    }


@pytest.mark.parametrize("seed", [1, 8, 13, 16, 22, 25, 33, 37])  # of many, those in which most happens
def test_a_random_task(world: World, store: DirectoryStore, seed: int) -> None:
    """Not a wei, strike, quality or record differs, and no event is missing or too much; all bonds are somewhere. The
    scores are made up: the only differences that there may be are theirs, and those of a false model that nobody has
    refuted."""
    dice = random.Random(seed)
    offers = tuple((dice.randint(10, 400), dice.randint(0, 1000)) for _ in range(dice.randint(3, 7)))
    fees = tuple(dice.randint(0, 60_000) for _ in range(dice.randint(2, 6)))
    accounts = (dice.choice([2, 10]), *range(11, 10 + len(fees)))
    stage = Stage(world, store, terms=_terms(dice), offers=offers, fees=fees, miner_accounts=accounts).bid().select()
    player = Player(stage, dice)
    while stage.task.status().state == State.RUNNING:
        player.play_round()
        if dice.random() < 0.3:
            player.reclaim()
            stage.withdraw_all()
    player.reclaim()
    stage.withdraw_all()
    report = audit_task(world.connection, store, stage.task.address, wait_seconds=0)
    opinions = ("score", "accuracy in basis points", "root of the aggregate", "parameter root of the aggregate")
    assert not [one for one in report.differences if not one.what.startswith(opinions)], report.summary
    assert report.totals.left_wei == 0
    assert all(one.posted_wei == one.returned_wei + one.lost_wei for one in report.disputants)
