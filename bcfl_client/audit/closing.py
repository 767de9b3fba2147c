"""Payments, penalties and strikes; the next round, or the end of a task. Money in wei."""

from __future__ import annotations

from bcfl_client.audit.state import Expected, Moment, Registry, RoundState, SeatState, TaskState
from bcfl_client.types import Fault, Role, State

__all__ = ["advance", "close", "forfeit", "pay", "punish", "start_round", "strike"]

_BASIS = 10_000
_PROVABLE = (Fault.NOT_REVEALED, Fault.NOT_SEALED, Fault.NOT_OPENED)


def pay(r: RoundState, role: Role, seat: int, who: SeatState, amount: int) -> Expected:
    """Adds to what `who` has earned."""
    who.earned += amount
    who.total_earned += amount
    return Expected("Paid", {"round": r.id, "role": int(role), "seat": seat, "amount": amount})


def punish(task: TaskState, r: RoundState, role: Role, seat: int, fault: Fault) -> list[Expected]:
    """Burns a share of the deposit for a provable fault, the penalty for an opinion, and strikes."""
    who = _seat(task, role, seat)
    part = -(-who.original * task.terms["slashShare"] // _BASIS) if fault in _PROVABLE else task.terms["penalty"]
    amount = min(part, who.deposit)
    task.burnt += amount
    return _slash(task, r, role, seat, fault, amount)


def forfeit(task: TaskState, r: RoundState, seat: int) -> tuple[int, list[Expected]]:
    """Takes what is left of a miner's deposit, for a result that was refuted; returns the half that is not burnt."""
    miner = task.miners[seat]
    amount = miner.deposit
    bounty = amount // 2
    task.burnt += amount - bounty
    miner.proven_round = r.id
    return bounty, _slash(task, r, Role.MINER, seat, Fault.PROVEN_WRONG, amount)


def strike(task: TaskState, r: RoundState, role: Role, seat: int) -> list[Expected]:
    """One strike more; too many, or nothing left at stake, end a part in the task."""
    who, limit = _seat(task, role, seat), task.terms["maxStrikes"]
    who.strikes = limit if who.deposit == 0 else who.strikes + 1
    at: dict[str, object] = {"round": r.id, "role": int(role), "seat": seat}
    events = [Expected("Struck", at | {"strikes": who.strikes})]
    return [*events, Expected("StruckOut", at)] if who.strikes >= limit else events


def start_round(task: TaskState, moment: Moment) -> Expected:
    """Begins the next round for all who are not struck out."""
    limit = task.terms["maxStrikes"]
    task.round = RoundState(
        id=task.round.id + 1 if task.round is not None else 1,
        start=moment.second,
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


def advance(task: TaskState, registry: Registry, moment: Moment, early: bool) -> list[Expected]:
    """After a round: the next one, the end, or the end before its time."""
    terms = task.terms
    if task.rounds_left == 0 or early:
        return close(task, registry, State.COMPLETED, early)
    trainers = sum(trainer.strikes < terms["maxStrikes"] for trainer in task.trainers)
    miners = sum(miner.strikes < terms["maxStrikes"] for miner in task.miners)
    if task.void_rounds > terms["maxVoidRounds"] or trainers < terms["minUpdates"] or miners == 0:
        return close(task, registry, State.ABORTED)
    return [start_round(task, moment)]


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


def _slash(task: TaskState, r: RoundState, role: Role, seat: int, fault: Fault, amount: int) -> list[Expected]:
    who = _seat(task, role, seat)
    who.deposit -= amount
    who.slashed += amount
    args: dict[str, object] = {
        "round": r.id,
        "role": int(role),
        "seat": seat,
        "fault": int(fault),
        "amount": amount,
    }
    return [Expected("Slashed", args), *strike(task, r, role, seat)]


def _seat(task: TaskState, role: Role, seat: int) -> SeatState:
    return task.trainers[seat] if role == Role.TRAINER else task.miners[seat]
