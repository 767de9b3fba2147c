"""A task's history from nodes with limits of their own."""

from __future__ import annotations

from typing import Any

import pytest

from bcfl_client.chain.connection import RpcError
from bcfl_client.chain.history import code_arguments, read_history, read_snapshot
from bcfl_client.errors import ChainMismatch

from .stage import Stage


class _Narrow:
    """A node that serves the logs of at most `most` blocks at once, and has none from before block `first`."""

    def __init__(self, connection: Any, most: int = 10**6, first: int = 0) -> None:
        self._connection = connection
        self._most = most
        self._first = first
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def request(self, method: str, *params: Any) -> Any:
        answer = self._connection.request(method, *params)
        if method == "eth_getLogs":
            self.asked += 1
            if int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16) >= self._most:
                raise RpcError(method, -32005, "query returned too many blocks")
            return [log for log in answer if int(log["blockNumber"], 16) >= self._first]
        return answer


def test_logs_come_in_pieces_where_the_node_wants_it(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same history, event by event; below the smallest range the node's refusal is passed on."""
    monkeypatch.setattr("bcfl_client.chain.history._SMALLEST_RANGE", 10)
    connection = stage.world.connection
    narrow: Any = _Narrow(connection, most=15)
    whole, pieces = read_history(connection, stage.task.address), read_history(narrow, stage.task.address)
    assert narrow.asked >= 3
    assert (whole.published, whole.events, whole.registry) == (pieces.published, pieces.events, pieces.registry)
    useless: Any = _Narrow(connection, most=0)
    with pytest.raises(RpcError, match="too many blocks"):
        read_history(useless, stage.task.address)


def test_without_its_publication_there_is_no_task(stage: Stage) -> None:
    """A node that has pruned the old logs: said plainly, no half a history."""
    connection = stage.world.connection
    first = read_history(connection, stage.task.address).events[0].block
    forgetful: Any = _Narrow(connection, first=first)
    with pytest.raises(ChainMismatch, match="0 publications"):
        read_history(forgetful, stage.task.address)


def test_terms_publisher_and_registry_end_the_code(stage: Stage) -> None:
    """The end of the task's code is computed from the factory's event, byte for byte; the rest is the factory's."""
    connection = stage.world.connection
    history = read_history(connection, stage.task.address)
    snapshot = read_snapshot(connection, history, [stage.publisher.sender.address], [bytes(32)])
    arguments = code_arguments(connection, history)
    assert snapshot.code.endswith(arguments) and snapshot.made_by_factory
    assert snapshot.code[: -len(arguments)] in snapshot.factory_code
    assert snapshot.terms == history.published.terms
    assert (len(snapshot.trainers), len(snapshot.miners)) == (3, 3)
    assert snapshot.stakes[bytes(32)]["round"] == 0


def test_blocks_have_times_and_hashes(stage: Stage) -> None:
    """Of every block that holds an event of the task."""
    history = read_history(stage.world.connection, stage.task.address)
    blocks = {event.block for event in history.events} | {history.published.block}
    assert set(history.times) == set(history.hashes) == blocks
    newest = stage.world.connection.request("eth_getBlockByNumber", hex(max(blocks)), False)
    assert history.hashes[max(blocks)] == bytes.fromhex(newest["hash"][2:])
