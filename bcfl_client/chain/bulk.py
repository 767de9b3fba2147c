"""Transactions of many accounts at once: what takes one account four exchanges with the node takes a hundred of them
four as well."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_account.signers.local import LocalAccount
from eth_utils import to_checksum_address

from bcfl_client.chain.codec import Codec
from bcfl_client.chain.connection import Connection, RpcError
from bcfl_client.chain.sender import Receipt, explain, fee_fields, gas_limit, read_receipt, why_reverted
from bcfl_client.errors import BcflError, TransactionLost

__all__ = ["BulkCall", "BulkSender"]

_POLL_SECONDS = 0.02
_RESEND_SECONDS = 2.0
_BATCH = 500  # calls in one exchange; nodes refuse much longer ones


@dataclass(frozen=True)
class BulkCall:
    """One transaction of `account`. `value` in wei; with a limit of `gas` the call is not tried first."""

    account: LocalAccount
    to: str
    data: bytes
    value: int = 0
    gas: int | None = None


@dataclass
class _Sent:
    """A signed transaction, and what has come of it."""

    index: int
    call: BulkCall
    raw: str
    digest: str
    outcome: Receipt | BcflError | None = None


class BulkSender:
    """Signs and sends for many accounts, keeping their nonces. Errors are explained by `codec`.

    For accounts that nobody else sends for at the same time. Holds nothing on disk: who must survive a crash uses a
    `Sender` each.
    """

    def __init__(self, connection: Connection, codec: Codec | None = None) -> None:
        self._connection = connection
        self._codec = codec
        self._nonces: dict[str, int] = {}

    def send(self, calls: Sequence[BulkCall], timeout_seconds: float = 120.0) -> list[Receipt | BcflError]:
        """What came of each call, in the order of `calls`: its receipt once it is in a block, or why there is none.

        ContractReverted and ChainMismatch (no funds) stand where the node refused, before or in a block,
        TransactionLost where none was found in time, and RpcError for what the node said otherwise. A call that the
        node refuses beforehand is not sent, and takes no nonce; calls of one account are sent in their order, each
        tried as if it were the only one. Raises ConnectionFailed.
        """
        if not calls:
            return []
        outcomes: list[Receipt | BcflError | None] = [None] * len(calls)
        sent = self._sign(calls, outcomes)
        self._submit(sent)
        self._collect(sent, timeout_seconds)
        for one in sent:
            outcomes[one.index] = one.outcome
        return [outcome if outcome is not None else BcflError("nothing came of it") for outcome in outcomes]

    def _sign(self, calls: Sequence[BulkCall], outcomes: list[Receipt | BcflError | None]) -> list[_Sent]:
        """What the node takes, signed; of the others the reason goes into `outcomes`."""
        accounts = sorted({str(call.account.address) for call in calls})
        tried = [index for index, call in enumerate(calls) if call.gas is None]
        asked: list[tuple[str, list[object]]] = [("eth_getBlockByNumber", ["latest", False])]
        asked += [("eth_getTransactionCount", [account, "pending"]) for account in accounts]
        asked += [("eth_estimateGas", [_described(calls[index]), "pending"]) for index in tried]
        block, *answers = self._exchange(asked)
        if isinstance(block, RpcError):
            raise block
        counts, estimates = answers[: len(accounts)], dict(zip(tried, answers[len(accounts) :]))
        for account, count in zip(accounts, counts):
            if isinstance(count, RpcError):
                raise count
            # The count of the chain wins where it is ahead.
            self._nonces[account] = max(self._nonces.get(account, 0), int(count, 16))

        sent = []
        ceiling, fees = int(block["gasLimit"], 16), fee_fields(block)
        for index, call in enumerate(calls):
            estimate = estimates.get(index)
            if isinstance(estimate, RpcError):
                outcomes[index] = self._explained(call, estimate)
                continue
            gas = call.gas if call.gas is not None else gas_limit(int(estimates[index], 16))
            account = str(call.account.address)
            signed = call.account.sign_transaction(
                {
                    "type": 2,
                    "chainId": self._connection.chain_id,
                    "nonce": self._nonces[account],
                    "gas": min(gas, ceiling),
                    **fees,
                    "to": to_checksum_address(call.to),
                    "value": call.value,
                    "data": call.data,
                }
            )
            self._nonces[account] += 1
            sent.append(_Sent(index, call, "0x" + signed.raw_transaction.hex(), "0x" + signed.hash.hex()))
        return sent

    def _submit(self, sent: Sequence[_Sent]) -> None:
        """One exchange; who was refused has an outcome afterwards."""
        answers = self._exchange([("eth_sendRawTransaction", [one.raw]) for one in sent])
        refused = [(one, answer) for one, answer in zip(sent, answers) if isinstance(answer, RpcError)]
        # Sent before and known, or even included: the hash decides, not the node's words.
        known = self._exchange([("eth_getTransactionByHash", [one.digest]) for one, _ in refused])
        for (one, answer), found in zip(refused, known):
            if found is None:
                one.outcome = self._explained(one.call, answer)
                self._nonces.pop(str(one.call.account.address), None)  # asked anew: one of them is free again

    def _collect(self, sent: Sequence[_Sent], timeout_seconds: float) -> None:
        start = last_sent = time.monotonic()
        while waiting := [one for one in sent if one.outcome is None]:
            receipts = self._exchange([("eth_getTransactionReceipt", [one.digest]) for one in waiting])
            for one, receipt in zip(waiting, receipts):
                if receipt is not None and not isinstance(receipt, RpcError):
                    one.outcome = self._settled(one, receipt)
            now = time.monotonic()
            left = [one for one in waiting if one.outcome is None]
            if left and now - start > timeout_seconds:
                for one in left:
                    one.outcome = TransactionLost(one.digest, timeout_seconds)
                    self._nonces.pop(str(one.call.account.address), None)
            elif left and now - last_sent > _RESEND_SECONDS:
                self._submit(left)
                last_sent = now
            elif left:
                time.sleep(_POLL_SECONDS)

    def _settled(self, one: _Sent, receipt: dict[str, Any]) -> Receipt | BcflError:
        if int(receipt["status"], 16) == 1:
            return read_receipt(one.digest, receipt)
        return why_reverted(self._connection, one.digest, receipt, self._codec)

    def _explained(self, call: BulkCall, error: RpcError) -> BcflError:
        found = explain(self._connection, str(call.account.address), error, self._codec, call.value)
        return found if isinstance(found, BcflError) else error

    def _exchange(self, calls: Sequence[tuple[str, list[object]]]) -> list[Any]:
        answers: list[Any] = []
        for first in range(0, len(calls), _BATCH):
            answers += self._connection.batch(calls[first : first + _BATCH])
        return answers


def _described(call: BulkCall) -> dict[str, str]:
    """The call as the node tries it."""
    return {"from": call.account.address, "to": call.to, "data": "0x" + call.data.hex(), "value": hex(call.value)}
