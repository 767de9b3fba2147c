"""What each actor of the demo does, in a process of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bcfl_client.chain.connection import Connection
from bcfl_client.chain.sender import Sender
from bcfl_client.demo.actors import Actor
from bcfl_client.demo.settings import DemoSettings
from bcfl_client.learning.datasets import Dataset
from bcfl_client.roles.adversaries import (
    LazyTrainer,
    LiarMiner,
    PoisoningTrainer,
    SleepingTrainer,
    ThiefMiner,
    run_cheating_trainer,
    run_outsider,
)
from bcfl_client.roles.miner import MinerSettings, run_miner
from bcfl_client.roles.publisher import publish
from bcfl_client.roles.session import Report, Session, open_session
from bcfl_client.roles.task_config import TaskConfig
from bcfl_client.roles.trainer import TrainerSettings, run_trainer
from bcfl_client.roles.watch import follow
from bcfl_client.roles.watcher import run_watcher
from bcfl_client.storage import ContentStore

__all__ = ["Data", "Scene", "play", "publish_task"]

_PRICE = 500 * 10**9  # wei per sample and round
_FEE = 10**16  # wei per block
_PUBLISHER_PATIENCE_SECONDS = 0.1  # it has nothing else to do than to select

Data = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""A trainer's images [n, height, width] and labels [n]."""


@dataclass(frozen=True)
class Scene:
    """What all actors share."""

    settings: DemoSettings
    connection: Connection
    store: ContentStore
    folder: Path
    dataset: Dataset
    data_root: Path | None


def publish_task(scene: Scene, actor: Actor, factory: str, report: Report) -> None:
    """The publisher: publishes, selects as soon as it can, takes back what is left."""
    settings = scene.settings
    config = TaskConfig(
        dataset=scene.dataset.name,
        model=settings.model,
        seed=settings.seed,
        description=f"demo: {settings.model} on {scene.dataset.name}, {settings.partition}",
        terms=settings.terms(),
    )
    sender = Sender(scene.connection, actor.account)
    task = publish(scene.connection, sender, scene.store, factory, config, scene.data_root)
    report("published", {"task": task})
    session = _session(scene, actor, task, report)
    follow(session, lambda status: False, _PUBLISHER_PATIENCE_SECONDS)
    session.withdraw()
    _done(report, sender, session.actor.sender)


def play(scene: Scene, actor: Actor, task: str, data: Data | None, report: Report) -> None:
    """Everybody else, by role; `data` is what a trainer has, or says that it has."""
    session = _session(scene, actor, task, report)
    if data is not None:
        _train(scene, actor, session, *data)
    elif actor.role == "outsider":
        run_outsider(session)
    elif actor.role == "watcher":
        run_watcher(session)
    else:
        _mine(scene, actor, session)
    _done(report, session.actor.sender)


def _train(scene: Scene, actor: Actor, session: Session, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
    seed, model = scene.settings.seed, scene.settings.model
    if actor.role == "trainer":
        run_trainer(session, TrainerSettings(_PRICE, model, seed=seed, trainer_id=actor.index), images, labels)
    elif actor.role == "poison":
        run_cheating_trainer(session, PoisoningTrainer(session, _PRICE, model, images, labels, seed + actor.index))
    else:
        kind = {"lazy": LazyTrainer, "sleeper": SleepingTrainer}[actor.role]
        run_cheating_trainer(session, kind(session, _PRICE, len(labels), seed=seed + actor.index))


def _mine(scene: Scene, actor: Actor, session: Session) -> None:
    settings = MinerSettings(_FEE, scene.settings.model)
    if actor.role == "liar":
        run_miner(session, settings, LiarMiner(session, settings, eager=True))
    elif actor.role == "thief":
        run_miner(session, settings, ThiefMiner(session, settings))
    else:
        run_miner(session, settings)


def _session(scene: Scene, actor: Actor, task: str, report: Report) -> Session:
    state = scene.folder / "state"
    return open_session(scene.connection.url, task, actor.account, scene.store.url, state, report=report)


def _done(report: Report, *senders: Sender) -> None:
    report("done", {"gas": sum(one.gas_used for one in senders), "fees": sum(one.fees for one in senders)})
