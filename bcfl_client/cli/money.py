"""`bcfl rewards`, `bcfl withdraw`: who earned what, and taking it home."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from bcfl_client.roles.bonds import Disputant
    from bcfl_client.roles.reporting import Participant

__all__ = ["add_commands"]


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


def _rewards(args: argparse.Namespace) -> int:
    from bcfl_client.chain.history import read_history
    from bcfl_client.cli.options import connect_to
    from bcfl_client.roles.bonds import disputants
    from bcfl_client.roles.reporting import participants, task_money

    history = read_history(connect_to(args), args.task)
    disputed = disputants(history.events, history.published.terms["challengeBond"])
    people, money = participants(history), task_money(history)
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
