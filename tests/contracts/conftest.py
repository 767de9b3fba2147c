"""Named people, deployed contracts, tasks; the chain is rolled back after each test and each file.

Run by `brownie test tests/contracts` on Anvil.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .support import chain
from .support.play import Play
from .support.terms import terms


@pytest.fixture(scope="session", autouse=True)
def patience() -> Iterator[None]:
    yield from chain.patient()


# Brownie's own fixtures of these names collect garbage and walk its history each time: 60 times slower.
@pytest.fixture(scope="module", autouse=True)
def module_isolation() -> Iterator[None]:
    yield from chain.isolated()


@pytest.fixture(autouse=True)
def fn_isolation(module_isolation: None) -> Iterator[None]:
    yield from chain.isolated()


# ---------------------------------------------------------------------- people


@pytest.fixture(scope="session")
def publisher(accounts: Any) -> Any:
    return accounts[0]


@pytest.fixture(scope="session")
def alice(accounts: Any) -> Any:
    """The trainer on seat 0, when all bid as usual."""
    return accounts[1]


@pytest.fixture(scope="session")
def bob(accounts: Any) -> Any:
    """The trainer on seat 1."""
    return accounts[2]


@pytest.fixture(scope="session")
def carol(accounts: Any) -> Any:
    """The trainer on seat 2."""
    return accounts[3]


@pytest.fixture(scope="session")
def mia(accounts: Any) -> Any:
    """The miner on seat 0."""
    return accounts[4]


@pytest.fixture(scope="session")
def nick(accounts: Any) -> Any:
    """The miner on seat 1."""
    return accounts[5]


@pytest.fixture(scope="session")
def olga(accounts: Any) -> Any:
    """The miner on seat 2."""
    return accounts[6]


@pytest.fixture(scope="session")
def dave(accounts: Any) -> Any:
    """Comes to bid when a test needs one more."""
    return accounts[7]


@pytest.fixture(scope="session")
def eve(accounts: Any) -> Any:
    """Has no part in any task."""
    return accounts[8]


@pytest.fixture(scope="session")
def everybody(accounts: Any) -> list[Any]:
    """All of them."""
    return list(accounts)[:9]


# ---------------------------------------------------------------------- contracts


@pytest.fixture(scope="session")
def bidding(TaskBidding: Any, publisher: Any) -> Any:
    return TaskBidding.deploy({"from": publisher})


@pytest.fixture(scope="session")
def blocks(TaskBlocks: Any, publisher: Any) -> Any:
    return TaskBlocks.deploy({"from": publisher})


@pytest.fixture(scope="session")
def settlement(TaskSettlement: Any, publisher: Any) -> Any:
    return TaskSettlement.deploy({"from": publisher})


@pytest.fixture(scope="session")
def implementation(LearningTask: Any, bidding: Any, blocks: Any, settlement: Any, publisher: Any) -> Any:
    return LearningTask.deploy(bidding, blocks, settlement, {"from": publisher})


@pytest.fixture(scope="session")
def factory(TaskFactory: Any, implementation: Any, publisher: Any) -> Any:
    return TaskFactory.deploy(0, implementation, {"from": publisher})


@pytest.fixture(scope="session")
def reputation(Reputation: Any, factory: Any) -> Any:
    return Reputation.at(factory.reputation())


# ---------------------------------------------------------------------- tasks


@pytest.fixture(scope="session")
def publish(
    LearningTask: Any, factory: Any, publisher: Any, alice: Any, bob: Any, carol: Any, mia: Any, nick: Any, olga: Any
) -> Callable[..., Play]:
    """Publishes a task with the base terms and some changes."""

    def make(**changes: Any) -> Play:
        given = terms(**changes)
        chain.send(publisher, factory.publish, tuple(given.values()), value=given["reward"])
        task = LearningTask.at(factory.tasks(factory.taskCount() - 1))
        return Play(task, given, publisher, [alice, bob, carol], [mia, nick, olga])

    return make


@pytest.fixture(scope="module")
def play(module_isolation: None, publish: Callable[..., Play]) -> Play:
    """A fresh task in Bidding. Files about later phases have a `play` of their own."""
    return publish()


@pytest.fixture(scope="module")
def task(play: Play) -> Any:
    return play.task
