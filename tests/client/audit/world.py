"""The chain that the tests of the audit run on, and the terms of their tasks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from eth_account.signers.local import LocalAccount

from bcfl_client.chain.connection import Connection
from bcfl_client.chain.contracts import Deployment
from bcfl_client.chain.sender import Sender

WINDOW = 1000  # seconds; far above what a test takes, so that phases end when the test says so
BASE: dict[str, Any] = {
    "aggregationRule": 0,
    "trimShare": 2500,
    "scoringRule": 0,
    "forkRule": 0,
    "rounds": 2,
    "trainerSlots": 4,
    "minerSlots": 3,
    "minTrainers": 2,
    "minMiners": 1,
    "minUpdates": 2,
    "maxVoidRounds": 1,
    "maxStrikes": 2,
    "minSamples": 10,
    "maxTrainingTime": 100,
    "closeWhenFull": False,
    "reward": 3_000_017,
    "maxPrice": 1000,
    "maxFee": 100_000,
    "trainerDeposit": 101,
    "minerDeposit": 40_001,
    "challengeBond": 10_000,
    "penalty": 500,
    "minerShare": 2000,
    "slashShare": 3333,
    "earlyBonus": 2000,
    "targetAccuracy": 0,
    "payScore": 0,
    "startQuality": 32_768,
    "fastBlocks": 0,
    "fastRewards": 3000,
    **dict.fromkeys(("biddingWindow", "commitWindow", "revealWindow", "checkWindow", "sealWindow"), WINDOW),
    **dict.fromkeys(("mineWindow", "openWindow"), WINDOW),
    "forkWindow": 0,
    "minWindow": 50,
    "challengeWindow": 500,
    "responseWindow": 100,
    "auditPeriod": 86_400,
    "difficulty": 4,
    "blockTime": 0,
}


@dataclass
class World:
    """A chain with the contracts on it."""

    connection: Connection
    accounts: list[LocalAccount]
    contracts: Deployment

    def sender(self, index: int) -> Sender:
        """Sends for the dev account `index`, with a fresh nonce."""
        return Sender(self.connection, self.accounts[index])

    @contextmanager
    def undone(self) -> Iterator[None]:
        """What happens on the chain inside is undone at the end."""
        snapshot = self.connection.request("evm_snapshot")
        yield
        assert self.connection.request("evm_revert", snapshot)

    def later(self, seconds: int) -> None:
        """Lets time pass."""
        self.connection.request("evm_increaseTime", seconds)
        self.connection.request("evm_mine")

    def now(self) -> tuple[int, int]:
        """Second and number of the newest block."""
        newest = self.connection.request("eth_getBlockByNumber", "latest", False)
        return int(newest["timestamp"], 16), int(newest["number"], 16)
