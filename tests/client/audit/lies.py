"""Nodes that do not tell the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bcfl_client.audit import AuditReport, audit_task
from bcfl_client.chain.connection import Connection
from bcfl_client.chain.contracts import artifact

from .stage import Stage

__all__ = ["audit_by", "lied", "word"]


class _Liar:
    """A connection whose node answers what `change` makes of the truth."""

    def __init__(self, connection: Connection, change: Callable[[str, Any], Any]) -> None:
        self._connection = connection
        self._change = change

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def request(self, method: str, *params: object) -> Any:
        return self._change(method, self._connection.request(method, *params))

    def batch(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any]:
        answers = self._connection.batch(calls)
        return [self._change(method, answer) for (method, _), answer in zip(calls, answers)]


def audit_by(stage: Stage, change: Callable[[str, Any], Any]) -> AuditReport:
    """The audit by a node whose answers `change` changes."""
    liar: Any = _Liar(stage.world.connection, change)
    return audit_task(liar, stage.store, stage.task.address, wait_seconds=0)


def lied(
    stage: Stage, name: str, change: Callable[[dict[str, Any]], dict[str, Any] | None], contract: str = "LearningTask"
) -> AuditReport:
    """The audit by a node that changes the first log `name`, or leaves it out."""
    topic = artifact(contract).codec.topic(name)

    def lie(method: str, answer: Any) -> Any:
        if method != "eth_getLogs":
            return answer
        first = next(log for log in answer if log["topics"][0] == topic)
        return [one for log in answer if (one := change(dict(log)) if log is first else log) is not None]

    return audit_by(stage, lie)


def word(index: int, change: Callable[[int], int]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A change of one 32-byte word of a log's data."""

    def changed(log: dict[str, Any]) -> dict[str, Any]:
        data = bytearray.fromhex(log["data"][2:])
        at = slice(32 * index, 32 * index + 32)
        data[at] = change(int.from_bytes(data[at], "big")).to_bytes(32, "big")
        return log | {"data": "0x" + data.hex()}

    return changed
