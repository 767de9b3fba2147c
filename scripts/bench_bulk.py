"""Measures how long a round's commitments and reveals of many trainers take to be in blocks: one batch of all of them
against one after the other. Run: python -m scripts.bench_bulk [TRAINERS]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from eth_account import Account

from bcfl_client.chain.bulk import BulkCall, BulkSender
from bcfl_client.chain.connection import connect
from bcfl_client.chain.contracts import deploy
from bcfl_client.chain.devchain import DevChain
from bcfl_client.chain.digests import update_digest
from bcfl_client.chain.sender import Receipt, Sender
from bcfl_client.experiments.stage import Stage, word
from bcfl_client.types import Phase

__all__ = ["main"]


def main(trainers: int = 100) -> None:
    """Prints seconds for `trainers` accounts on an automining Anvil."""
    with DevChain() as chain:
        connection = connect(chain.url)
        factory = deploy(Sender(connection, Account.from_key(chain.accounts[0]))).factory
        for name, send in (("one batch", in_a_batch), ("one by one", one_by_one)):
            stage = Stage(connection, factory, name, trainers, lambda call, receipt: None)
            for what, calls, then in (
                ("commits", commits(stage), Phase.REVEAL),
                ("reveals", reveals(stage), Phase.CHECK),
            ):
                start = time.perf_counter()
                outcomes = send(stage, calls)
                seconds = time.perf_counter() - start
                included = sum(isinstance(one, Receipt) for one in outcomes)
                assert stage.task.status().phase == then
                print(f"{name:<11} {what}: {included}/{trainers} in blocks after {seconds:.2f} s", flush=True)
        connection.close()


def commits(stage: Stage) -> list[BulkCall]:
    """Every trainer's commitment."""
    encoded = []
    for actor, opening in zip(stage.trainer_actors, stage.openings()):
        digest = update_digest(stage.task.place(1, 0, actor.sender.address), opening)
        encoded.append(stage.task.codec.call("commit", digest))
    return _calls(stage, encoded)


def reveals(stage: Stage) -> list[BulkCall]:
    """Every trainer's reveal."""
    return _calls(stage, [stage.task.codec.call("reveal", *opening.values) for opening in stage.openings()])


def in_a_batch(stage: Stage, calls: Sequence[BulkCall]) -> Sequence[object]:
    """As one bulk."""
    return BulkSender(stage.connection, stage.task.codec).send(calls)


def one_by_one(stage: Stage, calls: Sequence[BulkCall]) -> Sequence[object]:
    """As separate senders do, waiting for each block."""
    receipts = []
    for call in calls:
        sender = Sender(stage.connection, call.account)
        receipts.append(sender.wait(sender.send(call.to, call.data, codec=stage.task.codec), codec=stage.task.codec))
    return receipts


def _calls(stage: Stage, encoded: Sequence[bytes]) -> list[BulkCall]:
    accounts = [Account.from_key(word("key", "trainer", i)) for i in range(stage.trainers)]
    return [BulkCall(account, stage.task.address, data) for account, data in zip(accounts, encoded)]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
