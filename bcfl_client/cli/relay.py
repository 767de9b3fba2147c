"""`bcfl relay`: posts what trainers have signed, in batches."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from bcfl_client.cli.options import DEFAULT_STATE, Commands, add_chain, add_command, add_key, add_store, add_task

__all__ = ["add_commands"]


def add_commands(commands: Commands) -> None:
    """Adds this group's commands."""
    parser = add_command(
        commands,
        "relay",
        _relay,
        "post trainers' signed updates in batches, and pay their gas",
        "Takes the signed commitments and reveals that trainers leave in a folder (`bcfl train --relay FOLDER`),\n"
        "checks each of them, and posts them together, which costs less gas than one by one. Waits two seconds for a\n"
        "batch to fill, and never beyond a deadline. Nobody needs to trust it: it cannot alter anything, and a\n"
        "trainer that it leaves waiting posts for itself. Ends with the task.",
        "bcfl relay 0x1234...abcd --inbox /srv/bcfl-inbox --key relay.json",
    )
    add_task(parser)
    parser.add_argument("--inbox", metavar="FOLDER", type=Path, required=True, help="where trainers leave their files")
    add_chain(parser)
    add_store(parser)
    add_key(parser)
    parser.add_argument(
        "--state",
        metavar="DIR",
        type=Path,
        default=Path(DEFAULT_STATE),
        help="folder for what must survive a restart (%(default)s)",
    )


def _relay(args: argparse.Namespace) -> int:
    from bcfl_client.chain.keys import load_account
    from bcfl_client.roles.relay import run_relay
    from bcfl_client.roles.session import open_session

    account = load_account(args.key)
    session = open_session(args.rpc, args.task, account, args.store, args.state, args.chain_id, _say)
    args.cleanup.callback(session.close)
    print(f"{account.address} relays for task {args.task}", flush=True)
    run_relay(session, args.inbox)
    return 0


def _say(verb: str, facts: dict[str, object]) -> None:
    print(
        f"{time.strftime('%H:%M:%S')} {verb} {' '.join(f'{key}={value}' for key, value in facts.items())}", flush=True
    )
