"""What a demo leaves behind: a JSON report for programs and a table for people."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bcfl_client.audit import AuditReport, ParticipantAudit
from bcfl_client.chain.task import Task, transaction_costs
from bcfl_client.demo.actors import Actor, Message
from bcfl_client.demo.losses import losses
from bcfl_client.demo.progress import RoundClock
from bcfl_client.files import write_whole
from bcfl_client.storage import Content, ContentStore
from bcfl_client.types import Event, bits

__all__ = ["Run", "print_table", "write_report"]


@dataclass
class Run:
    """A demo that has been played: clocks and test accuracy by round, gas by actor."""

    task: Task
    actors: list[Actor]
    store: ContentStore
    clocks: dict[int, RoundClock] = field(default_factory=dict)
    accuracy: dict[int, float] = field(default_factory=dict)
    gas_used: dict[str, int] = field(default_factory=dict)
    fees: dict[str, int] = field(default_factory=dict)
    tried: dict[str, dict[str, Counter[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Counter)))

    def note(self, message: Message) -> None:
        """Takes in what an actor says; of who does not keep the rules, only what the round's clock must know."""
        if message.verb == "done":
            self.gas_used[message.actor] = int(str(message.facts["gas"]))
            self.fees[message.actor] = int(str(message.facts["fees"]))
        elif message.verb in ("refused", "got away with"):
            reason = str(message.facts.get("reason", "")).removeprefix("LearningTask_")
            outcome = reason or "taken, and worth nothing"
            self.tried[message.actor][str(message.facts["what"])][outcome] += 1
        elif "round" in message.facts and (self._is_honest(message.actor) or message.verb == "proposed"):
            self.clocks.setdefault(int(str(message.facts["round"])), RoundClock(message.at)).note(message)

    def miner_name(self, seat: int) -> str:
        """Who has that miner's seat."""
        account = self.task.miners()[seat].account
        return next(actor.name for actor in self.actors if actor.account.address == account)

    def _is_honest(self, name: str) -> bool:
        return any(actor.name == name and actor.honest for actor in self.actors)

    def final_model(self) -> Content:
        """The last accepted model."""
        head = self.task.status().head
        return Content(head.content_digest, 4 * int(self.task.terms["parameterCount"]))


def write_report(path: Path, run: Run, audit: AuditReport) -> None:
    """Writes the JSON report, whole or not at all. Money as integers in wei. Raises ConfigError."""
    status, rounds = run.task.status(), _rounds(run)
    document = {
        "chain_id": run.task.connection.chain_id,
        "task": run.task.address,
        "final_model_root": "0x" + status.head.root.hex(),
        "final_content_id": run.final_model().cid,
        "rounds": rounds,
        "transactions": [one.pop("transactions") for one in rounds],
        "participants": _participants(run, audit),
        "adversaries": [one.facts() for one in losses(run, audit)],
        "totals": {
            "paid_in_wei": audit.totals.paid_in_wei,
            "paid_out_wei": audit.totals.paid_out_wei,
            "burnt_wei": audit.totals.burnt_wei,
            "left_in_contracts_wei": audit.totals.left_wei,
        },
        "audit": {"ok": audit.ok, "differences": [str(one) for one in (*audit.differences, *audit.unavailable)]},
    }
    text = json.dumps(document, indent=1) + "\n"
    write_whole(path, lambda file: file.write(text.encode()))


def print_table(run: Run, audit: AuditReport) -> None:
    """Prints what each participant put in and got out, next to the audit's verdict."""
    names = {str(actor.account.address): actor.name for actor in run.actors}
    scores = _last_scores(run)
    print(
        f"\n{'':<12}{'deposit':>12}{'rounds':>8}{'samples':>9}{'score':>7}{'earned':>12}{'refunded':>12}{'balance':>13}"
    )
    for row in _rows(run, audit):
        account = str(row["address"])
        balance = run.task.connection.balance(account)
        score = scores.get(account)
        print(
            f"{names[account]:<12}{_ether(row['deposit_wei']):>12}{row['rounds'] or '':>8}{row['samples'] or '':>9}"
            f"{'' if score is None else f'{score / 65535:.3f}':>7}{_ether(row['paid_wei']):>12}"
            f"{_ether(row['refunded_wei']):>12}{_ether(balance):>13}"
        )
    print("amounts in ETH; balance after gas\n")
    print(audit.summary)


def print_speed(run: Run, audit: AuditReport) -> None:
    """Prints what a round took besides training, with and without a vote; the window to object counts in both."""
    window = run.task.terms["minWindow"]
    for fast, name in ((False, "with a vote"), (True, "without a vote")):
        ids = [one.id for one in audit.rounds if one.accepted and one.fast == fast and one.id in run.clocks]
        seconds = [run.clocks[number].seconds() for number in ids]
        if not seconds:
            print(f"blocks {name:<15}  none")
            continue
        rest = sum(sum(one.values()) - one["train"] for one in seconds) / len(seconds)
        block = sum(one["seal"] + one["mine"] for one in seconds) / len(seconds)
        print(
            f"blocks {name:<15}{len(ids):>3} rounds, {rest:.2f} s each besides training: {block:.2f} s from the "
            f"last verdict to the block, then {window} s or more to object"
        )


def _rounds(run: Run) -> list[dict[str, Any]]:
    events = _by_round(run)
    costs = _costs(run)
    miners = run.task.miners()
    rounds = []
    for number in sorted(events):
        final = _first(events[number], "RoundFinalised")
        inputs = _first(events[number], "InputsFrozen")
        block = None
        if final is not None:
            proposed = [event for event in events[number] if event.name in ("Proposed", "FastProposed")]
            block = next(event for event in proposed if event.args["blockHash"] == final.args["blockHash"])
        rounds.append(
            {
                "round": number,
                "accuracy": run.accuracy.get(number),
                "updates": 0 if inputs is None else len(bits(_int(inputs, "inputs"))),
                "block_hash": None if final is None else "0x" + _bytes(final, "blockHash").hex(),
                "miner": None if final is None else miners[_int(final, "seat")].account,
                "work": None if block is None else _int(block, "difficulty"),
                "seconds": run.clocks[number].seconds() if number in run.clocks else {},
                "gas": {name: gas for name, (_, gas) in sorted(costs.get(number, {}).items())},
                "transactions": sum(count for count, _ in costs.get(number, {}).values()),
            }
        )
    return rounds


def _participants(run: Run, audit: AuditReport) -> list[dict[str, Any]]:
    gas = {actor.account.address: run.gas_used.get(actor.name, 0) for actor in run.actors}
    kept = ("role", "address", "samples", "paid_wei", "refunded_wei", "slashed_wei")
    return [{**{name: row[name] for name in kept}, "gas_used": gas[row["address"]]} for row in _rows(run, audit)]


def _rows(run: Run, audit: AuditReport) -> list[dict[str, Any]]:
    """One row per actor: publisher, trainers, miners. `paid` for work, `refunded` of what it had put in."""
    withdrawn: dict[str, int] = defaultdict(int)
    for event in run.task.events():
        if event.name == "Withdrawn":
            withdrawn[str(event.args["account"])] += _int(event, "amount")
    seats: dict[str, ParticipantAudit] = {one.account: one for one in audit.participants}
    bonds = {one.account: one.posted_wei for one in audit.disputants}
    reward = run.task.terms["reward"]
    rows = []
    for actor in run.actors:
        account = str(actor.account.address)
        seat = seats.get(account)
        paid = seat.earned_wei if seat else 0
        rows.append(
            {
                "role": actor.role,
                "address": account,
                "samples": seat.samples if seat else 0,
                "rounds": seat.paid_rounds if seat else 0,
                "deposit_wei": seat.deposit_wei if seat else reward if actor.role == "publisher" else 0,
                "bonds_wei": bonds.get(account, 0),
                "paid_wei": paid,
                "refunded_wei": withdrawn[account] - paid,
                "slashed_wei": seat.slashed_wei if seat else 0,
            }
        )
    return rows


def _costs(run: Run) -> dict[int, dict[str, tuple[int, int]]]:
    """By round and function: how many transactions, and their gas."""
    hashes: dict[int, set[str]] = defaultdict(set)
    seen: set[str] = set()
    for event in run.task.events():
        # The call that ends a round also starts the next one: it counts for the one it ends.
        if "round" in event.args and event.transaction not in seen:
            seen.add(event.transaction)
            hashes[_int(event, "round")].add(event.transaction)
    costs: dict[int, dict[str, tuple[int, int]]] = {}
    for number, transactions in hashes.items():
        sums: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
        for name, gas in transaction_costs(run.task, sorted(transactions)):
            sums[name] = (sums[name][0] + 1, sums[name][1] + gas)
        costs[number] = dict(sums)
    return costs


def _last_scores(run: Run) -> dict[str, int]:
    """Scores of the last round with a block that was voted on, by account."""
    trainers = run.task.trainers()
    final = [event for event in run.task.events() if event.name == "RoundFinalised" and event.args["medians"]]
    if not final:
        return {}
    words: Any = final[-1].args["medians"]
    return {trainer.account: words[i // 16] >> (16 * (i % 16)) & 0xFFFF for i, trainer in enumerate(trainers)}


def _by_round(run: Run) -> dict[int, list[Event]]:
    rounds: dict[int, list[Event]] = defaultdict(list)
    for event in run.task.events():
        if "round" in event.args:
            rounds[_int(event, "round")].append(event)
    return rounds


def _first(events: list[Event], name: str) -> Event | None:
    return next((event for event in events if event.name == name), None)


def _int(event: Event, name: str) -> int:
    return int(str(event.args[name]))


def _bytes(event: Event, name: str) -> bytes:
    value = event.args[name]
    assert isinstance(value, bytes)
    return value


def _ether(wei: int) -> str:
    return f"{wei / 1e18:.6f}"
