"""The compiled contracts, and their deployment."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bcfl_client.chain.codec import Codec
from bcfl_client.chain.connection import Connection
from bcfl_client.chain.sender import Sender
from bcfl_client.errors import ChainMismatch, ConfigError

__all__ = ["ARTIFACTS", "TASK_PIECES", "Artifact", "Deployment", "artifact", "deploy", "require_factory"]

TASK_PIECES = {"TaskBidding": "bidding", "TaskBlocks": "blocks", "TaskSettlement": "settlement"}
"""Contracts that hold code of `LearningTask`, with the view that names their address, as its constructor takes them."""

ARTIFACTS = Path(__file__).resolve().parents[2] / "build" / "contracts"


@dataclass(frozen=True)
class Artifact:
    """A compiled contract: its interface, its creation code and what that leaves on the chain."""

    codec: Codec
    bytecode: bytes
    runtime: bytes


@dataclass(frozen=True)
class Deployment:
    """Addresses of a fresh set of contracts; `pieces` of the implementation's code by name."""

    factory: str
    reputation: str
    implementation: str
    pieces: dict[str, str]


@cache
def artifact(name: str) -> Artifact:
    """The compiled contract `name`. Raises ConfigError when the contracts are not compiled."""
    path = ARTIFACTS / f"{name}.json"
    try:
        compiled = json.loads(path.read_text())
        code = (bytes.fromhex(compiled[name].removeprefix("0x")) for name in ("bytecode", "deployedBytecode"))
        return Artifact(Codec(compiled["abi"]), *code)
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"no compiled contract {name} under {ARTIFACTS}; run `make setup`") from error


def deploy(sender: Sender, task_fee: int = 0) -> Deployment:
    """Deploys everything a chain needs once; `task_fee` wei are burnt per task published there."""
    pieces = {name: _create(sender, name) for name in TASK_PIECES}
    implementation = _create(sender, "LearningTask", *pieces.values())
    factory = _create(sender, "TaskFactory", task_fee, implementation)
    codec = artifact("TaskFactory").codec
    reputation = codec.result("reputation", sender.connection.call(factory, codec.call("reputation")))
    return Deployment(factory, reputation, implementation, pieces)


def require_factory(connection: Connection, address: str) -> None:
    """Raises ChainMismatch unless a task factory answers at `address`."""
    if not connection.has_code(address):
        raise ChainMismatch(
            f"no contract at {address} on chain {connection.chain_id}; run `bcfl deploy` and use its address"
        )
    codec = artifact("TaskFactory").codec
    try:
        codec.result("taskCount", connection.call(address, codec.call("taskCount")))
    except Exception as error:
        raise ChainMismatch(f"the contract at {address} is not a task factory") from error


def _create(sender: Sender, name: str, *args: object) -> str:
    compiled = artifact(name)
    data = compiled.bytecode + (compiled.codec.constructor(*args) if args else b"")
    receipt = sender.wait(sender.send(None, data))
    assert receipt.contract is not None
    return receipt.contract
