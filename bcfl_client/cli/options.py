"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bcfl_client.config import parse_wei
from bcfl_client.errors import ConfigError

if TYPE_CHECKING:
    from bcfl_client.chain.connection import Connection
    from bcfl_client.chain.sender import Sender
    from bcfl_client.chain.task import Task

__all__ = [
    "DEFAULT_RPC",
    "DEFAULT_STATE",
    "DEFAULT_STORE",
    "Commands",
    "Run",
    "add_chain",
    "add_command",
    "add_data_root",
    "add_key",
    "add_store",
    "add_task",
    "address",
    "connect_to",
    "data_root",
    "number",
    "open_task",
    "part",
    "sender_of",
    "wei",
    "whole",
]

DEFAULT_RPC = "http://127.0.0.1:8545"
DEFAULT_STORE = "dir:.bcfl/store"
DEFAULT_STATE = ".bcfl/state"
DATA_VARIABLE = "BCFL_DATA"

Commands = Any  # argparse's own type for them is private
Run = Callable[[argparse.Namespace], int]


def add_command(
    commands: Commands, name: str, run: Run, brief: str, text: str, example: str
) -> argparse.ArgumentParser:
    """A command with a `brief` line, a `text` on what it does and an `example`."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=brief,
        description=text,
        epilog=f"Example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)
    return parser


def add_chain(parser: argparse.ArgumentParser) -> None:
    """--rpc and --chain-id."""
    parser.add_argument("--rpc", metavar="URL", default=DEFAULT_RPC, help="JSON-RPC address of the chain (%(default)s)")
    parser.add_argument(
        "--chain-id", metavar="ID", type=whole, help="refuse to work on any other chain than this one (any)"
    )


def add_key(parser: argparse.ArgumentParser) -> None:
    """--key."""
    parser.add_argument(
        "--key",
        metavar="FILE",
        type=Path,
        help="encrypted key file, as `bcfl key` makes it; without it, BCFL_PRIVATE_KEY of the environment is used",
    )


def add_store(parser: argparse.ArgumentParser) -> None:
    """--store."""
    parser.add_argument(
        "--store",
        metavar="STORE",
        default=DEFAULT_STORE,
        help="content store: dir:PATH, or ipfs:http://HOST:PORT for an IPFS daemon (%(default)s)",
    )


def add_data_root(parser: argparse.ArgumentParser) -> None:
    """--data-root."""
    parser.add_argument(
        "--data-root",
        metavar="DIR",
        type=Path,
        help=f"folder that holds MNIST/raw and the like (the environment's {DATA_VARIABLE})",
    )


def add_task(parser: argparse.ArgumentParser) -> None:
    """The task's address, as an argument without a name."""
    parser.add_argument("task", metavar="TASK", type=address, help="the task's contract, as `bcfl publish` printed it")


def address(text: str) -> str:
    """A checksummed account or contract address."""
    from eth_utils import to_checksum_address

    mixed_case = text[2:] not in (text[2:].lower(), text[2:].upper())
    if not re.fullmatch("0x[0-9a-fA-F]{40}", text) or (mixed_case and to_checksum_address(text) != text):
        raise argparse.ArgumentTypeError(f"{ascii(text)[:60]} is not an address: 0x and 40 hex digits, not mistyped")
    return str(to_checksum_address(text))


def wei(text: str) -> int:
    """An amount of money."""
    try:
        return parse_wei(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error).removeprefix("amount: ")) from error


def whole(text: str) -> int:
    """A whole number from 0."""
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise argparse.ArgumentTypeError(f"{ascii(text)[:40]} is not a whole number")
    return int(text)


def number(text: str) -> float:
    """A number, with or without a fraction."""
    try:
        return float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{ascii(text)[:40]} is not a number") from error


def part(text: str) -> tuple[int, int]:
    """K/N, part K of N."""
    match = re.fullmatch("([0-9]{1,6})/([0-9]{1,6})", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise argparse.ArgumentTypeError(f"{ascii(text)[:40]} is not K/N with K from 1 to N, for example 3/10")
    return int(match[1]), int(match[2])


def data_root(given: Path | None) -> Path | None:
    """The folder of data sets: `given`, else the environment's."""
    named = os.environ.get(DATA_VARIABLE)
    return given if given is not None else Path(named) if named else None


def connect_to(args: argparse.Namespace) -> Connection:
    """The chain of --rpc and --chain-id, closed when the command ends. Raises ConnectionFailed, ChainMismatch."""
    from bcfl_client.chain.connection import connect

    connection = connect(args.rpc, args.chain_id)
    args.cleanup.callback(connection.close)
    return connection


def open_task(args: argparse.Namespace) -> Task:
    """The task of the command line. Raises ConnectionFailed, ChainMismatch."""
    from bcfl_client.chain.task import Task

    return Task(connect_to(args), args.task)


def sender_of(args: argparse.Namespace, connection: Connection) -> Sender:
    """Sends for the account of --key. Raises ConfigError."""
    from bcfl_client.chain.keys import load_account
    from bcfl_client.chain.sender import Sender

    return Sender(connection, load_account(args.key))
