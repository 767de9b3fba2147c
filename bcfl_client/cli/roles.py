"""`bcfl train`, `bcfl mine` and `bcfl watch`: a participant of a task, from options, a file, or both."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bcfl_client.cli.options import (
    DEFAULT_RPC,
    DEFAULT_STATE,
    DEFAULT_STORE,
    Commands,
    add_command,
    address,
    data_root,
    part,
    wei,
    whole,
)
from bcfl_client.config import format_wei, read_toml
from bcfl_client.errors import ConfigError

if TYPE_CHECKING:
    from bcfl_client.roles.session import Session

__all__ = ["add_commands"]

_MONEY = ("wei", "price", "fee", "bond")  # what a participant reports in wei


@dataclass(frozen=True)
class _Option:
    """An option of the command line that a file may give too; `default` ... means that one of them must."""

    name: str
    metavar: str
    read: Callable[[str], Any]
    default: Any
    help: str

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")


_BASIC = (
    _Option("task", "ADDRESS", address, ..., "the task's contract, as `bcfl publish` printed it"),
    _Option("rpc", "URL", str, DEFAULT_RPC, "JSON-RPC address of the chain"),
    _Option("chain_id", "ID", whole, None, "refuse to work on any other chain than this one"),
    _Option("store", "STORE", str, DEFAULT_STORE, "content store: dir:PATH, or ipfs:http://HOST:PORT"),
    _Option("key", "FILE", Path, None, "encrypted key file; without it, BCFL_PRIVATE_KEY of the environment is used"),
    _Option("state", "DIR", Path, Path(DEFAULT_STATE), "folder for what must survive a restart"),
)
_COMMON = (
    *_BASIC,
    _Option("model", "MODEL", str, "2nn", "2nn, cnn, or package.module:factory of your own; must fit the task"),
)
_TRAIN = (
    *_COMMON,
    _Option("price", "AMOUNT", wei, ..., 'asked per sample and round: wei, "500 gwei", "0.000001 ether"'),
    _Option("dataset", "NAME", str, "mnist", "digits, mnist, fashion-mnist, kmnist, or a folder in the data root"),
    _Option("data_root", "DIR", Path, None, "folder that holds MNIST/raw and the like; else BCFL_DATA"),
    _Option("partition", "SPLIT", str, "iid", "how the data set is split into parts: iid, shards:K, dirichlet:A"),
    _Option("part", "K/N", part, None, "train on part K of N; without it on everything"),
    _Option("seed", "N", whole, 0, "of the split and of training; the same for all parts of one split"),
    _Option("training_time", "MICROSECONDS", whole, 1000, "promised per sample; all samples must fit the task's limit"),
    _Option("confirmations", "BLOCKS", whole, 0, "show an update when its commitment is that deep in the chain"),
    _Option("relay", "FOLDER", Path, None, "leave signed updates for `bcfl relay` here, which pays their gas"),
)
_MINE = (*_COMMON, _Option("fee", "AMOUNT", wei, ..., 'asked per block: wei, "0.01 ether"'))


def add_commands(commands: Commands) -> None:
    """Adds this group's commands."""
    parser = add_command(
        commands,
        "train",
        _train,
        "take part in a task with data of your own",
        "Bids with the samples of the data set, and when selected trains in every round, commits to the update,\n"
        "reveals it, and takes the pay and the deposit home at the end. The data never leaves this machine; model\n"
        "updates do. Stopped in any phase and started again, it carries on. Task, data and model are checked before\n"
        "any money moves.",
        'bcfl train --task 0x1234...abcd --dataset mnist --price "500 gwei" --key trainer.json',
    )
    _add_options(parser, _TRAIN)
    parser = add_command(
        commands,
        "mine",
        _mine,
        "take part in a task as a miner",
        "Bids for a fee, and when selected fetches and checks the updates of every round, averages them bit-exactly,\n"
        "scores them, seals the result, finds proof of work for a block, votes by opening its seal, and takes fees\n"
        "and deposit home at the end. Refutes false results of other miners, as `bcfl watch` does, and answers\n"
        "questions about its own. Stopped in any phase and started again, it carries on.",
        'bcfl mine --task 0x1234...abcd --fee "0.01 ether" --key miner.json',
    )
    _add_options(parser, _MINE)
    parser = add_command(
        commands,
        "watch",
        _watch,
        "refute false results of a task's miners, for a bounty",
        "Needs no seat in the task. Recomputes every round from the revealed updates, exactly, and compares it with\n"
        "what the miners open. Where a result is false it posts a bond, shows the contract one wrong coordinate, and\n"
        "gets half of the deposits of all who stood for it; where the bytes of a result are withheld it asks for them\n"
        "on the chain first. While everybody is honest it sends nothing. Stopped and started again, it carries on;\n"
        "give it a --state folder of its own where the account has another role in the task.",
        "bcfl watch 0x1234...abcd --key watcher.json",
    )
    parser.add_argument("task", metavar="TASK", nargs="?", type=address, help=_BASIC[0].help)
    _add_options(parser, _BASIC[1:])


def _add_options(parser: argparse.ArgumentParser, options: Sequence[_Option]) -> None:
    names = ", ".join(option.name for option in options)
    parser.add_argument("--config", metavar="FILE", type=Path, help=f"TOML file that may hold the same: {names}")
    for option in options:
        default = "needed" if option.default is ... else option.default
        text = option.help if default is None else f"{option.help} ({default})"
        parser.add_argument(option.flag, metavar=option.metavar, type=option.read, help=text)


def _complete(args: argparse.Namespace, options: Sequence[_Option], command: str) -> None:
    """Sets each option that the command line does not give from the file, else by default."""
    given = _from_file(args.config, options) if args.config is not None else {}
    for option in options:
        if getattr(args, option.name) is None:
            setattr(args, option.name, given.get(option.name, option.default))
        if getattr(args, option.name) is ...:
            name = "TASK" if command == "watch" else option.flag
            raise ConfigError(f"{name} is needed; see `bcfl {command} --help`")


def _from_file(path: Path, options: Sequence[_Option]) -> dict[str, Any]:
    table = read_toml(path)
    by_name = {option.name: option for option in options}
    values = {}
    for name, value in table.rest().items():
        if name not in by_name:
            raise ConfigError(f"{path}: unknown key {ascii(name)[1:-1][:60]}; known are {', '.join(by_name)}")
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise ConfigError(f"{path}: {name} must be a text or a whole number, not {ascii(value)[:60]}")
        try:
            values[name] = by_name[name].read(str(value))
        except argparse.ArgumentTypeError as error:
            raise ConfigError(f"{path}: {name}: {error}") from error
    return values


def _train(args: argparse.Namespace) -> int:
    _complete(args, _TRAIN, "train")
    session = _session(args)
    # Torch takes seconds to import: not before all that is cheap has been checked.
    from bcfl_client.roles.local_data import local_data
    from bcfl_client.roles.relay import RelayBox
    from bcfl_client.roles.trainer import TrainerSettings, run_trainer

    number, parts = args.part or (1, 1)
    images, labels = local_data(args.dataset, data_root(args.data_root), args.partition, (number, parts), args.seed)
    settings = TrainerSettings(
        args.price,
        args.model,
        args.training_time,
        args.seed,
        number - 1,
        args.confirmations,
        RelayBox(args.relay, args.account) if args.relay else None,
    )
    run_trainer(session, settings, images, labels)
    return 0


def _mine(args: argparse.Namespace) -> int:
    _complete(args, _MINE, "mine")
    session = _session(args)
    from bcfl_client.roles.miner import MinerSettings, run_miner

    run_miner(session, MinerSettings(args.fee, args.model))
    return 0


def _watch(args: argparse.Namespace) -> int:
    _complete(args, _BASIC, "watch")
    session = _session(args)
    from bcfl_client.roles.watcher import run_watcher

    run_watcher(session)
    return 0


def _session(args: argparse.Namespace) -> Session:
    from bcfl_client.chain.keys import load_account
    from bcfl_client.roles.session import open_session

    account = load_account(args.key)
    session = open_session(args.rpc, args.task, account, args.store, args.state, args.chain_id, _report)
    args.cleanup.callback(session.close)
    print(f"{account.address} at work on task {args.task}; its state is in {session.journal.folder}", flush=True)
    return session


def _report(verb: str, facts: dict[str, object]) -> None:
    facts = dict(facts)
    place = f"round {facts.pop('round')}: " if "round" in facts else ""
    money = {name: format_wei(value) for name, value in facts.items() if name in _MONEY and isinstance(value, int)}
    facts |= money
    amount = f" {facts.pop('wei')}" if "wei" in facts else ""
    rest = amount + "".join(f" {name}={value}" for name, value in facts.items())
    print(f"{time.strftime('%H:%M:%S')} {place}{verb}{rest}", flush=True)
