"""What the commands of a task's participants are told: by options, by a file, or by both."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bcfl_client.cli.options import (
    DEFAULT_RPC,
    DEFAULT_STATE,
    DEFAULT_STORE,
    address,
    number,
    part,
    wei,
    whole,
)
from bcfl_client.config import read_toml
from bcfl_client.errors import ConfigError

__all__ = ["BASIC", "BUDGET", "MINE", "NODE", "TRAIN", "Option", "add_options", "complete"]


@dataclass(frozen=True)
class Option:
    """An option of the command line that a file may give too; `default` ... means that one of them must."""

    name: str
    metavar: str
    read: Callable[[str], Any]
    default: Any
    help: str

    @property
    def flag(self) -> str:
        """As on the command line."""
        return "--" + self.name.replace("_", "-")


BASIC = (
    Option("task", "ADDRESS", address, ..., "the task's contract, as `bcfl publish` printed it"),
    Option("rpc", "URL", str, DEFAULT_RPC, "JSON-RPC address of the chain"),
    Option("chain_id", "ID", whole, None, "refuse to work on any other chain than this one"),
    Option("store", "STORE", str, DEFAULT_STORE, "content store: dir:PATH, or ipfs:http://HOST:PORT"),
    Option("key", "FILE", Path, None, "encrypted key file; without it, BCFL_PRIVATE_KEY of the environment is used"),
    Option("state", "DIR", Path, Path(DEFAULT_STATE), "folder for what must survive a restart"),
)
_COMMON = (
    *BASIC,
    Option("model", "MODEL", str, "2nn", "2nn, cnn, or package.module:factory of your own; must fit the task"),
)
_TRAINING = (
    Option("price", "AMOUNT", wei, ..., 'asked per sample and round: wei, "500 gwei", "0.000001 ether"'),
    Option("dataset", "NAME", str, "mnist", "digits, mnist, fashion-mnist, kmnist, or a folder in the data root"),
    Option("data_root", "DIR", Path, None, "folder that holds MNIST/raw and the like; else BCFL_DATA"),
    Option("partition", "SPLIT", str, "iid", "how the data set is split into parts: iid, shards:K, dirichlet:A"),
    Option("part", "K/N", part, None, "train on part K of N; without it on everything"),
    Option("seed", "N", whole, 0, "of the split and of training; the same for all parts of one split"),
    Option("training_time", "MICROSECONDS", whole, 1000, "promised per sample; all samples must fit the task's limit"),
    Option("confirmations", "BLOCKS", whole, 0, "show an update when its commitment is that deep in the chain"),
)
_MINING = (Option("fee", "AMOUNT", wei, ..., 'asked per block: wei, "0.01 ether"'),)
BUDGET = (
    Option("budget", "X", number, ..., "all the compute that the node has for the task, T, in any unit"),
    Option("training_cost", "X", number, ..., "of one local epoch, t_L, in the same unit"),
    Option("block_cost", "X", number, ..., "of one block, t_B, in the same unit"),
)
TRAIN = (
    *_COMMON,
    *_TRAINING,
    Option("relay", "FOLDER", Path, None, "leave signed updates for `bcfl relay` here, which pays their gas"),
)
MINE = (*_COMMON, *_MINING)
NODE = (*_COMMON, *_TRAINING, *_MINING, *BUDGET)


def add_options(parser: argparse.ArgumentParser, options: Sequence[Option]) -> None:
    """Adds `options`, and --config for a file that may hold them."""
    names = ", ".join(option.name for option in options)
    parser.add_argument("--config", metavar="FILE", type=Path, help=f"TOML file that may hold the same: {names}")
    for option in options:
        default = "needed" if option.default is ... else option.default
        text = option.help if default is None else f"{option.help} ({default})"
        parser.add_argument(option.flag, metavar=option.metavar, type=option.read, help=text)


def complete(args: argparse.Namespace, options: Sequence[Option], command: str) -> None:
    """Sets each option that the command line does not give from the file, else by default."""
    given = _from_file(args.config, options) if args.config is not None else {}
    for option in options:
        if getattr(args, option.name) is None:
            setattr(args, option.name, given.get(option.name, option.default))
        if getattr(args, option.name) is ...:
            name = "TASK" if option.name == "task" and command in ("node", "watch") else option.flag
            raise ConfigError(f"{name} is needed; see `bcfl {command} --help`")


def _from_file(path: Path, options: Sequence[Option]) -> dict[str, Any]:
    table = read_toml(path)
    by_name = {option.name: option for option in options}
    values = {}
    for name, value in table.rest().items():
        if name not in by_name:
            raise ConfigError(f"{path}: unknown key {ascii(name)[1:-1][:60]}; known are {', '.join(by_name)}")
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise ConfigError(f"{path}: {name} must be a text or a number, not {ascii(value)[:60]}")
        try:
            values[name] = by_name[name].read(str(value))
        except argparse.ArgumentTypeError as error:
            raise ConfigError(f"{path}: {name}: {error}") from error
    return values
