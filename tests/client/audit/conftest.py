"""A real chain with the contracts on it, rolled back after each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account import Account

from bcfl_client.chain.connection import connect
from bcfl_client.chain.contracts import deploy
from bcfl_client.chain.devchain import DevChain
from bcfl_client.chain.sender import Sender
from bcfl_client.storage import DirectoryStore

from .stage import World


@pytest.fixture(scope="session")
def running_world() -> Iterator[World]:
    with DevChain() as chain:
        connection = connect(chain.url)
        yield World(chain, connection, deploy(Sender(connection, Account.from_key(chain.accounts[0]))))


@pytest.fixture
def world(running_world: World) -> Iterator[World]:
    """The chain as it is right after deployment; what a test does there is undone."""
    snapshot = running_world.connection.request("evm_snapshot")
    yield running_world
    assert running_world.connection.request("evm_revert", snapshot)


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "store")
