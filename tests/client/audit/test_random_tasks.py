"""Whole tasks of random terms, bids and behaviour: contract and auditor agree to the wei on all of them."""

from __future__ import annotations

import random

import pytest

from bcfl_client.audit import audit_task
from bcfl_client.storage import DirectoryStore
from bcfl_client.types import Phase, State, Verdict, pack_scores

from .stage import Stage, World


def _terms(dice: random.Random) -> dict[str, object]:
    min_trainers = dice.randint(1, 3)
    return {
        "rounds": dice.randint(1, 4),
        "trainerSlots": dice.randint(3, 6),
        "minerSlots": dice.randint(2, 4),
        "minTrainers": min_trainers,
        "minMiners": 1,
        "minUpdates": dice.randint(1, min_trainers),
        "maxVoidRounds": dice.randint(0, 3),
        "maxStrikes": dice.randint(1, 5),
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
        "minWindow": dice.choice([0, 50]),
        "blockTime": dice.choice([0, 20]),
        "difficulty": dice.choice([1, 4, 50]),
    }


def _some(dice: random.Random, seats: object, chance: float) -> list[int]:
    return [seat for seat in seats if dice.random() < chance]  # type: ignore[attr-defined]


def _play_round(stage: Stage, dice: random.Random) -> None:
    """One round in which everybody may fail, disagree or lie."""
    task, lazy = stage.task, dice.choice([0.0, 0.1, 0.4])
    stage.commit(but=_some(dice, stage.trainers, lazy))
    if task.status().phase == Phase.REVEAL:
        stage.reveal(but=_some(dice, stage.trainers, lazy))
    if task.status().phase == Phase.CHECK:
        verdicts = {m: {t: dice.choice(list(Verdict)) for t in _some(dice, stage.trainers, lazy)} for m in stage.miners}
        stage.check(verdicts, but=_some(dice, stage.miners, lazy))
    if task.status().phase == Phase.SEAL:
        stage.world.later(dice.randint(0, 60))
        changes: dict[int, dict[str, object]] = {}
        for seat in stage.miners:
            scores = {i: dice.randint(0, 65_535) for i in stage.trainers}
            changes[seat] = {"scores": pack_scores(scores, len(stage.trainers)), "accuracy": dice.randint(0, 10_000)}
            if dice.random() < lazy:
                changes[seat]["root"] = bytes([dice.randint(1, 2)]) * 32
        no_seal = _some(dice, stage.miners, lazy)
        active = [i for i, one in enumerate(task.miners()) if one.strikes < task.terms["maxStrikes"]]
        candidates = [seat for seat in active if seat not in no_seal]
        dice.shuffle(candidates)
        count = dice.randint(0 if lazy else 1, len(candidates)) if task.terms["forkWindow"] else 1
        stage.mine(changes, no_seal=no_seal, no_open=_some(dice, stage.miners, lazy), proposers=candidates[:count])
    stage.finalise()


@pytest.mark.parametrize("seed", range(4))
def test_a_random_task(world: World, store: DirectoryStore, seed: int) -> None:
    """Not a wei, strike, quality or record differs, and no event is missing or too much. The scores are made up: the
    only differences that there may be are theirs, and those of majorities for a false model."""
    dice = random.Random(seed)
    offers = tuple((dice.randint(10, 400), dice.randint(0, 1000)) for _ in range(dice.randint(3, 7)))
    fees = tuple(dice.randint(0, 60_000) for _ in range(dice.randint(2, 4)))
    accounts = (dice.choice([2, 10]), *range(11, 10 + len(fees)))
    stage = Stage(world, store, terms=_terms(dice), offers=offers, fees=fees, miner_accounts=accounts).bid().select()
    while stage.task.status().state == State.RUNNING:
        _play_round(stage, dice)
        if dice.random() < 0.3:
            stage.withdraw_all()
    stage.withdraw_all()
    report = audit_task(world.connection, store, stage.task.address, wait_seconds=0)
    opinions = ("score", "accuracy in basis points", "root of the aggregate", "parameter root of the aggregate")
    assert not [one for one in report.differences if not one.what.startswith(opinions)], report.summary
    assert report.totals.left_wei == 0
