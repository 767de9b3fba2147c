"""The end of a round to the wei: medians, pay, fees, penalties, quality, strikes, reputation, difficulty, what comes
next. Written from the rules, not from the contract: the two check each other. Money in wei."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bcfl_client.audit.bonds import settle_disputes
from bcfl_client.audit.closing import advance, pay, punish, strike
from bcfl_client.audit.phases import fast_block_at
from bcfl_client.audit.selection import lower_median
from bcfl_client.audit.state import Expected, Moment, Registry, Result, RoundState, TaskState, TrainerState
from bcfl_client.audit.votes import carriers, choose_block, current_inputs, guilty_miners, true_result
from bcfl_client.scoring.pay import Claim, share_budget
from bcfl_client.scoring.quality import learn
from bcfl_client.types import Fault, Head, Role, pack_scores, unpack_scores

__all__ = ["Outcome", "finalise", "judge", "retarget", "share_fee"]

_BASIS = 10_000
_MAX_DIFFICULTY = 2**64


@dataclass(frozen=True)
class Outcome:
    """How a round ended. `truth` is None in a void round; `majority` may be there without a block that carries it;
    `fast`: a block without votes; `guilty`: miner seats that stood for a refuted result."""

    inputs: frozenset[int]
    majority: Result | None = None
    truth: Result | None = None
    winner: int | None = None
    medians: Mapping[int, int] = field(default_factory=dict)
    middle: int = 0
    accuracy: int = 0
    unjudged: int | None = None
    fast: bool = False
    guilty: frozenset[int] = frozenset()


def judge(task: TaskState, registry: Registry, moment: Moment) -> Outcome:
    """What the openings of the running round, or its fast block, come to."""
    r, miners = task.round, task.miners
    assert r is not None
    inputs, guilty = current_inputs(r, miners), guilty_miners(r)
    if r.fast is not None and fast_block_at(r.fast, moment)[0]:
        seat = r.fast.seat
        return Outcome(inputs, truth=r.results[seat], winner=seat, accuracy=r.fast.accuracy, fast=True)
    truth, votes = true_result(r)
    majority = truth if votes * 2 > len(r.miners) else None
    blocks = carriers(r, truth)
    if truth is None or not blocks:
        return Outcome(inputs, majority, guilty=guilty)
    winner = choose_block(task.terms["forkRule"], r, miners, blocks, registry)
    openers = _openers(r, truth)
    count = 16 * len(r.openings[winner].scores)
    scores = {seat: unpack_scores(r.openings[seat].scores, count) for seat in openers}
    medians = {}
    for i in inputs:
        said = [scores[seat][i] for seat in openers if miners[seat].trainer_seat != i]
        medians[i] = lower_median(said) if said else 0
    return Outcome(
        inputs,
        majority,
        truth,
        winner,
        medians,
        lower_median(list(medians.values())),
        lower_median([r.openings[seat].accuracy for seat in openers]),
        # The only opener scored itself, if it is a trainer: nobody else did.
        unjudged=miners[winner].trainer_seat if votes == 1 else None,
        guilty=guilty,
    )


def share_fee(fee: int, winner: int, openers: Iterable[int]) -> dict[int, int]:
    """Half of `fee` to the block's miner, half in equal parts to all who opened the truth, rounded down."""
    half = fee // 2
    equal = sorted(openers)
    return {seat: (fee - half) // len(equal) + (half if seat == winner else 0) for seat in equal}


def retarget(difficulty: int, actual: int, wanted: int) -> int:
    """Difficulty after a block that took `actual` seconds where `wanted` were asked; 0 wanted = fixed."""
    if not wanted:
        return difficulty
    proportional = difficulty * wanted // max(1, actual)
    clamped = max(min(proportional, difficulty * 4), difficulty // 4)
    return max(1, min(clamped, _MAX_DIFFICULTY))


def finalise(task: TaskState, registry: Registry, moment: Moment) -> tuple[Outcome, list[Expected]]:
    """Settles the running round on the books; returns how it ended and the events that say so."""
    r, terms = task.round, task.terms
    assert r is not None
    outcome = judge(task, registry, moment)
    accepted = outcome.truth is not None
    fee = task.miners[outcome.winner].fee if outcome.winner is not None else 0
    # One miner's word alone does not bring the end nearer.
    reached = accepted and not outcome.fast and 0 < terms["targetAccuracy"] <= outcome.accuracy
    early = reached and task.reached_target
    task.reached_target = reached

    if accepted:
        events = _accept(task, r, outcome)
    else:
        task.void_rounds += 1
        inputs = sum(1 << seat for seat in outcome.inputs)
        events = [Expected("RoundVoided", {"round": r.id, "counted": bool(r.reveals), "inputs": inputs})]

    # The highest fee of every round to come stays covered whatever the trainers get.
    budget = (task.pool - task.highest_fee * task.rounds_left) // task.rounds_left
    if early:
        budget += (task.pool - fee - budget) * terms["earlyBonus"] // _BASIS
    events += _settle_trainers(task, r, outcome, budget)
    events += _settle_miners(task, registry, r, outcome, fee)
    events += settle_disputes(task, r, outcome.guilty, outcome.winner)
    if accepted or r.reveals:
        task.rounds_left -= 1
    return outcome, events + advance(task, registry, moment, early)


def _openers(r: RoundState, result: Result) -> list[int]:
    return sorted(seat for seat in r.openings if r.results[seat] == result)


def _accept(task: TaskState, r: RoundState, outcome: Outcome) -> list[Expected]:
    """The new head; a vote's block also sets the next difficulty."""
    assert outcome.truth is not None and outcome.winner is not None
    medians: tuple[int, ...] = ()
    if outcome.fast:
        assert r.fast is not None
        block_hash = r.fast.block_hash
    else:
        block_hash = r.blocks[outcome.winner].block_hash
        medians = pack_scores(dict(outcome.medians), len(task.trainers))
    root, digest = outcome.truth
    task.head = Head(block_hash, root, digest)
    args: dict[str, object] = {"round": r.id, "seat": outcome.winner, "blockHash": block_hash}
    args |= {"root": root, "contentId": digest, "accuracy": outcome.accuracy, "medians": medians}
    events = [Expected("RoundFinalised", args)]
    if not outcome.fast:
        assert r.first_block is not None and r.seal_closed is not None
        difficulty = retarget(task.difficulty, r.first_block - r.seal_closed, task.terms["blockTime"])
        if difficulty != task.difficulty:
            events.append(Expected("DifficultyChanged", {"round": r.id, "difficulty": difficulty}))
        task.difficulty = difficulty
    return events


def _settle_trainers(task: TaskState, r: RoundState, outcome: Outcome, budget: int) -> list[Expected]:
    events: list[Expected] = []
    claims: dict[int, Claim] = {}
    for seat in sorted(r.trainers):
        trainer = task.trainers[seat]
        if seat not in r.commits:
            events += strike(task, r, Role.TRAINER, seat)
        elif seat not in r.reveals:
            events += punish(task, r, Role.TRAINER, seat, Fault.NOT_REVEALED)
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
            events.append(pay(r, Role.TRAINER, seat, task.trainers[seat], amount))
    return events


def _claim(
    task: TaskState, r: RoundState, outcome: Outcome, seat: int, trainer: TrainerState
) -> tuple[Claim, list[Expected]]:
    events: list[Expected] = []
    counted = min(r.reveals[seat].samples, trainer.cap)
    score = outcome.medians.get(seat, 0)
    is_input, unjudged, known = seat in outcome.inputs, seat == outcome.unjudged, trainer.quality
    if not is_input or (outcome.truth is not None and not unjudged and not outcome.fast):
        quality = learn(trainer.quality, score)
        if quality != trainer.quality:
            events.append(Expected("QualityChanged", {"round": r.id, "seat": seat, "quality": quality}))
        trainer.quality = quality
    if is_input and outcome.fast:
        score = known  # nobody scored it: what is known of the trainer stands for that
    enough = score * _BASIS >= outcome.middle * task.terms["payScore"]
    if is_input and (unjudged or enough):
        trainer.paid_rounds += 1
        return Claim(trainer.price * counted, counted * score), events
    # Burnt as if it had the median score: nobody else's part grows by condemning it.
    fault = Fault.LOW_SCORE if is_input else Fault.REJECTED
    events += punish(task, r, Role.TRAINER, seat, fault)
    return Claim(trainer.price * counted, counted * (known if outcome.fast else outcome.middle), denied=True), events


def _settle_miners(task: TaskState, registry: Registry, r: RoundState, outcome: Outcome, fee: int) -> list[Expected]:
    events: list[Expected] = []
    paid: dict[int, int] = {}
    if outcome.winner is not None and outcome.truth is not None:
        openers = [outcome.winner] if outcome.fast else _openers(r, outcome.truth)
        paid = share_fee(fee, outcome.winner, openers)
    offered = fee if outcome.truth is not None else task.highest_fee
    for seat in sorted(r.miners | outcome.guilty):
        miner = task.miners[seat]
        if amount := paid.get(seat, 0):
            task.pool -= amount
            events.append(pay(r, Role.MINER, seat, miner, amount))
        # A fast block leaves the records of those who had nothing to do as they are.
        if not outcome.fast or seat == outcome.winner:
            events.append(registry.after_round(miner.account, seat == outcome.winner, amount, offered))
        if seat not in outcome.guilty:
            events += _judge_miner(task, r, outcome, seat)
    return events


def _judge_miner(task: TaskState, r: RoundState, outcome: Outcome, seat: int) -> list[Expected]:
    """At most one strike, for the gravest failure in a phase that the round reached."""
    if len(r.reveals) < task.terms["minUpdates"]:
        return []
    checked = seat in r.verdicts
    if outcome.fast or len(outcome.inputs) < task.terms["minUpdates"]:
        return [] if checked else strike(task, r, Role.MINER, seat)
    if seat not in r.seals and r.fast is not None:
        # Who is to blame that nobody sealed after a fast block cannot be told.
        return strike(task, r, Role.MINER, seat)
    if seat not in r.seals:
        return punish(task, r, Role.MINER, seat, Fault.NOT_SEALED)
    if r.first_block is None:
        return strike(task, r, Role.MINER, seat)
    if seat not in r.openings:
        return punish(task, r, Role.MINER, seat, Fault.NOT_OPENED)
    if outcome.majority is not None and r.results[seat] != outcome.majority:
        return punish(task, r, Role.MINER, seat, Fault.OUTVOTED)
    return [] if checked else strike(task, r, Role.MINER, seat)
