"""A node that gets a seat in one role only, or in none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bcfl_client.chain.task import Task, TaskActor
from bcfl_client.errors import ChainMismatch
from bcfl_client.learning.datasets import load_dataset
from bcfl_client.roles.miner import Miner, MinerSettings
from bcfl_client.roles.node import _in_role, _Node
from bcfl_client.roles.publisher import publish
from bcfl_client.roles.session import open_session
from bcfl_client.roles.task_config import TaskConfig
from bcfl_client.roles.trainer import Trainer, TrainerSettings
from bcfl_client.storage import ContentStore
from bcfl_client.terms import make_terms
from bcfl_client.types import Phase, Role, Stage

if TYPE_CHECKING:
    from tests.integration.conftest import World

SAMPLES = 50


@pytest.fixture
def task(world: World, store: ContentStore) -> Task:
    """One seat for a trainer and two for miners; bidding ends when there are bids for all."""
    sizes = {"trainer_slots": 1, "miner_slots": 2, "min_trainers": 1, "min_miners": 1, "min_updates": 1}
    config = TaskConfig(dataset="digits", terms=make_terms(**sizes))
    sender = world.sender(1)
    return Task(world.connection, publish(world.connection, sender, store, world.contracts.factory, config, None))


@pytest.fixture
def node(world: World, task: Task, store: ContentStore, tmp_path: Path) -> Iterator[tuple[_Node, list[str]]]:
    """A node of the dev account 2 that asks 1 gwei in both roles, and what it reports."""
    said: list[str] = []
    data, account = load_dataset("digits", None), world.accounts[2]
    with ExitStack() as stack:
        session = open_session(
            world.chain.url, task.address, account, store.url, tmp_path, report=lambda verb, facts: said.append(verb)
        )
        stack.callback(session.close)
        as_trainer, as_miner = (stack.enter_context(_in_role(session, role)) for role in Role)
        images, labels = data.train_images[:SAMPLES], data.train_labels[:SAMPLES]
        trainer = Trainer(as_trainer, TrainerSettings(price=10**9), images, labels)
        yield _Node(session, trainer, Miner(as_miner, MinerSettings(fee=10**9))), said


@pytest.fixture
def rival(world: World, task: Task) -> TaskActor:
    """Somebody who asks nothing."""
    return TaskActor(task, world.sender(3))


def _deposits(task: Task, account: str) -> list[bool]:
    return [bool(task.bid(role, account)["deposit"]) for role in Role]


def test_outbid_as_a_trainer(world: World, task: Task, node: tuple[_Node, list[str]], rival: TaskActor) -> None:
    """It does not bid as a miner alone."""
    rival.bid_as_trainer(SAMPLES, 0, 1000)
    with pytest.raises(ChainMismatch, match="LearningTask_Outbid"):
        node[0].ensure_bids()
    assert _deposits(task, world.accounts[2].address) == [False, False] and node[1] == []


def test_outbid_as_a_miner(world: World, task: Task, node: tuple[_Node, list[str]], rival: TaskActor) -> None:
    """Its trainer's deposit is in by then: it says so, and trains."""
    playing, said = node
    rival.bid_as_miner(0)
    TaskActor(task, world.sender(4)).bid_as_miner(0)
    playing.ensure_bids()
    assert _deposits(task, world.accounts[2].address) == [True, False]
    rival.select()
    status = task.status()
    assert status.phase == Phase.COMMIT and not playing.act(status)
    assert task.trainer(0).stage == Stage.COMMITTED
    assert said[:2] == ["trainer bid", "goes on with one role"] and said[-1] == "trainer committed"


@pytest.mark.parametrize("restarted", [False, True])
def test_displaced_as_a_trainer(
    world: World, task: Task, node: tuple[_Node, list[str]], rival: TaskActor, restarted: bool
) -> None:
    """A better bid that comes later leaves it the miner's seat, also in a process that starts again."""
    playing, said = node
    playing.ensure_bids()
    rival.bid_as_trainer(SAMPLES, 0, 1000)
    rival.bid_as_miner(10**9)
    if restarted:
        playing.ensure_bids()
    rival.select()
    assert not playing.act(task.status()) and not playing.act(task.status())
    assert task.seat(Role.MINER, world.accounts[2].address) is not None
    assert _deposits(task, world.accounts[2].address) == [False, True]
    assert said == ["trainer bid", "miner bid", "goes on with one role" if restarted else "trainer not selected"]
