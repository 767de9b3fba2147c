"""The watchdog: recomputes every round exactly and refutes what is false. `bcfl watch` is that alone; miners have one.

While everybody is honest it sends nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Hashable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bcfl_client.errors import ChainMismatch, ContractReverted
from bcfl_client.learning.encoding import encode_parameters
from bcfl_client.learning.tree import parameter_root
from bcfl_client.roles.cases import CASE_PREFIX, Case, Judgement, Record
from bcfl_client.roles.results import Result, guilty, round_results
from bcfl_client.roles.session import Session
from bcfl_client.roles.updates import RoundUpdates
from bcfl_client.storage import Content
from bcfl_client.types import Phase, Status, bits

__all__ = ["Watchdog", "disputable"]

_log = logging.getLogger(__name__)


Describe = Callable[[NDArray[np.int32]], Result]


def disputable(status: Status) -> bool:
    """Whether results of the running round can be refuted now, by the phase."""
    now = status.round
    if status.phase == Phase.MINE:
        return now.first_proposal != 0 and status.attempt == now.attempt
    return status.phase in (Phase.OPEN, Phase.CHALLENGE)


class Watchdog:
    """Refutes false results of one task for one account, in whatever process has the session.

    Takes up what the journal says an earlier process began. Told of the task's state by `act`, which is due each time
    that `key` changes. `describe` names a model, int32 [count], as a result, for who can do so without hashing it.
    """

    def __init__(self, session: Session, describe: Describe | None = None) -> None:
        self._session = session
        self._describe = describe or _describe
        self._cases: dict[bytes, Case] = {}
        self._truth: Judgement | None = None
        self._round_id = 0
        self._waiting = False
        self._said: set[Hashable] = set()

    @property
    def records(self) -> list[Record]:
        """All cases so far, by round."""
        return [Record.of(entry) for entry in self._session.journal.entries(CASE_PREFIX)]

    @property
    def engaged(self) -> bool:
        """Whether this account has, or may have, bonds or bounties in the task that it has not seen settled."""
        return any(not record.closed for record in self.records)

    def key(self, status: Status) -> Hashable:
        """Changes when `act` is due: with what the chain says, and once a second while something is waited for."""
        now = status.round
        busy = disputable(status) and (self._waiting or now.last_dispute != 0)
        return now.openers, now.fast, now.refuted, now.proposers, int(time.monotonic()) if busy else 0

    def act(self, status: Status, updates: RoundUpdates) -> None:
        """Does what can be done now; `updates` are those of the running round."""
        if status.round.id != self._round_id:
            self._round_id, self._cases, self._truth, self._waiting = status.round.id, {}, None, False
            self.settle(status)
        if not disputable(status) or not self._is_decided(status):
            return
        results = round_results(self._session.task, self._round_id)
        truth = self._judge(status, updates)
        if truth is None or not results:
            return
        self._open_cases(status, results, truth, updates)
        self._waiting = False
        for case in self._cases.values():
            self._step(case, status, results)

    def settle(self, status: Status) -> None:
        """Takes back the bonds in rounds that are over, as far as the contract gives them."""
        for record in self.records:
            if not record.closed and (record.round_id < status.round.id or status.state.closed):
                self._settle(record)

    # ------------------------------------------------------------------ judging

    def _is_decided(self, status: Status) -> bool:
        """A fast block may still give way to a vote until the chain's next block: a bond would be lost with it."""
        return not status.round.fast or self._session.task.connection.block_number() >= status.round.fast_block

    def _judge(self, status: Status, updates: RoundUpdates) -> Judgement | None:
        if self._truth is not None and self._round_id == status.round.id:
            return self._truth
        inputs = bits(status.round.inputs)
        if not inputs:
            return None
        updates.collect(status)
        if missing := set(inputs) - set(updates.values):
            updates.invalid -= missing  # most miners found them in order: looked at again
            self._waiting = True
            self._say("cannot judge: updates are not in the store", round=status.round.id, trainers=sorted(missing))
            return None
        values = updates.aggregate(inputs)
        self._truth = Judgement(tuple(inputs), values, self._describe(values))
        return self._truth

    def _open_cases(self, status: Status, results: dict[int, Result], truth: Judgement, updates: RoundUpdates) -> None:
        out = guilty(status.round, results)
        known = {record.result.id: record for record in self.records if record.round_id == self._round_id}
        for seat, result in sorted(results.items()):
            if result == truth.result or result.id in self._cases:
                continue
            record = known.get(result.id)
            if record is None:
                if seat in out:
                    continue  # somebody else was quick
                record = Record(self._round_id, seat, result)
                self._session.report("found a false result", {"round": self._round_id, "miner": seat})
            self._cases[result.id] = Case(self._session, record, truth, updates)

    def _step(self, case: Case, status: Status, results: dict[int, Result]) -> None:
        if case.hopeless:
            return
        try:
            case.step(status, results)
        except ContractReverted as error:
            _log.warning("round %d: %s", self._round_id, error)
        except ChainMismatch as error:
            self._say("cannot pay", round=self._round_id, reason=str(error))
        refuted = {results[seat].id for seat in bits(self._session.task.status().round.refuted) if seat in results}
        if case.record.result.id not in refuted:
            self._waiting = True

    # ------------------------------------------------------------------ bonds and bounties

    def _settle(self, record: Record) -> None:
        session = self._session
        for event in session.task.round_events("BountyPaid", record.round_id):
            if event.args["challenger"] == session.address and event.args["seat"] == record.seat:
                wei = int(str(event.args["bounty"])) + int(str(event.args["bond"]))
                session.report("earned bounty and bond", {"round": record.round_id, "wei": wei})
        facts: dict[str, object] = {"round": record.round_id, "wei": session.task.terms["challengeBond"]}
        posted, lost, returned = (
            [event.args for name in names for event in session.task.round_events(name, record.round_id)]
            for names in (("ChallengeCommitted", "Questioned"), ("BondsLost",), ("BondReturned",))
        )
        known = [args["claim"] for args in posted]
        for claim in record.claims(session):
            if claim not in known:
                continue
            if any(args["seat"] == record.seat for args in lost):
                session.report("lost a bond", facts)
            elif any(args["claim"] == claim for args in returned):
                session.report("took a bond back", facts)
            elif str(session.task.stake(claim)["challenger"]) == session.address:
                session.actor.reclaim(claim)
                session.report("took a bond back", facts)
        session.journal.drop(record.evidence_name)
        replace(record, closed=True).save(session.journal)

    def _say(self, verb: str, **facts: object) -> None:
        """Reports once."""
        said = (verb, facts.get("round"))
        if said not in self._said:
            self._said.add(said)
            self._session.report(verb, facts)


def _describe(values: NDArray[np.int32]) -> Result:
    return Result(parameter_root(values), Content.of(encode_parameters(values)).digest)
