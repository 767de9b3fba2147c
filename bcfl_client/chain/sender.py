"""Signs and sends transactions of one account."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_account.signers.local import LocalAccount
from eth_utils import to_checksum_address

from bcfl_client.chain.codec import Codec
from bcfl_client.chain.connection import Connection, RpcError
from bcfl_client.errors import ChainMismatch, ContractReverted, TransactionLost

__all__ = ["Receipt", "Sender", "explain", "fee_fields", "gas_limit", "read_receipt", "why_reverted"]

_POLL_SECONDS = 0.02
_RESEND_SECONDS = 2.0
_TIP = 10**9  # wei per gas
_HEADROOM = 60_000
_MOST_GAS = 2**24  # of one transaction, where EIP-7825 is in force


def gas_limit(estimate: int, headroom: int = _HEADROOM) -> int:
    """The gas to allow for what a node estimates: some more, never less."""
    return max(estimate, min(estimate * 5 // 4 + headroom, _MOST_GAS))


def fee_fields(block: Mapping[str, Any]) -> dict[str, int]:
    """What a transaction offers per gas after `block`: twice its base fee at most, and a tip."""
    base_fee = int(block.get("baseFeePerGas", "0x0"), 16)
    return {"maxFeePerGas": 2 * base_fee + _TIP, "maxPriorityFeePerGas": _TIP}


@dataclass(frozen=True)
class Receipt:
    """A transaction in a block."""

    transaction: str
    block: int
    gas_used: int
    gas_price: int
    contract: str | None


class Sender:
    """Sends for one account, keeping its nonce.

    A signed transaction is on disk in `outbox` before it is sent, so that after a crash the same bytes go out
    again: sent twice, included once.
    """

    def __init__(self, connection: Connection, account: LocalAccount, outbox: Path | None = None) -> None:
        self.connection = connection
        self.address: str = account.address
        self._account = account
        self._outbox = outbox
        self._nonce: int | None = None
        self._last: str | None = None
        self._raw: dict[str, str] = {}
        self.gas_used = 0
        self.fees = 0  # wei

    def send(
        self,
        to: str | None,
        data: bytes,
        value: int = 0,
        codec: Codec | None = None,
        context: str = "",
        headroom: int = _HEADROOM,
        gas: int | None = None,
    ) -> str:
        """Signs and sends; returns the transaction hash. `value` in wei, `to` None creates a contract. `headroom` is
        gas for what others may cause by acting at the same moment, such as making this call close a phase.

        Raises ContractReverted (by the errors of `codec`) or ChainMismatch (no funds) before anything is sent. With a
        limit of `gas` the call is not tried first: it may fail in its block, and cost that much.
        """
        transaction: dict[str, Any] = {"from": self.address, "data": "0x" + data.hex(), "value": hex(value)}
        if to is not None:
            transaction["to"] = to
        calls: list[tuple[str, list[object]]] = [
            ("eth_getBlockByNumber", ["latest", False]),
            ("eth_getTransactionCount", [self.address, "pending"]),
        ]
        if gas is None:
            calls.append(("eth_estimateGas", [transaction, "pending"]))
        block, count, *estimates = answers = self.connection.batch(calls)
        for answer in answers:
            if isinstance(answer, RpcError):
                raise self._explain(answer, codec, value, context) from answer
        gas = gas_limit(int(estimates[0], 16), headroom) if gas is None else gas
        # The count of the chain wins where it is ahead (another process may have used the key), and where it is behind
        # because the chain went back and forgot what was sent.
        known = int(count, 16)
        if self._nonce is None or known > self._nonce or (known < self._nonce and self._is_forgotten()):
            self._nonce = known
        signed = self._account.sign_transaction(
            {
                "type": 2,
                "chainId": self.connection.chain_id,
                "nonce": self._nonce,
                "gas": min(gas, int(block["gasLimit"], 16)),
                **fee_fields(block),
                "value": value,
                "data": data,
                **({"to": to_checksum_address(to)} if to is not None else {}),
            }
        )
        raw, digest = "0x" + signed.raw_transaction.hex(), "0x" + signed.hash.hex()
        self._keep(digest, raw)
        self._submit(raw, digest)
        self._nonce += 1
        self._last = digest
        return digest

    def wait(self, digest: str, timeout_seconds: float = 120.0, codec: Codec | None = None) -> Receipt:
        """The receipt once the transaction is in a block. Raises ContractReverted, TransactionLost."""
        start = last_sent = time.monotonic()
        while True:
            receipt = self.connection.request("eth_getTransactionReceipt", digest)
            if receipt is not None:
                return self._settle(digest, receipt, codec)
            now = time.monotonic()
            if now - start > timeout_seconds:
                raise TransactionLost(digest, timeout_seconds)
            if now - last_sent > _RESEND_SECONDS and digest in self._raw:
                self._submit(self._raw[digest], digest)
                last_sent = now
            time.sleep(_POLL_SECONDS)

    def resume(self) -> None:
        """Sends again what an earlier process of this account signed and may not have sent."""
        if self._outbox is None or not self._outbox.exists():
            return
        kept = json.loads(self._outbox.read_text())
        self._raw[kept["hash"]] = kept["raw"]
        if self.connection.request("eth_getTransactionByHash", kept["hash"]) is None:
            self._submit(kept["raw"], kept["hash"])

    def _is_forgotten(self) -> bool:
        """Whether the node does not know the newest transaction any more."""
        return self._last is None or self.connection.request("eth_getTransactionByHash", self._last) is None

    def _settle(self, digest: str, receipt: dict[str, Any], codec: Codec | None) -> Receipt:
        settled = read_receipt(digest, receipt)
        self.gas_used += settled.gas_used
        self.fees += settled.gas_used * settled.gas_price
        self._raw.pop(digest, None)
        if int(receipt["status"], 16) != 1:
            raise why_reverted(self.connection, digest, receipt, codec)
        return settled

    def _keep(self, digest: str, raw: str) -> None:
        self._raw[digest] = raw
        if self._outbox is None:
            return
        temporary = self._outbox.with_suffix(".tmp")
        with open(temporary, "w") as file:
            json.dump({"hash": digest, "raw": raw}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self._outbox)

    def _submit(self, raw: str, digest: str) -> None:
        try:
            self.connection.request("eth_sendRawTransaction", raw)
        except RpcError as error:
            # Sent before and known, or even included: the hash decides, not the node's words.
            if self.connection.request("eth_getTransactionByHash", digest) is None:
                self._nonce = None
                raise self._explain(error, None, 0, "") from error

    def _explain(self, error: RpcError, codec: Codec | None, value: int, context: str) -> Exception:
        return explain(self.connection, self.address, error, codec, value, context)


def read_receipt(digest: str, receipt: Mapping[str, Any]) -> Receipt:
    """What a node's answer says of the transaction `digest`."""
    contract = receipt.get("contractAddress")
    return Receipt(
        digest,
        int(receipt["blockNumber"], 16),
        int(receipt["gasUsed"], 16),
        int(receipt.get("effectiveGasPrice", "0x0"), 16),
        to_checksum_address(contract) if contract else None,
    )


def why_reverted(
    connection: Connection, digest: str, receipt: Mapping[str, Any], codec: Codec | None
) -> ContractReverted:
    """The reason of a transaction that reverted, from running it again on its block."""
    sent = connection.request("eth_getTransactionByHash", digest) or {}
    again = {key: sent[key] for key in ("from", "to", "value") if sent.get(key)} | {"data": sent.get("input", "0x")}
    try:
        connection.request("eth_call", again, receipt["blockNumber"])
    except RpcError as error:
        if (reverted := _reverted(error, codec, "")) is not None:
            return reverted
    return ContractReverted("reverted in its block", (digest,))


def explain(
    connection: Connection, address: str, error: RpcError, codec: Codec | None, value: int = 0, context: str = ""
) -> Exception:
    """What a node's `error` on a transaction of `address` means: ContractReverted, ChainMismatch (no funds), or nothing
    more than it says."""
    if (reverted := _reverted(error, codec, context)) is not None:
        return reverted
    if "insufficient funds" in str(error).lower() or "doesn't have enough funds" in str(error):
        return ChainMismatch(
            f"account {address} has {connection.balance(address)} wei, which does not cover "
            f"{f'{value} wei and ' if value else ''}the gas; fund it and try again (on a development chain, "
            "`bcfl key FILE --dev N` makes the key file of a funded account)"
        )
    return error


def _reverted(error: RpcError, codec: Codec | None, context: str) -> ContractReverted | None:
    if isinstance(error.data, str) and len(error.data) >= 10 and codec is not None:
        return codec.reverted(bytes.fromhex(error.data[2:]), context)
    return None
