"""The end of a round to the wei: medians, pay, fees, penalties, quality, strikes, reputation, difficulty, what comes
next. Written from the rules, not from the contract: the two check each other. Money in wei."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bcfl_client.audit.phases import Result, current_inputs, majority_result, seal_end, winning_miner
from bcfl_client.audit.selection import lower_median
from bcfl_client.audit.state import Expected, MinerState, Registry, RoundState, SeatState, TaskState, TrainerState
from bcfl_client.types import Fault, Head, Role, State, pack_scores, unpack_scores

__all__ = [
    "Claim",
    "Outcome",
    "close",
    "finalise",
    "judge",
    "learn",
    "retarget",
    "share_budget",
    "share_fee",
    "start_round",
]

_BASIS = 10_000
_PROVABLE = (Fault.NOT_REVEALED, Fault.NOT_SEALED, Fault.NOT_OPENED)
_MAX_DIFFICULTY = 2**64


@dataclass(frozen=True)
class Outcome:
    """How a round ended. `truth` is None in a void round; `majority` may be there without a block that carries it."""

    inputs: frozenset[int]
    majority: Result | None
    truth: Result | None
    winner: int | None
    medians: dict[int, int]
    middle: int
    accuracy: int
    unjudged: int | None


@dataclass(frozen=True)
class Claim:
    """A revealed update's part in a round's budget: its price, its weight in the surplus, burnt instead of paid."""

    floor: int
    weight: int
    denied: bool = False


def judge(r: RoundState, miners: list[MinerState]) -> Outcome:
    """What the openings of a round come to."""
    inputs = current_inputs(r, miners)
    majority, votes = majority_result(r)
    winner = winning_miner(r, majority)
    if majority is None or winner is None:
        return Outcome(inputs, majority, None, None, {}, 0, 0, None)
    openers = [seat for seat, o in r.openings.items() if (o.root, o.content_digest) == majority]
    count = 16 * len(r.openings[winner].scores)
    scores = {seat: unpack_scores(r.openings[seat].scores, count) for seat in openers}
    medians = {}
    for i in inputs:
        said = [scores[seat][i] for seat in openers if miners[seat].trainer_seat != i]
        medians[i] = lower_median(said) if said else 0
    return Outcome(
        inputs,
        majority,
        majority,
        winner,
        medians,
        lower_median(list(medians.values())),
        lower_median([r.openings[seat].accuracy for seat in openers]),
        # The only opener scored itself, if it is a trainer: nobody else did.
        miners[winner].trainer_seat if votes == 1 else None,
    )


def share_budget(budget: int, claims: Mapping[int, Claim]) -> dict[int, int]:
    """What each claim comes to: its price, and its part of the rest by weight, rounded down."""
    surplus = budget - sum(claim.floor for claim in claims.values())
    total = sum(claim.weight for claim in claims.values())
    return {seat: claim.floor + (surplus * claim.weight // total if total else 0) for seat, claim in claims.items()}


def share_fee(fee: int, winner: int, openers: Iterable[int]) -> dict[int, int]:
    """Half of `fee` to the block's miner, half in equal parts to all who opened the truth, rounded down."""
    half = fee // 2
    equal = sorted(openers)
    return {seat: (fee - half) // len(equal) + (half if seat == winner else 0) for seat in equal}


def learn(quality: int, score: int) -> int:
    """Quality after a score: half-way down, an eighth up."""
    return quality + (score - quality) // 8 if score > quality else quality - (quality - score) // 2


def retarget(difficulty: int, actual: int, wanted: int) -> int:
    """Difficulty after a block that took `actual` seconds where `wanted` were asked; 0 wanted = fixed."""
    if not wanted:
        return difficulty
    proportional = difficulty * wanted // max(1, actual)
    clamped = max(min(proportional, difficulty * 4), difficulty // 4)
    return max(1, min(clamped, _MAX_DIFFICULTY))


def finalise(task: TaskState, registry: Registry, now: int) -> tuple[Outcome, list[Expected]]:
    """Settles the running round on the books; returns how it ended and the events that say so."""
    r, terms = task.round, task.terms
    assert r is not None
    outcome = judge(r, task.miners)
    accepted = outcome.truth is not None
    fee = task.miners[outcome.winner].fee if outcome.winner is not None else 0
    reached = accepted and 0 < terms["targetAccuracy"] <= outcome.accuracy
    early = reached and task.reached_target
    task.reached_target = reached

    events = [_verdict(r, outcome, len(task.trainers))]
    if outcome.truth is not None and outcome.winner is not None:
        task.head = Head(r.blocks[outcome.winner], *outcome.truth)
        assert r.first_block is not None
        difficulty = retarget(task.difficulty, r.first_block - seal_end(r, terms), terms["blockTime"])
        if difficulty != task.difficulty:
            events.append(Expected("DifficultyChanged", {"round": r.id, "difficulty": difficulty}))
        task.difficulty = difficulty
    else:
        task.void_rounds += 1

    # The highest fee of every round to come stays covered whatever the trainers get.
    budget = (task.pool - task.highest_fee * task.rounds_left) // task.rounds_left
    if early:
        budget += (task.pool - fee - budget) * terms["earlyBonus"] // _BASIS
    events += _settle_trainers(task, r, outcome, budget)
    events += _settle_miners(task, registry, r, outcome, fee)
    if accepted or r.reveals:
        task.rounds_left -= 1
    return outcome, events + _advance(task, registry, now, early)


def start_round(task: TaskState, now: int) -> Expected:
    """Begins the next round for all who are not struck out."""
    limit = task.terms["maxStrikes"]
    task.round = RoundState(
        id=task.round.id + 1 if task.round is not None else 1,
        start=now,
        trainers=frozenset(i for i, trainer in enumerate(task.trainers) if trainer.strikes < limit),
        miners=frozenset(i for i, miner in enumerate(task.miners) if miner.strikes < limit),
    )
    return Expected(
        "RoundStarted",
        {
            "round": task.round.id,
            "parent": task.head.block_hash,
            "difficulty": task.difficulty,
            "trainers": len(task.round.trainers),
            "miners": sum(1 << seat for seat in task.round.miners),
        },
    )


def close(task: TaskState, registry: Registry, state: State, early: bool = False) -> list[Expected]:
    """Ends the task: the rest of the reward to the publisher, burns to nobody, qualities to the registry."""
    rest, task.pool = task.pool, 0
    task.owed[task.publisher] += rest
    task.state = state
    if state == State.COMPLETED:
        events = [Expected("TaskCompleted", {"early": early, "toPublisher": rest})]
    else:
        events = [Expected("TaskAborted", {"toPublisher": rest})]
    if task.burnt:
        events.append(Expected("Burnt", {"amount": task.burnt}))
    for trainer in task.trainers:
        trusted = trainer.paid_rounds and trainer.strikes < task.terms["maxStrikes"]
        events.append(registry.after_task(trainer.account, trainer.quality if trusted else 0))
    return events


def _verdict(r: RoundState, outcome: Outcome, trainers: int) -> Expected:
    if outcome.truth is None or outcome.winner is None:
        inputs = sum(1 << seat for seat in outcome.inputs)
        return Expected("RoundVoided", {"round": r.id, "counted": bool(r.reveals), "inputs": inputs})
    return Expected(
        "RoundFinalised",
        {
            "round": r.id,
            "seat": outcome.winner,
            "blockHash": r.blocks[outcome.winner],
            "root": outcome.truth[0],
            "contentId": outcome.truth[1],
            "accuracy": outcome.accuracy,
            "medians": pack_scores(outcome.medians, trainers),
        },
    )


def _settle_trainers(task: TaskState, r: RoundState, outcome: Outcome, budget: int) -> list[Expected]:
    events: list[Expected] = []
    claims: dict[int, Claim] = {}
    for seat in sorted(r.trainers):
        trainer = task.trainers[seat]
        if seat not in r.commits:
            events += _strike(task, r, Role.TRAINER, seat)
        elif seat not in r.reveals:
            events += _punish(task, r, Role.TRAINER, seat, Fault.NOT_REVEALED)
        else:
            claims[seat], more = _claim(task, r, outcome, seat, trainer)
            events += more
    for seat, amount in share_budget(budget, claims).items():
        if amount == 0:
            continue
        task.pool -= amount
        if claims[seat].denied:
            task.burnt += amount
            events.append(Expected("Forfeited", {"round": r.id, "seat": seat, "amount": amount}))
        else:
            events.append(_pay(r, Role.TRAINER, seat, task.trainers[seat], amount))
    return events


def _claim(
    task: TaskState, r: RoundState, outcome: Outcome, seat: int, trainer: TrainerState
) -> tuple[Claim, list[Expected]]:
    events: list[Expected] = []
    counted = min(r.reveals[seat].samples, trainer.cap)
    score = outcome.medians.get(seat, 0)
    is_input, unjudged = seat in outcome.inputs, seat == outcome.unjudged
    if not is_input or (outcome.truth is not None and not unjudged):
        quality = learn(trainer.quality, score)
        if quality != trainer.quality:
            events.append(Expected("QualityChanged", {"round": r.id, "seat": seat, "quality": quality}))
        trainer.quality = quality
    enough = score * _BASIS >= outcome.middle * task.terms["payScore"]
    if is_input and (unjudged or enough):
        trainer.paid_rounds += 1
        return Claim(trainer.price * counted, counted * score), events
    # Burnt as if it had the median score: nobody else's part grows by condemning it.
    fault = Fault.LOW_SCORE if is_input else Fault.REJECTED
    events += _punish(task, r, Role.TRAINER, seat, fault)
    return Claim(trainer.price * counted, counted * outcome.middle, denied=True), events


def _settle_miners(task: TaskState, registry: Registry, r: RoundState, outcome: Outcome, fee: int) -> list[Expected]:
    events: list[Expected] = []
    paid: dict[int, int] = {}
    if outcome.winner is not None:
        openers = [seat for seat, o in r.openings.items() if (o.root, o.content_digest) == outcome.truth]
        paid = share_fee(fee, outcome.winner, openers)
    offered = fee if outcome.truth is not None else task.highest_fee
    for seat in sorted(r.miners):
        miner = task.miners[seat]
        if amount := paid.get(seat, 0):
            task.pool -= amount
            events.append(_pay(r, Role.MINER, seat, miner, amount))
        events.append(registry.after_round(miner.account, seat == outcome.winner, amount, offered))
        events += _judge_miner(task, r, outcome, seat)
    return events


def _judge_miner(task: TaskState, r: RoundState, outcome: Outcome, seat: int) -> list[Expected]:
    """At most one strike, for the gravest failure in a phase that the round reached."""
    if len(r.reveals) < task.terms["minUpdates"]:
        return []
    checked = seat in r.verdicts
    if len(outcome.inputs) < task.terms["minUpdates"]:
        return [] if checked else _strike(task, r, Role.MINER, seat)
    if seat not in r.seals:
        return _punish(task, r, Role.MINER, seat, Fault.NOT_SEALED)
    if r.first_block is None:
        return _strike(task, r, Role.MINER, seat)
    if seat not in r.openings:
        return _punish(task, r, Role.MINER, seat, Fault.NOT_OPENED)
    own = (r.openings[seat].root, r.openings[seat].content_digest)
    if outcome.majority is not None and own != outcome.majority:
        return _punish(task, r, Role.MINER, seat, Fault.OUTVOTED)
    return [] if checked else _strike(task, r, Role.MINER, seat)


def _advance(task: TaskState, registry: Registry, now: int, early: bool) -> list[Expected]:
    terms = task.terms
    if task.rounds_left == 0 or early:
        return close(task, registry, State.COMPLETED, early)
    trainers = sum(trainer.strikes < terms["maxStrikes"] for trainer in task.trainers)
    miners = sum(miner.strikes < terms["maxStrikes"] for miner in task.miners)
    if task.void_rounds > terms["maxVoidRounds"] or trainers < terms["minUpdates"] or miners == 0:
        return close(task, registry, State.ABORTED)
    return [start_round(task, now)]


def _pay(r: RoundState, role: Role, seat: int, who: SeatState, amount: int) -> Expected:
    who.earned += amount
    who.total_earned += amount
    return Expected("Paid", {"round": r.id, "role": int(role), "seat": seat, "amount": amount})


def _punish(task: TaskState, r: RoundState, role: Role, seat: int, fault: Fault) -> list[Expected]:
    """Burns a share of the deposit for a provable fault, the penalty for an opinion, and strikes."""
    who = _seat(task, role, seat)
    part = -(-who.original * task.terms["slashShare"] // _BASIS) if fault in _PROVABLE else task.terms["penalty"]
    amount = min(part, who.deposit)
    who.deposit -= amount
    who.slashed += amount
    task.burnt += amount
    args: dict[str, object] = {
        "round": r.id,
        "role": int(role),
        "seat": seat,
        "fault": int(fault),
        "amount": amount,
    }
    return [Expected("Slashed", args), *_strike(task, r, role, seat)]


def _strike(task: TaskState, r: RoundState, role: Role, seat: int) -> list[Expected]:
    who, limit = _seat(task, role, seat), task.terms["maxStrikes"]
    who.strikes = limit if who.deposit == 0 else who.strikes + 1
    at: dict[str, object] = {"round": r.id, "role": int(role), "seat": seat}
    events = [Expected("Struck", at | {"strikes": who.strikes})]
    return [*events, Expected("StruckOut", at)] if who.strikes >= limit else events


def _seat(task: TaskState, role: Role, seat: int) -> SeatState:
    return task.trainers[seat] if role == Role.TRAINER else task.miners[seat]
