"""Reputation of miners, as the registry has it, and who may take the fast path (paper, section IV-B)."""

from __future__ import annotations

from dataclasses import dataclass

from bcfl_client.chain.contracts import artifact
from bcfl_client.chain.task import Task

__all__ = ["MinerRecord", "is_trusted", "miner_record", "miner_reputation"]

_BASIS = 10_000


@dataclass(frozen=True)
class MinerRecord:
    """n, m, s and t of the paper: blocks that became the head, rounds served, wei received, wei offered."""

    accepted: int
    served: int
    received: int
    offered: int


def miner_record(task: Task, account: str) -> MinerRecord:
    """The record of `account` over all tasks of the same factory."""
    return MinerRecord(*_ask(task, "minerRecord", account).values())


def miner_reputation(task: Task, account: str) -> int:
    """min(n/m, s/t) of `account`, of 65,535."""
    return int(_ask(task, "minerReputation", account))


def is_trusted(record: MinerRecord, miners: int, fast_blocks: int, fast_rewards: int) -> bool:
    """Whether a miner with `record` may propose a fast block in a task with so many miners and these terms (basis
    points): n x M >= fast_blocks x m, and s/t >= fast_rewards."""
    if fast_blocks == 0 or record.served == 0:
        return False
    enough_blocks = record.accepted * miners * _BASIS >= fast_blocks * record.served
    return enough_blocks and record.received * _BASIS >= fast_rewards * max(record.offered, 1)


def _ask(task: Task, function: str, account: str):  # type: ignore[no-untyped-def]  # what the ABI says
    connection, codec = task.connection, artifact("Reputation").codec
    registry = task.codec.result("reputation", connection.call(task.address, task.codec.call("reputation")))
    return codec.result(function, connection.call(registry, codec.call(function, account)))
