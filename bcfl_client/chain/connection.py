"""A connection to a chain by JSON-RPC over HTTP."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

from web3 import Web3
from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from bcfl_client.errors import ChainError, ChainMismatch, ConfigError, ConnectionFailed

__all__ = ["Connection", "RpcError", "connect"]

_TIMEOUTS_SECONDS = (5.0, 10.0, 30.0)  # one per try: some nodes now and then forget a request
_MAX_RESPONSE = 256 * 1024 * 1024  # bytes; a chain has no reason to send more


class RpcError(ChainError):
    """The node answered with an error. `code` and `data` as in JSON-RPC; `data` holds a revert's bytes."""

    def __init__(self, method: str, code: int, message: str, data: object = None) -> None:
        self.method, self.code, self.data = method, code, data
        super().__init__(f"{method}: {message}")


class _KeepAliveProvider(JSONBaseProvider):
    """JSON-RPC on one kept-alive HTTP connection per thread: a seventh of the time of web3's own provider, which
    matters to clients that ask every 50 ms."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = _checked_url(url)
        self._local = threading.local()

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        return self.post({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})  # type: ignore[no-any-return]

    def post(self, payload: object) -> Any:
        """The decoded answer. Raises ConnectionFailed after a few tries: requests here are safe to repeat."""
        body = json.dumps(payload).encode()
        for attempt, timeout in enumerate(_TIMEOUTS_SECONDS):
            try:
                return self._exchange(body, timeout)
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.drop()
                if attempt == len(_TIMEOUTS_SECONDS) - 1:
                    raise ConnectionFailed(
                        f"no chain answers at {_masked(self.url)} ({type(error).__name__}: {error}); "
                        "start one with `bcfl chain`, or name another with --rpc"
                    ) from error
                time.sleep(0.05 * attempt)
        raise AssertionError("unreachable")

    def _exchange(self, body: bytes, timeout: float) -> Any:
        connection = self._connection(timeout)
        path = self.url.path or "/"
        if self.url.query:
            path += "?" + self.url.query
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = response.read(_MAX_RESPONSE + 1)
        if len(answer) > _MAX_RESPONSE:
            raise ValueError("the answer is too long")
        decoded = json.loads(answer)
        if not isinstance(decoded, (dict, list)):
            raise ValueError("the answer is not JSON-RPC")
        return decoded

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            kind = http.client.HTTPSConnection if self.url.scheme == "https" else http.client.HTTPConnection
            connection = kind(self.url.hostname or "", self.url.port, timeout=timeout)
            self._local.connection = connection
        return connection

    def drop(self) -> None:
        """Closes this thread's connection; the next request opens a new one."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
        self._local.connection = None


class Connection:
    """A chain that answers. Thread-safe; `w3` serves the calls that are not made often."""

    def __init__(self, url: str) -> None:
        self._provider = _KeepAliveProvider(url)
        self.url = url
        self.w3 = Web3(self._provider)
        try:
            self.chain_id = int(self.request("eth_chainId"), 16)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Closes this thread's socket; a later request opens a new one."""
        self._provider.drop()

    def request(self, method: str, *params: object) -> Any:
        """The result of one call. Raises RpcError, ConnectionFailed."""
        return _result(method, self._provider.post(_call(1, method, params)))

    def batch(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any]:
        """Results in the order of `calls`, in one exchange; an RpcError stands where a call failed."""
        if not calls:
            return []
        payload = [_call(i, method, params) for i, (method, params) in enumerate(calls)]
        answers = self._provider.post(payload)
        if not isinstance(answers, list):
            raise RpcError("batch", 0, "the node does not answer batches")
        by_id = {answer.get("id"): answer for answer in answers if isinstance(answer, dict)}
        results: list[Any] = []
        for i, (method, _) in enumerate(calls):
            try:
                results.append(_result(method, by_id.get(i)))
            except RpcError as error:
                results.append(error)
        return results

    def call(self, to: str, data: bytes, block: str = "pending", sender: str | None = None) -> bytes:
        """What a contract answers. `pending`, because on an idle automining chain `latest` has an old clock."""
        transaction = {"to": to, "data": "0x" + data.hex()}
        if sender is not None:
            transaction["from"] = sender
        return bytes.fromhex(self.request("eth_call", transaction, block)[2:])

    def has_code(self, address: str) -> bool:
        """Whether there is a contract at `address`."""
        return len(self.request("eth_getCode", address, "latest")) > 2

    def block_number(self) -> int:
        """Number of the newest block."""
        return int(self.request("eth_blockNumber"), 16)

    def balance(self, address: str) -> int:
        """Wei that `address` has."""
        return int(self.request("eth_getBalance", address, "latest"), 16)


def connect(url: str, chain_id: int | None = None) -> Connection:
    """A connection to the chain at `url`, checked against `chain_id`. Raises ConnectionFailed, ChainMismatch."""
    connection = Connection(url)
    if chain_id is not None and connection.chain_id != chain_id:
        connection.close()
        raise ChainMismatch(
            f"the chain at {_masked(urlsplit(url))} has id {connection.chain_id}, not {chain_id}; "
            "name the right one with --rpc, or correct chain_id"
        )
    return connection


def _call(number: int, method: str, params: Sequence[object]) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}


def _result(method: str, answer: Any) -> Any:
    if not isinstance(answer, dict):
        raise RpcError(method, 0, "the node's answer is not JSON-RPC")
    error = answer.get("error")
    if isinstance(error, dict):
        raise RpcError(method, int(error.get("code", 0)), str(error.get("message", "")), _revert_data(error))
    if "result" not in answer:
        raise RpcError(method, 0, "the node's answer has no result")
    return answer["result"]


def _revert_data(error: dict[str, Any]) -> object:
    """The revert's bytes as hex, wherever the node puts them (Anvil: data; Ganache: data.result)."""
    data = error.get("data")
    if isinstance(data, dict):
        return data.get("result") or data.get("data")
    return data


def _checked_url(url: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"not a JSON-RPC address: {url!r}; it looks like http://127.0.0.1:8545")
    return parts


def _masked(url: SplitResult) -> str:
    """Without user, password, path and query: providers put keys there."""
    return f"{url.scheme}://{url.hostname}" + (f":{url.port}" if url.port else "")
