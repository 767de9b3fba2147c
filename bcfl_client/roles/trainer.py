"""The trainer: bids, trains on its own data, commits, reveals, takes its pay (paper, section III-A, steps 1, 2, 6)."""

from __future__ import annotations

import logging
import secrets
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bcfl_client.aggregation.clipping import step_norm
from bcfl_client.chain.digests import update_digest
from bcfl_client.errors import ChainMismatch, ConfigError, ContractReverted
from bcfl_client.learning.encoding import FRACTIONAL_BITS, encode_parameters
from bcfl_client.learning.training import LocalTrainer
from bcfl_client.learning.tree import parameter_root
from bcfl_client.roles.materials import build_task_model, fetch_materials, fetch_parameters
from bcfl_client.roles.relay import RelayBox
from bcfl_client.roles.session import Session
from bcfl_client.roles.watch import POLL_SECONDS, follow
from bcfl_client.storage import Content
from bcfl_client.types import Phase, Role, Stage, Status, UpdateOpening

__all__ = ["Trainer", "TrainerSettings", "run_trainer"]

_PATIENCE_SECONDS = 4.0  # miners are quicker; this is for when none of them is there
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainerSettings:
    """How this trainer bids and trains.

    `price` in wei per sample and round, `training_time` in microseconds per sample, `model` as in `build_model`;
    `seed` and `trainer_id` decide every random choice of training. An update is shown once its commitment is
    `confirmations` blocks deep. With a `relay` others send, and pay the gas.
    """

    price: int
    model: str = "2nn"
    training_time: int = 1000
    seed: int = 0
    trainer_id: int = 0
    confirmations: int = 0
    relay: RelayBox | None = None

    def __post_init__(self) -> None:
        if self.price < 0 or self.training_time < 0 or self.confirmations < 0:
            raise ConfigError("price, training time and confirmations are not negative")


def run_trainer(
    session: Session, settings: TrainerSettings, images: NDArray[np.uint8], labels: NDArray[np.uint8]
) -> None:
    """Works for the task until it is closed, then withdraws. Carries on where an earlier process stopped.

    Raises InputError before any money moves when bid, data or model do not fit the task.
    """
    status = session.task.status()
    if status.state.closed and session.task.seat(Role.TRAINER, session.address) is None:
        raise ChainMismatch(f"the task {session.task.address} is {status.state.name.lower()} already")
    trainer = Trainer(session, settings, images, labels)
    trainer.ensure_bid()
    follow(session, trainer.act, _PATIENCE_SECONDS)
    session.withdraw()
    session.journal.close()


class Trainer:
    """An honest trainer on one task."""

    def __init__(
        self, session: Session, settings: TrainerSettings, images: NDArray[np.uint8], labels: NDArray[np.uint8]
    ) -> None:
        self._session = session
        self._settings = settings
        materials = fetch_materials(session.task, session.store)
        if images.shape[1:] != materials.manifest.input_shape:
            wanted, found = materials.manifest.input_shape, images.shape[1:]
            raise ConfigError(f"this task's images are {wanted[0]} x {wanted[1]}, yours are {found[0]} x {found[1]}")
        if int(labels.max()) >= materials.manifest.classes:
            classes = materials.manifest.classes
            raise ConfigError(f"this task has {classes} classes, your labels go up to {int(labels.max())}")
        model = build_task_model(settings.model, materials)
        self._samples = len(labels)
        self._local = LocalTrainer(
            model, images, labels, materials.manifest.hyperparameters, settings.seed, settings.trainer_id
        )
        self._seat: int | None = None

    def ensure_bid(self) -> None:
        """Bids, unless there is a bid. Raises ChainMismatch when the task does not take it."""
        task = self._session.task
        if task.bid(Role.TRAINER, self._session.address)["deposit"]:
            return
        if task.status().phase != Phase.BIDDING:
            raise ChainMismatch(f"bidding for the task {task.address} is over, and this account has no bid in it")
        try:
            self._session.actor.bid_as_trainer(self._samples, self._settings.price, self._settings.training_time)
        except ContractReverted as error:
            raise ChainMismatch(f"the task does not take this bid: {error}") from error
        self._session.report("bid", {"samples": self._samples, "price": self._settings.price})

    def act(self, status: Status) -> bool:
        """Does what the phase asks for. True when there is nothing left to do: this bid was not selected."""
        if self._seat is None:
            self._seat = self._session.task.seat(Role.TRAINER, self._session.address)
            if self._seat is None:
                self._session.report("not selected", {})
                return True
        if status.phase == Phase.COMMIT:
            self._commit(status, self._seat)
        elif status.phase == Phase.REVEAL:
            self._reveal(status, self._seat)
        return False

    def _commit(self, status: Status, seat: int) -> None:
        session, round_id = self._session, status.round.id
        own = session.task.trainer(seat)
        if own.round_id == round_id or own.strikes >= session.task.terms["maxStrikes"]:
            return
        if session.journal.find("shown", round_id) is not None:
            # The chain went back behind Commit: by now anybody can have copied the update, or waited for the others'.
            session.report("commitment lost after updates were shown", {"round": round_id})
            return
        entry = session.journal.find("update", round_id)
        if entry is None:
            session.report("training", {"round": round_id})
            base = fetch_parameters(
                session.store, status.head.content_digest, status.head.root, session.task.terms["parameterCount"]
            )
            start = time.monotonic()
            update = self._local.train(base, round_id - 1)
            training_time = int((time.monotonic() - start) * 1000)
            norm = step_norm(base, update, FRACTIONAL_BITS)
            session.report("trained", {"round": round_id, "ms": training_time, "norm": f"{norm:.3f}"})
            data = encode_parameters(update)
            session.journal.save(f"update-{round_id}.bin", data)
            # The salt comes from the system and serves once: who knows it can open the commitment.
            entry = session.journal.write(
                "update",
                round_id,
                root=parameter_root(update),
                content=Content.of(data).digest,
                samples=self._samples,
                time=training_time,
                salt=secrets.token_bytes(32),
            )
        digest = update_digest(session.task.place(round_id, 0, session.address), _opening(entry))
        relay = self._settings.relay
        block = relay.commit(session, status, digest) if relay else session.actor.commit(digest).block
        session.journal.write("committed", round_id, block=block)
        session.report("committed", {"round": round_id})

    def _reveal(self, status: Status, seat: int) -> None:
        session, round_id = self._session, status.round.id
        own = session.task.trainer(seat)
        if own.round_id != round_id or own.stage != Stage.COMMITTED:
            return
        entry = session.journal.find("update", round_id)
        if entry is None:
            _log.error("round %d: committed, but its salt is not in %s", round_id, session.journal.folder)
            return
        if not self._is_deep(status):
            return
        # Not before Commit has closed: until now nobody could have copied it.
        session.journal.write("shown", round_id)
        session.store.put(session.journal.read(f"update-{round_id}.bin"))
        if relay := self._settings.relay:
            relay.reveal(session, status, _opening(entry))
        else:
            session.actor.reveal(_opening(entry))
        session.report("revealed", {"round": round_id})
        session.journal.drop(f"update-{round_id - 1}.bin")

    def _is_deep(self, status: Status) -> bool:
        """Waits until the commitment is as many blocks deep as it is to be; False when Reveal is over before."""
        session, round_id = self._session, status.round.id
        entry = session.journal.find("committed", round_id)
        if entry is None or self._settings.confirmations == 0:
            return True
        while session.task.connection.block_number() < entry["block"] + self._settings.confirmations:
            now = session.task.status()
            if now.phase != Phase.REVEAL or now.round.id != round_id:
                return False
            time.sleep(POLL_SECONDS)
        return True


def _opening(entry: dict[str, object]) -> UpdateOpening:
    root, content, salt = (bytes.fromhex(str(entry[name])) for name in ("root", "content", "salt"))
    return UpdateOpening(root, content, int(str(entry["samples"])), int(str(entry["time"])), salt)
