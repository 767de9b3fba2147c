"""The multi-functional node: trainer and miner of one task in one process, with one key (paper, section IV-A).

A round's phases divide its compute: it trains in Commit and mines afterwards. How much both take is known before it
bids: the task names its rounds and local epochs, and a budget holds them or does not (section V-B).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bcfl_client.budget import Budget, Split
from bcfl_client.errors import ChainMismatch
from bcfl_client.roles.journal import Journal
from bcfl_client.roles.materials import fetch_materials
from bcfl_client.roles.miner import Miner, MinerSettings
from bcfl_client.roles.session import Session
from bcfl_client.roles.trainer import Trainer, TrainerSettings
from bcfl_client.roles.watch import follow
from bcfl_client.types import Role, Status

__all__ = ["run_node"]

_PATIENCE_SECONDS = 0.5  # as a miner has


def run_node(
    session: Session,
    budget: Budget,
    training: TrainerSettings,
    mining: MinerSettings,
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
) -> None:
    """Trains on `images` [n, height, width] and `labels` [n], and mines, until the task is closed, then withdraws.
    Carries on where an earlier process stopped. Where it gets a seat in one role only, it plays that.

    Raises InputError before any money moves when the task does not fit the budget, or bids, data or model the task.
    """
    task = session.task
    status = task.status()
    if status.state.closed and all(task.seat(role, session.address) is None for role in Role):
        raise ChainMismatch(f"the task {task.address} is {status.state.name.lower()} already")
    if not _has_bid(session):
        _require_budget(session, budget)
        _require_money(session, len(labels), mining.fee)
    with _in_role(session, Role.TRAINER) as as_trainer, _in_role(session, Role.MINER) as as_miner:
        miner = Miner(as_miner, mining)
        node = _Node(session, Trainer(as_trainer, training, images, labels), miner)
        node.ensure_bids()
        follow(session, node.act, _PATIENCE_SECONDS, miner.key)
        miner.watchdog.settle(task.status())
    session.withdraw()
    session.journal.close()


class _Node:
    """Both roles in one loop, so that they never send at the same moment; in Reveal the update is shown first."""

    def __init__(self, session: Session, trainer: Trainer, miner: Miner) -> None:
        self._session = session
        self._playing: list[Trainer | Miner] = [trainer, miner]

    def ensure_bids(self) -> None:
        """Bids in both roles, unless it has. Raises ChainMismatch when the task refuses the first of its bids."""
        self._playing = [one for one in self._playing if self._is_in(one)]

    def act(self, status: Status) -> bool:
        """Does what the phase asks for. True when there is nothing left to do: no bid was selected."""
        self._playing = [one for one in self._playing if not one.act(status)]
        return not self._playing

    def _is_in(self, one: Trainer | Miner) -> bool:
        try:
            one.ensure_bid()
        except ChainMismatch as error:
            if not _has_bid(self._session):
                raise
            # The other role's deposit is in the task: to stop now could cost it.
            self._session.report("goes on with one role", {"reason": str(error)})
            return False
        return True


@contextmanager
def _in_role(session: Session, role: Role) -> Iterator[Session]:
    """The session as one of the roles has it: with a journal of its own, and its name before what it reports."""
    name = role.name.lower()
    journal = Journal(session.journal.folder / name)
    try:
        yield replace(session, journal=journal, report=lambda verb, facts: session.report(f"{name} {verb}", facts))
    finally:
        journal.close()


def _has_bid(session: Session) -> bool:
    return any(session.task.bid(role, session.address)["deposit"] for role in Role)


def _require_budget(session: Session, budget: Budget) -> None:
    """Says what of the task fits. Raises ConfigError unless all of it does."""
    hyperparameters = fetch_materials(session.task, session.store).manifest.hyperparameters
    wanted = Split(int(session.task.terms["rounds"]), hyperparameters.local_epochs)
    budget.require(wanted)
    session.report(
        f"plan: {wanted} take {budget.cost(wanted):g} of {budget.total:g}, which holds {budget.near(wanted)}", {}
    )


def _require_money(session: Session, samples: int, fee: int) -> None:
    """Raises ChainMismatch when the second bid would be refused after the first was taken."""
    terms = session.task.terms
    if fee > terms["maxFee"]:
        raise ChainMismatch(f"the fee of {fee} wei is more than the task's max_fee, {terms['maxFee']} wei")
    need = samples * int(terms["trainerDeposit"]) + int(terms["minerDeposit"])
    balance = session.task.connection.balance(session.address)
    if balance < need:
        raise ChainMismatch(
            f"account {session.address} has {balance} wei; the deposits of a trainer with {samples} samples and of a "
            f"miner are {need} wei together, and there is gas to pay; fund it and try again"
        )
