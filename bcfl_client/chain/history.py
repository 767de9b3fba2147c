"""A task from the chain's logs alone, and what its contract says at the same block.

Only the address of the task, or of the factory that made it, has to be known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bcfl_client.chain.codec import Codec
from bcfl_client.chain.connection import Connection, RpcError
from bcfl_client.chain.contracts import artifact, require_factory
from bcfl_client.errors import ChainError, ChainMismatch
from bcfl_client.types import Event

__all__ = ["Published", "Snapshot", "TaskHistory", "code_arguments", "find_tasks", "read_history", "read_snapshot"]

_SMALLEST_RANGE = 1000  # blocks; nodes that limit eth_getLogs allow at least so many
_BATCH = 500

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Published:
    """A task as its factory announced it; `terms` by the names in the contract."""

    task: str
    publisher: str
    index: int
    terms: dict[str, Any]
    block: int


@dataclass(frozen=True)
class TaskHistory:
    """All that happened to a task up to block `block`.

    `events` are the task's and `registry` all of its factory's registry, in the order of the chain; `times` are the
    Unix seconds of the blocks that hold the task's events, `hashes` those blocks' hashes.
    """

    chain_id: int
    block: int
    factory: str
    reputation: str
    implementation: str
    published: Published
    events: tuple[Event, ...]
    registry: tuple[Event, ...]
    times: dict[int, int]
    hashes: dict[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Snapshot:
    """What the contract says at one block. Structs as dicts by the names in the contract; money in wei. `code` is the
    task's, `factory_code` that of the contract which made it."""

    made_by_factory: bool
    code: bytes
    factory_code: bytes
    terms: dict[str, Any]
    status: dict[str, Any]
    pool: int
    burnt: int
    balance: int
    trainers: tuple[dict[str, Any], ...]
    miners: tuple[dict[str, Any], ...]
    withdrawable: dict[str, int]
    stakes: dict[bytes, dict[str, Any]]


def find_tasks(connection: Connection, factory: str) -> list[Published]:
    """Every task that `factory` published, oldest first. Raises ChainMismatch when there is no factory."""
    require_factory(connection, factory)
    codec = artifact("TaskFactory").codec
    logs = _logs(connection, [factory], 0, connection.block_number())
    return [_published(event) for log in logs if (event := codec.event(log)) and event.name == "TaskPublished"]


def read_history(connection: Connection, task: str, progress: Progress | None = None) -> TaskHistory:
    """The history of the contract at `task` up to the newest block.

    Raises ChainMismatch when it is no task, or its publication is not in the logs that the node has.
    """
    block = connection.block_number()
    if not connection.has_code(task):
        raise ChainMismatch(f"no contract at {task} on chain {connection.chain_id}; check the address and --rpc")
    codec, factory_codec = artifact("LearningTask").codec, artifact("TaskFactory").codec
    try:
        factory, reputation = _calls(connection, block, task, codec, [("factory", ()), ("reputation", ())])
        (implementation,) = _calls(connection, block, factory, factory_codec, [("implementation", ())])
    except (ChainError, ValueError) as error:
        raise ChainMismatch(f"the contract at {task} is not a learning task") from error

    logs = _logs(connection, [task, factory, reputation], 0, block, progress)
    by_address: dict[str, list[dict[str, Any]]] = {}
    for log in logs:
        by_address.setdefault(str(log["address"]).lower(), []).append(log)
    made = [
        _published(event)
        for log in by_address.get(factory.lower(), [])
        if (event := factory_codec.event(log)) and str(event.args["task"]).lower() == task.lower()
    ]
    if len(made) != 1:
        raise ChainMismatch(
            f"the logs of the factory {factory} hold {len(made)} publications of the task {task}, not 1"
        )
    events = _decoded(by_address.get(task.lower(), []), codec)
    registry = _decoded(by_address.get(reputation.lower(), []), artifact("Reputation").codec)
    times, hashes = _blocks(connection, {made[0].block, *(event.block for event in events)})
    return TaskHistory(
        connection.chain_id, block, factory, reputation, implementation, made[0], events, registry, times, hashes
    )


def read_snapshot(
    connection: Connection, history: TaskHistory, accounts: Sequence[str], claims: Sequence[bytes] = ()
) -> Snapshot:
    """What the task says at the history's last block, with what each of `accounts` could withdraw and the bonds
    behind `claims`."""
    task, block = history.published.task, history.block
    codec, factory_codec = artifact("LearningTask").codec, artifact("TaskFactory").codec
    (made,) = _calls(connection, block, history.factory, factory_codec, [("isTask", (task,))])
    trainers, miners = _calls(connection, block, task, codec, [("trainerCount", ()), ("minerCount", ())])
    calls: list[tuple[str, tuple[object, ...]]] = [("terms", ()), ("status", ()), ("pool", ()), ("burnt", ())]
    calls += [("trainer", (seat,)) for seat in range(trainers)] + [("miner", (seat,)) for seat in range(miners)]
    calls += [("withdrawable", (account,)) for account in accounts]
    calls += [("stakeOf", (claim,)) for claim in claims]
    terms, status, pool, burnt, *rest = _calls(connection, block, task, codec, calls)
    return Snapshot(
        made_by_factory=made,
        code=_code(connection, task, block),
        factory_code=_code(connection, history.factory, block),
        terms=terms,
        status=status,
        pool=pool,
        burnt=burnt,
        balance=int(connection.request("eth_getBalance", task, hex(block)), 16),
        trainers=tuple(rest[:trainers]),
        miners=tuple(rest[trainers : trainers + miners]),
        withdrawable=dict(zip(accounts, rest[trainers + miners :])),
        stakes=dict(zip(claims, rest[trainers + miners + len(accounts) :])),
    )


def code_arguments(connection: Connection, history: TaskHistory) -> bytes:
    """The end of the code of a task with these terms, publisher, factory, registry and implementation has."""
    published = history.published
    # Terms have static types only, so that the call's arguments are the terms' encoding.
    terms = artifact("TaskFactory").codec.call("publish", tuple(published.terms.values()))[4:]
    codec = artifact("LearningTask").codec
    blocks = codec.result("blocks", connection.call(history.implementation, codec.call("blocks")))
    addresses = (published.publisher, history.factory, history.reputation, history.implementation, blocks)
    return terms + b"".join(bytes(12) + bytes.fromhex(address[2:]) for address in addresses)


def _published(event: Event) -> Published:
    args: Any = event.args
    return Published(args["task"], args["publisher"], args["index"], args["terms"], event.block)


def _decoded(logs: Sequence[dict[str, Any]], codec: Codec) -> tuple[Event, ...]:
    events = []
    for log in logs:
        event = codec.event(log)
        if event is None:
            raise ChainError(f"the contract at {log['address']} emitted an event that this version does not know")
        events.append(event)
    return tuple(events)


def _logs(
    connection: Connection, addresses: Sequence[str], first: int, last: int, progress: Progress | None = None
) -> list[dict[str, Any]]:
    """Raw logs of `addresses` in the order of the chain: at once, or in halves where the node finds it too much."""
    if progress is not None:
        progress(f"reading the logs of blocks {first} to {last}")
    wanted = {"address": list(addresses), "fromBlock": hex(first), "toBlock": hex(last)}
    try:
        logs: list[dict[str, Any]] = connection.request("eth_getLogs", wanted)
    except RpcError:
        if last - first < _SMALLEST_RANGE:
            raise
        middle = (first + last) // 2
        return _logs(connection, addresses, first, middle, progress) + _logs(
            connection, addresses, middle + 1, last, progress
        )
    return sorted(logs, key=lambda log: (int(log["blockNumber"], 16), int(log["logIndex"], 16)))


def _blocks(connection: Connection, blocks: set[int]) -> tuple[dict[int, int], dict[int, bytes]]:
    """Unix seconds and hashes of the chain's blocks with these numbers."""
    ordered = sorted(blocks)
    times: dict[int, int] = {}
    hashes: dict[int, bytes] = {}
    for start in range(0, len(ordered), _BATCH):
        piece = ordered[start : start + _BATCH]
        answers = connection.batch([("eth_getBlockByNumber", [hex(block), False]) for block in piece])
        for block, answer in zip(piece, answers):
            if not isinstance(answer, dict):
                raise ChainError(f"the node has no block {block}, which holds logs of the task")
            times[block] = int(answer["timestamp"], 16)
            if answer.get("hash"):
                hashes[block] = bytes.fromhex(answer["hash"][2:])
    return times, hashes


def _code(connection: Connection, address: str, block: int) -> bytes:
    return bytes.fromhex(connection.request("eth_getCode", address, hex(block))[2:])


def _calls(
    connection: Connection, block: int, to: str, codec: Codec, calls: Sequence[tuple[str, tuple[object, ...]]]
) -> list[Any]:
    """Decoded results of view functions at `block`, in one exchange per 500."""
    results = []
    for start in range(0, len(calls), _BATCH):
        piece = calls[start : start + _BATCH]
        requests = [
            ("eth_call", [{"to": to, "data": "0x" + codec.call(name, *args).hex()}, hex(block)]) for name, args in piece
        ]
        for (name, _), answer in zip(piece, connection.batch(requests)):
            if isinstance(answer, RpcError):
                raise answer
            results.append(codec.result(name, bytes.fromhex(answer[2:])))
    return results
