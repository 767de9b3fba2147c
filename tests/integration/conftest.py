"""A real chain with the contracts on it, rolled back after each test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount

from bcfl_client.chain.connection import Connection, connect
from bcfl_client.chain.contracts import Deployment, deploy
from bcfl_client.chain.devchain import DevChain
from bcfl_client.chain.sender import Sender
from bcfl_client.storage import ContentStore, open_store


@dataclass(frozen=True)
class World:
    """A chain that runs, its funded accounts and the contracts on it."""

    chain: DevChain
    connection: Connection
    accounts: list[LocalAccount]
    contracts: Deployment

    def sender(self, index: int) -> Sender:
        """Sends for the dev account `index`."""
        return Sender(self.connection, self.accounts[index])


@pytest.fixture(scope="session")
def running_world() -> Iterator[World]:
    with DevChain() as chain:
        connection = connect(chain.url)
        accounts = [Account.from_key(key) for key in chain.accounts]
        yield World(chain, connection, accounts, deploy(Sender(connection, accounts[0])))
        connection.close()


@pytest.fixture
def world(running_world: World) -> Iterator[World]:
    """The chain as it is right after deployment; what a test does there is undone."""
    snapshot = running_world.connection.request("evm_snapshot")
    yield running_world
    assert running_world.connection.request("evm_revert", snapshot)


@pytest.fixture
def store(tmp_path: Path) -> ContentStore:
    return open_store(f"dir:{tmp_path / 'store'}")
