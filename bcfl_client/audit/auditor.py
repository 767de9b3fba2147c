"""`audit_task`: a task checked from outside, with nothing but an RPC endpoint and a content store."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bcfl_client.audit.content import ContentReader
from bcfl_client.audit.replay import replay
from bcfl_client.audit.report import AuditReport, DisputantAudit, Findings, ParticipantAudit, RoundAudit, Totals
from bcfl_client.audit.rescoring import make_rescorer
from bcfl_client.audit.rounds import Rules, check_rounds
from bcfl_client.audit.state import RoundState, SeatState, TaskState, TrainerState
from bcfl_client.chain.connection import Connection, RpcError
from bcfl_client.chain.history import Snapshot, TaskHistory, code_arguments, read_history, read_snapshot
from bcfl_client.chain.release import foreign_contracts
from bcfl_client.storage import ContentStore
from bcfl_client.types import State

__all__ = ["audit_task"]

Progress = Callable[[str], None]


def audit_task(
    connection: Connection,
    store: ContentStore,
    task_address: str,
    *,
    model: str | None = None,
    wait_seconds: float = 3.0,
    progress: Progress | None = None,
) -> AuditReport:
    """Replays the task at `task_address` up to the newest block and says what is not as it must be.

    `model` is the auditor's own name of the task's model, needed where it is not a built-in one; `wait_seconds` is the
    longest wait for one piece of content; `progress` gets a line now and then.

    Raises ChainMismatch when there is no task, ConnectionFailed when chain or store do not answer, ConfigError when
    `model` does not fit. What is wrong with the task is no error but a difference in the report.
    """
    start = time.monotonic()
    tell = progress or (lambda line: None)
    findings = Findings()
    history = read_history(connection, task_address, tell)
    tell(f"replaying {len(history.events)} events")
    books, played = replay(history, findings)
    snapshot = read_snapshot(connection, history, _accounts(history, books), list(books.stakes))
    _check_origin(connection, history, snapshot, findings)
    _note_foreign_code(connection, history, findings)
    _check_books(books, snapshot, findings)
    forced = _check_balance(books, snapshot, findings)
    tell("reading the content")
    reader = ContentReader(store, books.terms, wait_seconds)
    rescorer = make_rescorer(reader.public(findings), model, findings)
    rounds = []
    rules = Rules(books.terms["aggregationRule"], books.terms["trimShare"], books.terms["scoringRule"])
    for report, found in check_rounds(played, reader, rescorer, rules):
        rounds.append(report)
        findings.add(found)
        tell(f"round {report.id}: content checked, {len(rounds)} of {len(played)}")
    _note_windows(books.terms["minWindow"], rounds, findings)
    return AuditReport(
        task=history.published.task,
        chain_id=history.chain_id,
        factory=history.factory,
        block=history.block,
        state=books.state.name.lower(),
        differences=tuple(findings.differences),
        unavailable=tuple(findings.unavailable),
        notes=tuple(findings.notes),
        rounds=tuple(rounds),
        participants=tuple(_participants(books)),
        disputants=tuple(_disputants(books)),
        totals=Totals(books.paid_in, books.paid_out, books.burnt_and_sent, books.left, forced),
        tolerance=rescorer.tolerance if rescorer is not None else 0,
        seconds=time.monotonic() - start,
    )


def _accounts(history: TaskHistory, books: TaskState) -> list[str]:
    """Everybody whose money has ever been in the task."""
    known = {books.publisher: None}
    known |= {str(event.args["account"]): None for event in history.events if event.name == "BidPlaced"}
    return list(known | dict.fromkeys(books.disputants))


def _note_windows(min_window: int, rounds: Sequence[RoundAudit], findings: Findings) -> None:
    """Who stood for the models while the task ran."""
    if min_window == 0:
        findings.notes.append(
            "minWindow is 0: while the task ran, nobody but the miners' majority stood for the correctness of its "
            "models; this audit has now computed them again where it says so"
        )
        return
    short = [one for one in rounds if one.exposed is not None and one.exposed < min_window]
    findings.notes.append(
        f"minWindow is {min_window} s: so long, at least, anybody could object to a block before it became final"
        + "".join(f"; but in round {one.id} the winning block was {one.exposed} s old only" for one in short)
    )


def _check_origin(connection: Connection, history: TaskHistory, snapshot: Snapshot, findings: Findings) -> None:
    """The factory made it, and its terms are the same in the factory's event, in its answers and in its code."""
    where = f"task {history.published.task}"
    findings.expect(where, f"made by the factory {history.factory}", True, snapshot.made_by_factory)
    for name, value in history.published.terms.items():
        findings.expect(where, f"term {name}", value, snapshot.terms[name])
    arguments = code_arguments(connection, history)
    body = snapshot.code[: -len(arguments)]
    if not snapshot.code.endswith(arguments):
        what = "that of a task with the published terms, publisher, factory, registry and implementation"
        findings.expect(where, "end of the code", what, f"other code of {len(snapshot.code)} bytes")
    elif not body or body not in snapshot.factory_code:
        what = "that which the factory gives its tasks"
        findings.expect(where, "code before the terms", what, f"other code of {len(body)} bytes")


def _note_foreign_code(connection: Connection, history: TaskHistory, findings: Findings) -> None:
    try:
        foreign = foreign_contracts(connection, history)
    except RpcError as error:
        findings.notes.append(f"the contracts' code could not be compared with that of this version ({error})")
        return
    for contract in foreign:
        findings.notes.append(
            f"the code of {contract} is not that of this version: what it did is checked here, what it can do is not"
        )


def _check_books(books: TaskState, snapshot: Snapshot, findings: Findings) -> None:
    """What the contract stores is what the events add up to."""
    status = snapshot.status
    head = {"blockHash": books.head.block_hash, "root": books.head.root, "contentId": books.head.content_digest}
    for what, expected, found in (
        ("state", int(books.state), status["state"]),
        ("rounds left", books.rounds_left, status["roundsLeft"]),
        ("void rounds", books.void_rounds, status["voidRounds"]),
        ("difficulty", books.difficulty, status["difficulty"]),
        ("newest round", books.round.id if books.round is not None else 0, status["round"]["id"]),
        ("head of the model chain", head, status["head"]),
        ("reward still in escrow, in wei", books.pool, snapshot.pool),
        ("burnt, in wei", books.burnt, snapshot.burnt),
        ("number of trainers", len(books.trainers), len(snapshot.trainers)),
        ("number of miners", len(books.miners), len(snapshot.miners)),
    ):
        findings.expect("task", what, expected, found)
    for seat, (trainer, stored) in enumerate(zip(books.trainers, snapshot.trainers)):
        own = _stored(trainer) | {"cap": trainer.cap, "price": trainer.price}
        own |= {"quality": trainer.quality, "paidRounds": trainer.paid_rounds}
        _check_seat(f"trainer {seat} ({trainer.account})", own, stored, findings)
    for seat, (miner, stored) in enumerate(zip(books.miners, snapshot.miners)):
        own = _stored(miner) | {"fee": miner.fee, "provenRound": miner.proven_round}
        own["trainerSeat"] = 0 if miner.trainer_seat is None else miner.trainer_seat + 1
        _check_seat(f"miner {seat} ({miner.account})", own, stored, findings)
    if books.round is not None and books.state == State.RUNNING:
        for name, mark in _marks(books.round).items():
            findings.expect(f"round {books.round.id}", f"stored {name}", mark, status["round"][name])
    for claim, stored in snapshot.stakes.items():
        stake = books.stakes[claim]
        bond: dict[str, object] = {"challenger": stake.challenger, "postedAt": stake.block, "round": stake.round_id}
        bond |= {"seat": stake.seat, "height": 0 if stake.height is None else stake.height + 1}
        findings.expect(f"claim 0x{claim.hex()}", "bond behind it", bond, stored)
    for account, amount in snapshot.withdrawable.items():
        findings.expect(account, "withdrawable, in wei", books.withdrawable(account), amount)


def _marks(r: RoundState) -> dict[str, int]:
    """What the running round is marked with for disputes."""
    return {
        "activeMiners": sum(1 << seat for seat in r.miners),
        "refuted": sum(1 << seat for seat in r.refuted),
        "attempt": r.attempt,
        "fast": 0 if r.fast is None else r.fast.seat + 1,
        "windowFrom": r.window_from or 0,
        "lastDispute": r.last_dispute or 0,
    }


def _stored(who: SeatState) -> dict[str, object]:
    return {"account": who.account, "earned": who.earned, "deposit": who.deposit, "strikes": who.strikes}


def _check_seat(where: str, own: Mapping[str, object], stored: Mapping[str, Any], findings: Findings) -> None:
    for name, value in own.items():
        findings.expect(where, f"stored {name}", value, stored[name])


def _check_balance(books: TaskState, snapshot: Snapshot, findings: Findings) -> int:
    """The contract holds what it owes; returns the wei that came past its rules."""
    findings.expect("money", "left in the contract by whose it is, in wei", books.left, books.accounted)
    if snapshot.balance < books.left:
        findings.expect("money", "balance of the contract, in wei", f"at least {books.left}", snapshot.balance)
        return 0
    forced = snapshot.balance - books.left
    if forced:
        findings.notes.append(f"{forced} wei were forced on the contract past its rules; they belong to nobody")
    return forced


def _participants(books: TaskState) -> list[ParticipantAudit]:
    seats: list[tuple[str, int, SeatState]] = []
    seats += [("trainer", seat, trainer) for seat, trainer in enumerate(books.trainers)]
    seats += [("miner", seat, miner) for seat, miner in enumerate(books.miners)]
    return [
        ParticipantAudit(
            role=role,
            seat=seat,
            account=one.account,
            samples=one.cap if isinstance(one, TrainerState) else 0,
            deposit_wei=one.original,
            earned_wei=one.total_earned,
            slashed_wei=one.slashed,
            withdrawn_wei=books.withdrawn[one.account],
            paid_rounds=one.paid_rounds if isinstance(one, TrainerState) else 0,
            quality=one.quality if isinstance(one, TrainerState) else 0,
            strikes=one.strikes,
        )
        for role, seat, one in seats
    ]


def _disputants(books: TaskState) -> list[DisputantAudit]:
    return [
        DisputantAudit(
            account=account,
            claims=one.claims,
            refutations=one.refutations,
            bounties_wei=one.bounties,
            posted_wei=one.posted,
            returned_wei=one.returned,
            lost_wei=one.lost,
            received_wei=one.received,
            withdrawn_wei=books.withdrawn[account],
        )
        for account, one in books.disputants.items()
    ]
