"""The relay against a real chain: what it takes, what it refuses, and who posts when there is none."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bcfl_client.chain.digests import update_digest
from bcfl_client.chain.task import Task
from bcfl_client.errors import ContractReverted
from bcfl_client.experiments.stage import Stage
from bcfl_client.roles.relay import RelayBox, run_relay
from bcfl_client.roles.session import Session, open_session
from bcfl_client.storage import ContentStore
from bcfl_client.types import Phase, Status, UpdateOpening

if TYPE_CHECKING:
    from tests.integration.conftest import World

TRAINERS = 4


@dataclass
class Scene:
    """A task in its first Commit, a folder, and every trainer's box in it."""

    stage: Stage
    store: ContentStore
    folder: Path

    def __post_init__(self) -> None:
        self.inbox = self.folder / "inbox"
        self.boxes = self._boxes(self.inbox)
        self.task: Task = self.stage.task
        self.openings = self.stage.openings()

    def _boxes(self, folder: Path) -> list[RelayBox]:
        return [RelayBox(folder, self.stage._account("trainer", i)) for i in range(TRAINERS)]

    def place(self, trainer: int):  # type: ignore[no-untyped-def]
        return self.task.place(1, 0, self.stage.trainer_actors[trainer].sender.address)

    def commit(self, trainer: int) -> Path:
        """Leaves the commitment of `trainer` in the folder."""
        return self._put(self.boxes[trainer], trainer)

    def aside(self, trainer: int) -> Path:
        """The commitment of `trainer` as a file that no relay has seen."""
        return self._put(self._boxes(self.folder / "aside")[trainer], trainer)

    def _put(self, box: RelayBox, trainer: int) -> Path:
        return box.put_commit(self.place(trainer), update_digest(self.place(trainer), self.openings[trainer]))

    def session(self, role: str, index: int) -> Session:
        """An account at work, with a connection of its own."""
        account = self.stage._account(role, index)
        return open_session(
            self.task.connection.url, self.task.address, account, self.store.url, self.folder / f"{role}{index}"
        )

    def until(self, phase: Phase, seconds: float = 20.0) -> Status:
        """Waits for `phase`."""
        deadline = time.monotonic() + seconds
        while (status := self.task.status()).phase != phase:
            assert time.monotonic() < deadline, f"still in {status.phase.name}"
            time.sleep(0.05)
        return status

    def transactions(self, name: str) -> set[str]:
        """Of the events of that name."""
        return {event.transaction for event in self.task.round_events(name, 1)}


@pytest.fixture
def scene(world: World, store: ContentStore, tmp_path: Path) -> Scene:
    store.put(b"a store that is there")
    stage = Stage(world.connection, world.contracts.factory, "relay", TRAINERS, lambda name, receipt: None)
    return Scene(stage, store, tmp_path)


@pytest.fixture
def relay(scene: Scene) -> Iterator[None]:
    """A relay at work, as a process."""
    scene.stage._sender("relay", 0)  # for its money

    def run() -> None:
        run_relay(scene.session("relay", 0), scene.inbox)

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    yield
    process.terminate()
    process.join()


@pytest.mark.usefixtures("relay")
def test_posts_everything_in_batches(scene: Scene) -> None:
    """Two transactions for all commitments and reveals; not one of the trainers'."""
    for trainer in range(TRAINERS):
        scene.commit(trainer)
    scene.until(Phase.REVEAL)
    for trainer in range(TRAINERS):
        scene.boxes[trainer].put_reveal(scene.place(trainer), scene.openings[trainer])
    scene.until(Phase.CHECK)
    assert len(scene.transactions("Committed")) <= 2 and len(scene.transactions("Revealed")) <= 2
    assert [seat.digest for seat in scene.task.trainers()] == [opening.root[:25] for opening in scene.openings]


@pytest.mark.usefixtures("relay")
def test_what_is_wrong_stops_nobody(scene: Scene) -> None:
    """Rubbish, a stranger's signature, one for another round, a malleated one: left out; the others are posted."""
    made = [scene.aside(trainer) for trainer in (1, 2, 3)]
    good = [json.loads(path.read_text()) for path in made]
    paths = [scene.inbox / path.name for path in made]
    scene.commit(1)
    paths[1].write_text(json.dumps(good[0]))  # signed by somebody else
    paths[2].write_text("[" * 1000)
    scene.commit(0)
    deadline = time.monotonic() + 20
    while scene.task.status().round.commits < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    vs = int(good[1]["vs"], 16)
    twin = (order - (vs & ~(1 << 255))) | ((vs >> 255 ^ 1) << 255)
    assert order - (vs & ~(1 << 255)) > order // 2
    if twin < 2**256:
        paths[1].write_text(json.dumps({**good[1], "vs": f"{twin:064x}"}))
    scene.boxes[3].put_commit(scene.task.place(2, 0, scene.place(3).sender), b"1" * 32)
    time.sleep(1)
    assert scene.task.status().round.commits == 2
    paths[1].write_text(json.dumps(good[1]))
    scene.commit(3)
    scene.until(Phase.REVEAL)
    # A reveal of something else is left out as well.
    other = scene.openings[0]
    scene.boxes[0].put_reveal(scene.place(0), UpdateOpening(other.content_digest, *other.values[1:]))
    for trainer in (1, 2, 3):
        scene.boxes[trainer].put_reveal(scene.place(trainer), scene.openings[trainer])
    while scene.task.status().round.reveals < 3:
        time.sleep(0.05)
    assert scene.task.status().phase == Phase.REVEAL


@pytest.mark.usefixtures("relay")
def test_a_trainer_hears_that_it_is_relayed(scene: Scene) -> None:
    """The box waits for the block, and the trainer pays nothing."""
    session = scene.session("trainer", 0)
    before = scene.task.connection.balance(session.address)
    digest = update_digest(scene.place(0), scene.openings[0])
    block = scene.boxes[0].commit(session, scene.task.status(), digest)
    (event,) = scene.task.round_events("Committed", 1)
    assert block == event.block and event.args["digest"] == digest
    assert scene.task.connection.balance(session.address) == before
    assert not list(scene.inbox.iterdir())
    session.close()


def test_without_a_relay_a_trainer_posts_for_itself(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once half of the time is over."""
    monkeypatch.setattr("bcfl_client.roles.relay._OWN_SHARE", 0.01)  # of 120 s
    session = scene.session("trainer", 0)
    digest = update_digest(scene.place(0), scene.openings[0])
    scene.boxes[0].commit(session, scene.task.status(), digest)
    assert scene.task.status().round.commits == 1
    with pytest.raises(ContractReverted, match="WrongPhase"):
        session.actor.reveal(scene.openings[0])
    session.close()
