"""A chain that goes back: what a trainer shows cannot be copied by a chain that forgets who committed to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bcfl_client.chain.task import Task, TaskActor
from bcfl_client.errors import ContentMissing
from bcfl_client.learning.datasets import load_dataset
from bcfl_client.roles.journal import Journal
from bcfl_client.roles.publisher import publish
from bcfl_client.roles.session import Session
from bcfl_client.roles.task_config import TaskConfig
from bcfl_client.roles.trainer import Trainer, TrainerSettings
from bcfl_client.storage import Content, ContentStore
from bcfl_client.terms import make_terms
from bcfl_client.types import Phase, Stage

if TYPE_CHECKING:
    from tests.integration.conftest import World


@dataclass
class Bench:
    """One trainer in a task that has just begun to train."""

    world: World
    session: Session
    trainer: Trainer

    def act(self) -> None:
        self.trainer.act(self.session.task.status())

    def stage(self) -> Stage:
        return self.session.task.trainer(0).stage

    def is_shown(self) -> bool:
        """Whether the update's bytes are in the store."""
        entry = self.session.journal.find("update", 1)
        assert entry is not None
        size = 4 * int(self.session.task.terms["parameterCount"])
        try:
            self.session.store.get(Content(bytes.fromhex(entry["content"]), size), timeout_seconds=0)
        except ContentMissing:
            return False
        return True


@pytest.fixture
def bench(world: World, store: ContentStore, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    sizes = {"trainer_slots": 1, "miner_slots": 1, "min_trainers": 1, "min_miners": 1, "min_updates": 1}
    config = TaskConfig(dataset="digits", terms=make_terms(**sizes, commit_window=600, max_training_time=600))
    task = Task(
        world.connection, publish(world.connection, world.sender(1), store, world.contracts.factory, config, None)
    )
    miner = TaskActor(task, world.sender(3))
    miner.bid_as_miner(0)
    actor = TaskActor(task, world.sender(2))
    session = Session(task, actor, store, Journal(tmp_path / "state"), lambda verb, facts: None)
    data = load_dataset("digits", None)
    settings = TrainerSettings(price=1, confirmations=getattr(request, "param", 0))
    trainer = Trainer(session, settings, data.train_images[:50], data.train_labels[:50])
    trainer.ensure_bid()
    miner.select()
    yield Bench(world, session, trainer)
    session.journal.close()


def test_B12_a_commitment_lost_after_updates_were_shown_is_not_made_again(bench: Bench) -> None:
    before = bench.world.connection.request("evm_snapshot")
    bench.act()
    assert bench.stage() == Stage.COMMITTED
    bench.act()
    assert bench.stage() == Stage.REVEALED
    bench.world.connection.request("evm_revert", before)
    assert bench.session.task.status().phase == Phase.COMMIT
    bench.act()
    assert bench.stage() == Stage.NONE


def test_B12_a_commitment_lost_before_that_is_made_again(bench: Bench) -> None:
    before = bench.world.connection.request("evm_snapshot")
    bench.act()
    bench.world.connection.request("evm_revert", before)
    bench.act()
    assert bench.stage() == Stage.COMMITTED
    assert not bench.is_shown()


@pytest.mark.parametrize("bench", [3], indirect=True)
def test_B12_an_update_is_shown_only_when_its_commitment_is_deep(bench: Bench) -> None:
    bench.act()
    committed = bench.session.journal.find("committed", 1)
    assert committed is not None
    assert not bench.is_shown()
    bench.act()  # waits; the chain makes a block a second
    assert bench.world.connection.block_number() >= committed["block"] + 3
    assert bench.stage() == Stage.REVEALED
    assert bench.is_shown()
