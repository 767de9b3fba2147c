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

__all__ = ["ARTIFACTS", "Artifact", "Deployment", "artifact", "deploy", "require_factory"]

ARTIFACTS = Path(__file__).resolve().parents[2] / "build" / "contracts"


@dataclass(frozen=True)
class Artifact:
    """A compiled contract: its interface and its creation code."""

    codec: Codec
    bytecode: bytes


@dataclass(frozen=True)
class Deployment:
    """Addresses of a fresh set of contracts."""

    factory: str
    reputation: str
    implementation: str
    transitions: str


@cache
def artifact(name: str) -> Artifact:
    """The compiled contract `name`. Raises ConfigError when the contracts are not compiled."""
    path = ARTIFACTS / f"{name}.json"
    try:
        compiled = json.loads(path.read_text())
        return Artifact(Codec(compiled["abi"]), bytes.fromhex(compiled["bytecode"].removeprefix("0x")))
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"no compiled contract {name} under {ARTIFACTS}; run `make setup`") from error


def deploy(sender: Sender, task_fee: int = 0) -> Deployment:
    """Deploys everything a chain needs once; `task_fee` wei are burnt per task published there."""
    transitions = _create(sender, "TaskTransitions")
    implementation = _create(sender, "LearningTask", transitions)
    factory = _create(sender, "TaskFactory", task_fee, implementation)
    codec = artifact("TaskFactory").codec
    reputation = codec.result("reputation", sender.connection.call(factory, codec.call("reputation")))
    return Deployment(factory, reputation, implementation, transitions)


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
