"""`bcfl doctor`: whether everything is there that the commands need."""

from __future__ import annotations

import argparse
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bcfl_client.cli.options import DEFAULT_RPC, DEFAULT_STORE, Commands, add_command, add_data_root, data_root
from bcfl_client.errors import ConfigError

__all__ = ["add_commands"]

_ROOT = Path(__file__).resolve().parents[2]
_COMPILER = _ROOT / "scripts" / "solc" / "solc-v0.8.30"
_CONTRACTS = ("TaskFactory", "LearningTask", "TaskBidding", "TaskBlocks", "TaskSettlement", "Reputation")


@dataclass(frozen=True)
class _Check:
    """Something that may be missing: `look` returns what is there, or raises. Not `needed`: some commands only."""

    what: str
    needed: bool
    look: Callable[[], str]


def add_commands(commands: Commands) -> None:
    """Adds this group's commands."""
    parser = add_command(
        commands,
        "doctor",
        _doctor,
        "check that everything needed is installed",
        "Looks at each part once and prints a line for it: ok, missing (then the exit code is 1) or - for what only\n"
        "some commands need. Chain, store and data count as needed when you name them.",
        "bcfl doctor --rpc http://127.0.0.1:8545",
    )
    parser.add_argument("--rpc", metavar="URL", help=f"chain to look for ({DEFAULT_RPC})")
    parser.add_argument("--store", metavar="STORE", help=f"content store to look for ({DEFAULT_STORE})")
    add_data_root(parser)


def _doctor(args: argparse.Namespace) -> int:
    checks = (
        _Check("Python", True, _python),
        _Check("Node", True, lambda: _version("node", "--version")),
        _Check("compiler", True, lambda: _version("node", str(_COMPILER), "--version")),
        _Check("contracts", True, _contracts),
        _Check("Anvil", True, _anvil),
        _Check("torch", True, _torch),
        _Check("kernels", True, _kernels),
        _Check("data", args.data_root is not None, lambda: _data(data_root(args.data_root))),
        _Check("chain", args.rpc is not None, lambda: _chain(args.rpc or DEFAULT_RPC)),
        _Check("store", args.store is not None, lambda: _store(args.store or DEFAULT_STORE)),
    )
    missing = 0
    for check in checks:
        try:
            found, mark = check.look(), "ok"
        except Exception as error:  # whatever is wrong with an installation is what this is for
            found, mark = " ".join(str(error).split()), "missing" if check.needed else "-"
            missing += check.needed
        print(f"{mark:8} {check.what:10} {found}", flush=True)
    return 1 if missing else 0


def _python() -> str:
    return f"{platform.python_version()} in {sys.prefix}"


def _version(*command: str) -> str:
    if shutil.which(command[0]) is None:
        raise ConfigError(f"{command[0]} is not on PATH; install it, then run `make setup`")
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode:
        raise ConfigError(f"{' '.join(command)} failed: {done.stderr.strip()[-200:]}; run `make setup`")
    lines = done.stdout.strip().splitlines()
    return next((line for line in lines if "ersion" in line), lines[0])


def _contracts() -> str:
    from bcfl_client.chain.contracts import ARTIFACTS, artifact

    for name in _CONTRACTS:
        artifact(name)
    return f"compiled in {ARTIFACTS}"


def _anvil() -> str:
    from bcfl_client.chain.devchain import find_anvil

    program = find_anvil()
    return f"{_version(program, '--version')} ({program})"


def _torch() -> str:
    import torch

    return f"{torch.__version__}"


def _kernels() -> str:
    from bcfl_client.learning.warmup import warm_up

    start = time.monotonic()
    warm_up()
    return f"compiled, loaded in {time.monotonic() - start:.1f} s"


def _data(root: Path | None) -> str:
    if root is None:
        raise ConfigError("BCFL_DATA is not set; without it there is only the data set digits")
    from bcfl_client.learning.datasets import TORCHVISION_FOLDERS

    found = [name for name, folder in TORCHVISION_FOLDERS.items() if (root / folder / "raw").is_dir()]
    if not found:
        raise ConfigError(f"no data set under {root}: there is no {root}/MNIST/raw")
    return f"{', '.join(found)} in {root}"


def _chain(url: str) -> str:
    from bcfl_client.chain.connection import connect

    with closing(connect(url)) as connection:
        return f"chain {connection.chain_id} at block {connection.block_number()}, {url}"


def _store(url: str) -> str:
    from bcfl_client.storage import open_store

    return open_store(url).check()
