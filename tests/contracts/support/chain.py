"""The dev chain: fast sending, the clock, snapshots, balances."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

import requests
from brownie import history, project, web3
from brownie.network.transaction import TransactionReceipt

ZERO_ADDRESS = "0x" + "00" * 20
GAS = 10_000_000
T = TypeVar("T")


def rpc(method: str, *params: Any) -> Any:
    """The result of one JSON-RPC call, past web3.py: that asks for the chain's id before each call."""
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = _session().post(web3.provider.endpoint_uri, json=request).json()
    if "error" in answer:
        raise RuntimeError(f"{method}: {answer['error']['message']}")
    return answer["result"]


@cache
def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # a proxy is of no use here, and looking for one takes longer than the call
    return session


def look(method: Any, *args: Any) -> Any:
    """What a contract's view `method` says."""
    return method.decode_output(rpc("eth_call", {"to": method._address, "data": method.encode_input(*args)}, "latest"))


def send(sender: Any, method: Any, *args: Any, value: int = 0) -> None:
    """Calls a contract's `method` ten times faster than Brownie does: for what leads to a test's subject."""
    receipt = rpc("eth_sendTransactionSync", _transaction(sender, method, args, value))
    if receipt["status"] != "0x1":
        method.call(*args, {"from": sender, "value": value})  # raises with the reason
        raise RuntimeError(f"{method._name} failed in a transaction, but not in a call after it")


def attempt(sender: Any, method: Any, *args: Any) -> bool:
    """Sends the same, where a test does not mind a refusal; returns whether it was taken."""
    return bool(rpc("eth_sendTransactionSync", _transaction(sender, method, args, 0))["status"] == "0x1")


def post(sender: Any, method: Any, *args: Any, value: int = 0) -> None:
    """Sends the same without waiting for it: within `one_block`."""
    rpc("eth_sendTransaction", _transaction(sender, method, args, value))


@contextmanager
def one_block() -> Iterator[None]:
    """What is posted within comes into one block, in order."""
    rpc("evm_setAutomine", False)
    yield
    rpc("evm_mine")
    rpc("evm_setAutomine", True)


def _transaction(sender: Any, method: Any, args: tuple[Any, ...], value: int) -> dict[str, str]:
    return {
        "from": str(sender),
        "to": method._address,
        "data": method.encode_input(*args),
        "value": hex(value),
        "gas": hex(GAS),
        "gasPrice": "0x0",
    }


def now() -> int:
    """Seconds of the newest block."""
    return int(rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)


def pass_time(seconds: int) -> None:
    """Mines a block that many seconds after the newest one."""
    mine_at(now() + seconds)


def mine_at(timestamp: int) -> None:
    """Mines a block of that very second."""
    next_at(timestamp)
    rpc("evm_mine")


def next_at(timestamp: int) -> None:
    """Gives the next block, and so the next transaction, that very second."""
    rpc("evm_setNextBlockTimestamp", hex(timestamp))


def mine(blocks: int = 1) -> None:
    """Mines blocks, a second apart."""
    rpc("anvil_mine", hex(blocks), "0x1")


def newest_hash() -> int:
    """Hash of the newest block."""
    return int(rpc("eth_getBlockByNumber", "latest", False)["hash"], 16)


def retry(act: Callable[[], None], accept: Callable[[], bool]) -> None:
    """Does `act` in a block of its own, at other times again until `accept` likes that block."""
    for delay in range(1, 200):
        snapshot = rpc("evm_snapshot")
        next_at(now() + delay)
        act()
        if accept():
            return
        rpc("evm_revert", snapshot)
    raise RuntimeError("no block was as wanted")


def patient() -> Iterator[None]:
    """A fixture's body: Anvil counts a transaction a moment before it has its receipt, and Brownie, if it asks just
    then, takes it for dropped. It is to ask when the receipt is there."""
    confirm = TransactionReceipt._await_confirmation

    def await_receipt(tx: TransactionReceipt, *args: Any) -> None:
        deadline = time.monotonic() + 10
        while rpc("eth_getTransactionReceipt", tx.txid) is None and time.monotonic() < deadline:
            if int(rpc("eth_getTransactionCount", str(tx.sender), "latest"), 16) <= tx.nonce:
                break  # not in a block yet: Brownie waits for that itself
            time.sleep(0.01)
        confirm(tx, *args)

    TransactionReceipt._await_confirmation = await_receipt
    yield
    TransactionReceipt._await_confirmation = confirm


def isolated() -> Iterator[None]:
    """A fixture's body: what happens on the chain meanwhile is undone."""
    known = {container: len(container) for container in _containers()}
    snapshot = rpc("evm_snapshot")
    yield
    for thread in threading.enumerate():
        if thread.daemon:  # Brownie still takes notes of the last transaction
            thread.join(timeout=10)
    rpc("evm_revert", snapshot)
    # Brownie would wait for ever for a nonce beyond those that it remembers, and refuse new contracts at old addresses.
    history.clear()
    for container, count in known.items():
        for contract in list(container)[count:]:
            container.remove(contract)


def _containers() -> list[Any]:
    return list(project.get_loaded_projects()[0])


def ahead(look: Callable[[], T]) -> T:
    """What `look` finds in a future that is then undone."""
    with contextmanager(isolated)():
        return look()


@cache
def chain_id() -> int:
    """The id that digests are bound to."""
    return int(rpc("eth_chainId"), 16)


def balance(account: Any) -> int:
    """Wei of an account."""
    return int(rpc("eth_getBalance", str(account), "latest"), 16)
