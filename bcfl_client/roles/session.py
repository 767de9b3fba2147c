"""What every participant has in hand: a task, an account, a store, a journal."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from bcfl_client.chain.connection import connect
from bcfl_client.chain.keys import LocalAccount
from bcfl_client.chain.sender import Sender
from bcfl_client.chain.task import Task, TaskActor
from bcfl_client.errors import ContractReverted
from bcfl_client.roles.journal import Journal
from bcfl_client.roles.results import Result, carriers, opened_scores, round_results, truth
from bcfl_client.scoring.medians import round_medians
from bcfl_client.storage import ContentStore, open_store
from bcfl_client.types import Opening, Phase, Status, bits, pack_scores, unpack_scores

__all__ = ["Report", "Session", "open_session"]

_log = logging.getLogger(__name__)

Report = Callable[[str, dict[str, object]], None]
"""Told what a participant does: a verb and its facts. Must return at once."""


@dataclass(frozen=True)
class Session:
    """One account at work on one task."""

    task: Task
    actor: TaskActor
    store: ContentStore
    journal: Journal
    report: Report

    @property
    def address(self) -> str:
        """The own account."""
        return self.actor.sender.address

    def close(self) -> None:
        """Lets go of the state folder and the chain."""
        self.journal.close()
        self.task.connection.close()

    def advance(self, status: Status) -> None:
        """Makes the heavy transition that is due, unless somebody else just did."""
        try:
            if status.phase == Phase.SELECT:
                self.actor.select()
                self.report("selected", {})
            elif status.phase == Phase.FINALISE:
                self.actor.finalise(*self.medians(status))
                self.report("finalised", {"round": status.round.id})
        except ContractReverted as error:
            _log.debug("somebody else was first: %s", error)

    def medians(self, status: Status, own: tuple[int, Opening] | None = None) -> tuple[tuple[int, ...], int]:
        """What `finalise` wants for the round as it is, or as it will be with the `own` (seat, opening) on top:
        packed medians and their middle; empty for a void round and for a fast block."""
        now = status.round
        if now.fast:
            return (), 0
        results, scores = round_results(self.task, now.id), opened_scores(self.task, now.id)
        if own is not None:
            seat, mine = own
            results[seat], scores[seat] = Result(mine.root, mine.content_digest), mine.scores
            now = replace(now, openers=now.openers | 1 << seat)
        found, _ = truth(now, results)
        if found is None or not carriers(now, results, found):
            return (), 0
        openers = [seat for seat in bits(now.openers) if results.get(seat) == found]
        return self._packed_medians(now.id, {seat: scores[seat] for seat in openers})

    def _packed_medians(self, round_id: int, scores: dict[int, tuple[int, ...]]) -> tuple[tuple[int, ...], int]:
        # From the log, not from the contract: somebody else may finalise the round meanwhile.
        (frozen,) = self.task.round_events("InputsFrozen", round_id)
        trainers, miners = self.task.trainer_count(), self.task.miners()
        opened = [(miners[seat].trainer_seat, unpack_scores(words, trainers)) for seat, words in scores.items()]
        medians, middle = round_medians(opened, bits(int(str(frozen.args["inputs"]))))
        return pack_scores(medians, trainers), middle

    def withdraw(self) -> None:
        """Takes home what is due, if anything is."""
        amount = self.task.withdrawable(self.address)
        if amount:
            self.actor.withdraw()
            self.report("withdrew", {"wei": amount})


def open_session(
    rpc: str,
    task_address: str,
    account: LocalAccount,
    store_url: str,
    state: Path,
    chain_id: int | None = None,
    report: Report | None = None,
) -> Session:
    """Connects and checks everything that a participant needs before it does anything. Raises InputError."""
    connection = connect(rpc, chain_id)
    with ExitStack() as undo:
        undo.callback(connection.close)
        task = Task(connection, task_address)
        store = open_store(store_url)
        store.check()
        folder = state / str(connection.chain_id) / task_address.lower() / account.address.lower()
        journal = Journal(folder)
        undo.callback(journal.close)
        sender = Sender(connection, account, folder / "outbox.json")
        sender.resume()
        undo.pop_all()
    return Session(task, TaskActor(task, sender), store, journal, report or _no_report)


def _no_report(verb: str, facts: dict[str, object]) -> None:
    _log.info("%s %s", verb, facts)
