"""`bcfl status`, `bcfl audit`, `bcfl export`: what a task is at, whether it is right, what it made."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from bcfl_client.cli.options import Commands, add_chain, add_command, add_store, add_task, connect_to, open_task
from bcfl_client.config import format_wei
from bcfl_client.files import write_whole
from bcfl_client.types import bits

if TYPE_CHECKING:
    from bcfl_client.chain.task import Task
    from bcfl_client.roles.reporting import Progress

__all__ = ["add_commands"]


def add_commands(commands: Commands) -> None:
    """Adds this group's commands."""
    parser = add_command(
        commands,
        "status",
        _status,
        "show what a task is at",
        "Shows state, phase, deadline, who has done what in the running round, the newest model, the money, and who\n"
        "objected to results.",
        "bcfl status 0x1234...abcd",
    )
    add_task(parser)
    add_chain(parser)

    parser = add_command(
        commands,
        "audit",
        _audit,
        "recompute a task from outside",
        "Replays every round from the chain's logs and the content store alone: commitments, proofs of work, the\n"
        "aggregate byte for byte, scores, votes, disputes, payouts to the wei. Exit code 0: all is right; 1: a\n"
        "difference, which is named; 3: no difference, but bytes that it needs are no longer available.",
        "bcfl audit 0x1234...abcd --store dir:.bcfl/store",
    )
    add_task(parser)
    add_chain(parser)
    add_store(parser)
    parser.add_argument(
        "--model", metavar="MODEL", help="2nn, cnn, or package.module:factory of your own, to recompute the scores with"
    )
    parser.add_argument("--report", metavar="FILE", type=Path, help="also write the findings to FILE, as JSON")

    parser = add_command(
        commands,
        "export",
        _export,
        "save a task's model and record as files",
        "Fetches the newest accepted model, checks it against the chain, and writes into DIR: model.npz (float32\n"
        "arrays by tensor name, for numpy.load), model.bin (the integers that the chain binds), manifest.json and\n"
        "events.json.",
        "bcfl export 0x1234...abcd --out result",
    )
    add_task(parser)
    add_chain(parser)
    add_store(parser)
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder to write to")


def _status(args: argparse.Namespace) -> int:
    from bcfl_client.roles.reporting import progress

    task = open_task(args)
    for line in [*_status_lines(task, progress(task)), *_dispute_lines(task)]:
        print(line)
    return 0


def _status_lines(task: Task, now: Progress) -> list[str]:
    state, phase = now.status.state.name.lower(), now.status.phase.name.lower()
    lines = [f"task      {task.address} on chain {task.connection.chain_id}, published by {task.publisher()}"]
    if now.status.state.name == "RUNNING":
        done = now.rounds - now.status.rounds_left + 1
        lines.append(
            f"state     running: round {now.status.round.id}, the {done}. of {now.rounds}; phase {phase}{_ends(now)}"
        )
    else:
        lines.append(f"state     {state}{_ends(now)}")
    if now.trainers:
        active = now.status.round
        lines.append(f"trainers  {len(now.trainers)}, {active.active_trainers} active")
        lines += _acted("committed", now.committed) + _acted("revealed", now.revealed)
        lines.append(f"miners    {len(now.miners)}, {active.active_miners.bit_count()} active")
        lines += _acted("checked", now.checked) + _acted("sealed", now.sealed)
        lines += _acted("proposed", now.proposed) + _acted("opened", now.opened)
    else:
        lines.append(f"bids      {now.bids[0]} trainers, {now.bids[1]} miners")
    lines += _block_lines(now)
    head = now.status.head
    from bcfl_client.storage import Content

    content = Content(head.content_digest, 4 * task.terms["parameterCount"]).cid
    block = f"block 0x{head.block_hash.hex()}" if any(head.block_hash) else "no block yet, the initial model"
    lines.append(f"head      {block}")
    lines.append(f"          model root 0x{head.root.hex()}, content {content}")
    lines.append(
        f"money     reward {format_wei(now.reward)}, {format_wei(now.pool)} of it left, {format_wei(now.burnt)} burnt"
    )
    if now.rests_on_majority:
        lines.append("note      min_window is 0: the result is as correct as the majority of the miners is honest")
    return lines


def _block_lines(now: Progress) -> list[str]:
    """What is unusual about the running round's block."""
    r = now.status.round
    lines: list[str] = []
    if now.status.state.name == "RUNNING" and r.fast:
        lines.append(f"  fast      block of {now.miners[r.fast - 1]}, without a vote")
    if now.status.attempt:
        lines.append(f"  attempt   {now.status.attempt} of mining")
    if r.refuted:
        lines += _acted("refuted", tuple(now.miners[seat] for seat in bits(r.refuted)))
    return lines


def _dispute_lines(task: Task) -> list[str]:
    """Bounties, bonds and refutations of everybody, whether it has a seat or not."""
    from bcfl_client.roles.bonds import disputants

    lines: list[str] = []
    for one in disputants(task.events(), task.terms["challengeBond"]):
        said = f"{one.claims} claims, {one.refutations} shown, bounties {format_wei(one.bounties)}, "
        said += f"bonds {format_wei(one.posted)}: {format_wei(one.returned)} returned, {format_wei(one.lost)} lost, "
        said += f"{format_wei(one.still_in)} still in; {format_wei(one.received)} of others' bonds"
        lines.append(f"{'disputes' if not lines else '':9} {one.address} ({one.role}): {said}")
    return lines


def _ends(now: Progress) -> str:
    if not now.status.deadline:
        return ""
    left = max(0, now.status.deadline - int(time.time()))
    return f", for {left} s more at most"


def _acted(verb: str, accounts: tuple[str, ...]) -> list[str]:
    return [f"  {verb:9} {len(accounts)}: {', '.join(accounts)}" if accounts else f"  {verb:9} 0"]


def _audit(args: argparse.Namespace) -> int:
    from bcfl_client.audit import audit_task
    from bcfl_client.storage import open_store

    store = open_store(args.store)
    store.check()
    report = audit_task(connect_to(args), store, args.task, model=args.model, progress=_tell)
    if args.report is not None:
        text = json.dumps({**asdict(report), "ok": report.ok}, indent=1) + "\n"
        write_whole(args.report, lambda file: file.write(text.encode()))
    print(report.summary)
    return report.exit_code


def _tell(line: str) -> None:
    print(line, file=sys.stderr)


def _export(args: argparse.Namespace) -> int:
    from bcfl_client.chain.history import read_history
    from bcfl_client.storage import open_store

    store = open_store(args.store)
    task = open_task(args)
    from bcfl_client.roles.export import export_task

    for path in export_task(task, read_history(task.connection, task.address), store, args.out):
        print(path)
    return 0
