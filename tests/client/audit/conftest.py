"""A real chain with the contracts on it, rolled back after each test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from eth_account import Account

from bcfl_client.chain.connection import connect
from bcfl_client.chain.contracts import deploy
from bcfl_client.chain.devchain import DevChain
from bcfl_client.chain.sender import Sender
from bcfl_client.storage import DirectoryStore

from .stage import Stage
from .world import World


@pytest.fixture(scope="session")
def running_world() -> Iterator[World]:
    with DevChain() as chain, closing(connect(chain.url)) as connection:
        accounts = [Account.from_key(key) for key in chain.accounts]
        yield World(connection, accounts, deploy(Sender(connection, accounts[0])))


@pytest.fixture
def world(running_world: World) -> Iterator[World]:
    """The chain as it is right after deployment; what a test does there is undone."""
    with running_world.undone():
        yield running_world


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "store")


@pytest.fixture(scope="module")
def selected(running_world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with running_world.undone():
        yield (
            Stage(running_world, DirectoryStore(tmp_path_factory.mktemp("selected")), terms={"maxStrikes": 5})
            .bid()
            .select()
        )


@pytest.fixture(scope="module")
def played(selected: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with selected.world.undone():
        stage = selected.copy(tmp_path_factory.mktemp("played") / "store")
        stage.honest_round()
        yield stage


@pytest.fixture
def running(selected: Stage, tmp_path: Path) -> Iterator[Stage]:
    """A task whose first round begins."""
    with selected.world.undone():
        yield selected.copy(tmp_path / "store")


@pytest.fixture
def stage(played: Stage, tmp_path: Path) -> Iterator[Stage]:
    """A task with one honest round over and one to come."""
    with played.world.undone():
        yield played.copy(tmp_path / "store")
