"""Whether the contracts on a chain are those that this version compiles."""

from __future__ import annotations

from bcfl_client.chain.connection import Connection, RpcError
from bcfl_client.chain.contracts import TASK_PIECES, artifact
from bcfl_client.chain.history import TaskHistory

__all__ = ["foreign_contracts"]


def foreign_contracts(connection: Connection, history: TaskHistory) -> list[str]:
    """Names and addresses of the task's contracts whose code is not this version's, at the history's last block.

    The node runs their creation code without sending anything, so that values fixed at deployment are in place. The
    compiler's metadata at the end of the code is left out: it depends on where the sources lay.
    """
    factory, implementation = artifact("TaskFactory").codec, artifact("LearningTask").codec
    try:
        pieces = {
            name: implementation.result(view, connection.call(history.implementation, implementation.call(view)))
            for name, view in TASK_PIECES.items()
        }
        fee = factory.result("taskFee", connection.call(history.factory, factory.call("taskFee")))
    except RpcError:
        return [f"LearningTask at {history.implementation}"]
    registry = bytes.fromhex(history.reputation[2:])
    contracts: list[tuple[str, str, tuple[object, ...]]] = [
        *((name, address, ()) for name, address in pieces.items()),
        ("LearningTask", history.implementation, tuple(pieces.values())),
        ("TaskFactory", history.factory, (fee, history.implementation)),
        ("Reputation", history.reputation, ()),
    ]
    foreign = []
    for name, address, arguments in contracts:
        compiled = artifact(name)
        creation = compiled.bytecode + (compiled.codec.constructor(*arguments) if arguments else b"")
        # The registry's factory is who creates it.
        sender = {"from": history.factory} if name == "Reputation" else {}
        block = hex(history.block)
        expected = connection.request("eth_call", {**sender, "data": "0x" + creation.hex()}, block)
        found = connection.request("eth_getCode", address, block)
        if _bare(expected, registry, found) != _bare(found, registry, found):
            foreign.append(f"{name} at {address}")
    return foreign


def _bare(code: str, registry: bytes, deployed: str) -> bytes:
    """`code` without metadata, and with zeros where `deployed` has the address of the `registry`: the factory makes
    its own, elsewhere each time."""
    bare, places = bytearray.fromhex(code[2:]), bytes.fromhex(deployed[2:])
    at = places.find(registry)
    while at >= 0:
        bare[at : at + len(registry)] = bytes(len(registry))
        at = places.find(registry, at + 1)
    return bytes(bare[: -2 - int.from_bytes(bare[-2:], "big")])
