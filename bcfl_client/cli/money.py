"""`bcfl rewards`, `bcfl withdraw`: who earned what, and taking it home."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from bcfl_client.cli.options import (
    Commands,
    add_chain,
    add_command,
    add_key,
    add_task,
    address,
    open_task,
    sender_of,
)
from bcfl_client.config import format_wei
from bcfl_client.types import Event, Role

if TYPE_CHECKING:
    from bcfl_client.chain.history import TaskHistory
    from bcfl_client.roles.reporting import Money, Participant

__all__ = ["Disputant", "add_commands", "disputants"]


def add_commands(commands: Commands) -> None:
    """Adds this group's commands."""
    parser = add_command(
        commands,
        "rewards",
        _rewards,
        "show who earned what",
        "One line per participant, from the chain's logs alone: deposit, samples, rounds it was paid for, last score\n"
        "(of 65,535), earned, refunded and lost deposit, and what it has withdrawn; then one line per account that\n"
        "objected to a result or got a part of a lost bond, watchers without a seat included: claims, how many it has\n"
        "shown, bounties, and bonds posted, returned, lost and received; then where all the money is.",
        "bcfl rewards 0x1234...abcd",
    )
    add_task(parser)
    add_chain(parser)
    parser.add_argument("--json", action="store_true", help="print JSON, all amounts in wei")

    parser = add_command(
        commands,
        "withdraw",
        _withdraw,
        "take home what a task owes",
        "Sends an account what it has earned and is owed and, once the task is closed, its deposit. `bcfl train` and\n"
        "`bcfl mine` do this at their end. Money goes to the account itself, whoever asks and pays the gas.",
        "bcfl withdraw 0x1234...abcd --key trainer.json",
    )
    add_task(parser)
    add_chain(parser)
    add_key(parser)
    parser.add_argument("--account", metavar="ADDRESS", type=address, help="whose money (the account of --key)")


@dataclass(frozen=True)
class Disputant:
    """What disputes brought an account, and cost it, as the logs tell it. Money in wei.

    `role` is its part in the task, or watcher. `refutations` are the claims that it has shown. `posted` = `returned` +
    `lost` + bonds that are still in; `received` is its part of bonds that others lost against its block.
    """

    address: str
    role: str
    claims: int = 0
    refutations: int = 0
    bounties: int = 0
    posted: int = 0
    returned: int = 0
    lost: int = 0
    received: int = 0

    @property
    def still_in(self) -> int:
        """Bonds of it that are in the contract."""
        return self.posted - self.returned - self.lost


def disputants(events: Iterable[Event], bond: int) -> list[Disputant]:
    """Everybody who posted a bond of `bond` wei in a task with these events, or received a part of one."""
    ledger = _Disputes(bond)
    for event in events:
        ledger.add(event)
    return list(ledger.accounts.values())


class _Disputes:
    """One pass over a task's events."""

    def __init__(self, bond: int) -> None:
        self.accounts: dict[str, Disputant] = {}
        self._bond = bond
        self._roles: dict[str, str] = {}
        self._miners: dict[int, str] = {}
        self._stakes: dict[object, tuple[str, int, tuple[int, int]]] = {}  # challenger, block, round and seat by claim
        self._accused: dict[tuple[int, int], tuple[int, str]] = {}  # block and challenger by round and seat
        self._winner: str | None = None

    def add(self, event: Event) -> None:
        args: Any = event.args
        match event.name:
            case "Selected":
                self._select(Role(args["role"]), args["seat"], args["account"])
            case "ChallengeCommitted" | "Questioned":
                self._stakes[args["claim"]] = args["challenger"], event.block, (args["round"], args["seat"])
                self._add(args["challenger"], claims=1, posted=self._bond)
            case "Refuted":
                challenger, block, about = self._stakes.pop(args["claim"])
                self._add(challenger, refutations=1)
                self._accuse(about, (block, challenger))
            case "BondReturned":
                del self._stakes[args["claim"]]
                self._add(args["challenger"], returned=self._bond)
            case "RoundFinalised":
                self._winner = self._miners[args["seat"]]
            case "RoundVoided":
                self._winner = None
            case "BountyPaid":
                self._add(args["challenger"], bounties=args["bounty"], returned=args["bond"])
            case "BondsLost":
                self._lose((args["round"], args["seat"]), args["amount"])

    def _select(self, role: Role, seat: int, account: str) -> None:
        name = f"{role.name.lower()} {seat}"
        self._roles[account] = f"{self._roles[account]}, {name}" if account in self._roles else name
        if role == Role.MINER:
            self._miners[seat] = account

    def _accuse(self, about: tuple[int, int], newer: tuple[int, str]) -> None:
        """Whoever committed first waits for the bounty; the bond of another comes back at once."""
        older = self._accused.setdefault(about, newer)
        if older is not newer:
            first, second = (newer, older) if newer[0] < older[0] else (older, newer)
            self._accused[about] = first
            self._add(second[1], returned=self._bond)

    def _lose(self, about: tuple[int, int], amount: int) -> None:
        for claim in [claim for claim, stake in self._stakes.items() if stake[2] == about]:
            self._add(self._stakes.pop(claim)[0], lost=self._bond)
        if self._winner is not None:
            self._add(self._winner, received=amount // 2)

    def _add(self, account: str, **more: int) -> None:
        one = self.accounts.get(account) or Disputant(account, self._roles.get(account, "watcher"))
        self.accounts[account] = replace(one, **{name: getattr(one, name) + value for name, value in more.items()})


def _rewards(args: argparse.Namespace) -> int:
    from bcfl_client.chain.history import read_history
    from bcfl_client.cli.options import connect_to
    from bcfl_client.roles.reporting import participants

    history = read_history(connect_to(args), args.task)
    disputed = disputants(history.events, history.published.terms["challengeBond"])
    people, money = participants(_voted(history)), _money(history, disputed)
    if args.json:
        found = {
            "task": args.task,
            "participants": [asdict(p) for p in people],
            "disputes": [asdict(one) for one in disputed],
            "money": asdict(money),
        }
        print(json.dumps(found, indent=1))
        return 0
    _print_table([_HEADER, *(_row(person) for person in people)])
    if disputed:
        print("disputes:")
        _print_table([_DISPUTES_HEADER, *(_disputes_row(one) for one in disputed)])
    print(
        f"paid in {format_wei(money.paid_in)} = paid out {format_wei(money.paid_out)} "
        f"+ burnt {format_wei(money.burnt)} + still in the contract {format_wei(money.left)}"
    )
    return 0


def _voted(history: TaskHistory) -> TaskHistory:
    """Without the ends of rounds that had no vote: they hold no scores."""
    kept = (event for event in history.events if event.name != "RoundFinalised" or event.args["medians"])
    return replace(history, events=tuple(kept))


def _money(history: TaskHistory, disputed: Iterable[Disputant]) -> Money:
    """All the money that went in and out, bonds included."""
    from bcfl_client.roles.reporting import Money

    sums: Counter[str] = Counter()
    for event in history.events:
        args: Any = event.args
        if event.name in ("BidPlaced", "Withdrawn", "Burnt"):
            sums[event.name] += args["deposit" if event.name == "BidPlaced" else "amount"]
    bonds = sum(one.posted for one in disputed)
    paid_in = history.published.terms["reward"] + sums["BidPlaced"] + bonds
    return Money(paid_in, sums["Withdrawn"], sums["Burnt"], paid_in - sums["Withdrawn"] - sums["Burnt"])


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


_HEADER = ("role", "account", "deposit", "samples", "rounds", "score", "earned", "refunded", "slashed", "withdrawn")


def _row(person: Participant) -> tuple[str, ...]:
    return (
        person.role if person.seat is None else f"{person.role} {person.seat}",
        person.address,
        format_wei(person.deposit),
        str(person.samples or "-"),
        str(person.rounds),
        "-" if person.score is None else str(person.score),
        *(format_wei(amount) for amount in (person.earned, person.refunded, person.slashed, person.withdrawn)),
    )


_DISPUTES_HEADER = ("role", "account", "claims", "shown", "bounties", "bonds", "returned", "lost", "received")


def _disputes_row(one: Disputant) -> tuple[str, ...]:
    amounts = (one.bounties, one.posted, one.returned, one.lost, one.received)
    return one.role, one.address, str(one.claims), str(one.refutations), *(format_wei(amount) for amount in amounts)


def _withdraw(args: argparse.Namespace) -> int:
    from bcfl_client.chain.task import TaskActor

    task = open_task(args)
    sender = sender_of(args, task.connection)
    account = args.account or sender.address
    amount = task.withdrawable(account)
    if amount == 0:
        closed = task.status().state.closed
        print(f"nothing to withdraw for {account}" + ("" if closed else " yet: deposits stay until the task is closed"))
        return 0
    TaskActor(task, sender).withdraw(account)
    print(f"{format_wei(amount)} sent to {account}")
    return 0
