"""A task played again from its events: what participants did is taken from the logs, all else is computed and compared.

An event is either an act (a bid, a commitment, an opening, ...), which must have been allowed at its second, or a
consequence (a selection, a payment, a strike, ...), which must be exactly what the auditor's own rules make of the
acts so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bcfl_client.audit.acts import HANDLERS, Acts, not_selected, refund_all
from bcfl_client.audit.closing import close, start_round
from bcfl_client.audit.compare import compare
from bcfl_client.audit.phases import clock_at
from bcfl_client.audit.played import Before, PlayedRound, played_round
from bcfl_client.audit.report import Findings
from bcfl_client.audit.selection import choose_miners, choose_trainers
from bcfl_client.audit.settlement import finalise
from bcfl_client.audit.state import Expected, MinerState, Moment, Registry, TaskState, TrainerState
from bcfl_client.chain.history import TaskHistory
from bcfl_client.types import Event, Phase, Role, State, pack_scores, unpack_scores

__all__ = ["replay"]

_ROUND_ENDS = ("RoundFinalised", "RoundVoided")
_SELECTION = {"Selected", "NotSelected", "RoundStarted", "TaskAborted"}
_SETTLEMENT = {
    "DifficultyChanged",
    "QualityChanged",
    "Paid",
    "Forfeited",
    "Slashed",
    "Struck",
    "StruckOut",
    "BountyPaid",
    "BondsLost",
    "BondReturned",
    "RoundStarted",
    "TaskCompleted",
    "TaskAborted",
    "Burnt",
}
_LAST = ("RoundStarted", "TaskCompleted", "TaskAborted")
_CONSEQUENCES = {
    "BidPlaced": {"BidDisplaced"},
    "Cancelled": {"NotSelected", "TaskAborted"},
    "Checked": {"InputsFrozen"},
}


def replay(history: TaskHistory, findings: Findings) -> tuple[TaskState, tuple[PlayedRound, ...]]:
    """The task's books after all events of `history`, and its finished rounds; what is wrong goes to `findings`."""
    published = history.published
    bidding_end = history.times[published.block] + published.terms["biddingWindow"]
    task = TaskState(published.terms, published.publisher, bidding_end)
    player = _Player(history, task, findings)
    try:
        player.play()
    except (ArithmeticError, LookupError, ValueError) as error:
        # Only a contract with other code can get here: this one's events always make a task.
        findings.expect(player.where, "events of a task", "a possible course", f"{type(error).__name__}: {error}")
    return task, tuple(player.rounds)


class _Player:
    def __init__(self, history: TaskHistory, task: TaskState, findings: Findings) -> None:
        self.rounds: list[PlayedRound] = []
        self.where = "bidding"
        self._task = task
        self._findings = findings
        self._registry = Registry()
        self._acts = Acts(task, self._registry, findings, history.chain_id, history.published.task, history.hashes)
        self._times = history.times
        self._events = history.events
        self._records = history.registry
        self._at = 0
        self._record_at = 0

    def play(self) -> None:
        while self._at < len(self._events):
            event = self._events[self._at]
            moment = Moment(self._times[event.block], event.block)
            self._catch_up(event)
            if self._task.round is not None:
                self.where = f"round {self._task.round.id}"
            if event.name in HANDLERS:
                self._at += 1
                expected = HANDLERS[event.name](self._acts, event.args, moment)
                names = _CONSEQUENCES.get(event.name)
                if names is not None:
                    self._compare(expected, self._run(event, names), event)
            elif self._task.state == State.BIDDING and event.name in _SELECTION:
                self._compare(self._select(moment), self._run(event, _SELECTION), event)
            elif self._task.state == State.RUNNING and event.name in _ROUND_ENDS:
                self._at += 1
                settled = self._finalise(event.name, moment)
                self._compare(settled, [_tidy(event, len(self._task.trainers)), *self._run(event, _SETTLEMENT)], event)
            else:
                self._at += 1
                self._findings.expect(self.where, event.name, "no such event here", dict(event.args))

    def _select(self, moment: Moment) -> list[Expected]:
        task, terms = self._task, self._task.terms
        self._require("selection", Phase.SELECT, moment)
        ranked = {role: book.ranked() for role, book in task.bids.items()}
        miners = choose_miners(ranked[Role.MINER], terms)
        highest_fee = max((bid.price for bid in miners), default=0)
        budget = (terms["reward"] - highest_fee * terms["rounds"]) // terms["rounds"]
        trainers, cap = choose_trainers(ranked[Role.TRAINER], budget)
        if len(miners) < terms["minMiners"] or len(trainers) < terms["minTrainers"]:
            return refund_all(task) + close(task, self._registry, State.ABORTED)

        task.state, task.highest_fee = State.RUNNING, highest_fee
        for bid in trainers:
            task.trainers.append(
                TrainerState(
                    account=bid.account,
                    original=bid.deposit,
                    deposit=bid.deposit,
                    price=bid.price,
                    cap=min(bid.samples, cap),
                    quality=terms["startQuality"],
                )
            )
        seats = {trainer.account: seat for seat, trainer in enumerate(task.trainers)}
        for bid in miners:
            own = seats.get(bid.account)
            task.miners.append(
                MinerState(
                    account=bid.account, original=bid.deposit, deposit=bid.deposit, fee=bid.price, trainer_seat=own
                )
            )
        events = [
            _selected(Role.TRAINER, seat, one.account, one.price, one.cap) for seat, one in enumerate(task.trainers)
        ]
        events += [_selected(Role.MINER, seat, one.account, one.fee, 0) for seat, one in enumerate(task.miners)]
        for role, chosen in ((Role.TRAINER, trainers), (Role.MINER, miners)):
            for bid in ranked[role]:
                if bid not in chosen:
                    task.owed[bid.account] += bid.deposit
                    events.append(not_selected(role, bid))
        return [*events, start_round(task, moment)]

    def _finalise(self, name: str, moment: Moment) -> list[Expected]:
        task, r = self._task, self._task.round
        assert r is not None
        if r.fast is not None and r.fast.drawn is None:
            r.fast.drawn = name == "RoundVoided"
        self._require(self.where, Phase.FINALISE, moment)
        before = Before.of(task)  # a round's weights are those of its start: what it brings changes the next one's
        outcome, events = finalise(task, self._registry, moment)
        self.rounds.append(played_round(task, r, outcome, before, moment))
        return events

    def _require(self, where: str, phase: Phase, moment: Moment) -> None:
        found = clock_at(self._task, moment).phase
        self._findings.expect(where, f"phase at second {moment.second}", phase.name, found.name)

    def _compare(self, expected: Sequence[Expected], found: list[Event], cause: Event) -> None:
        """Compares with the events of the task and, as far as `expected` speaks of it, of the registry."""
        count = sum(one.name in ("MinerRecorded", "TrainerRecorded") for one in expected)
        records = self._records[self._record_at : self._record_at + count]
        records = tuple(record for record in records if record.transaction == cause.transaction)
        self._record_at += len(records)
        compare(self.where, expected, [*found, *records], self._task, self._findings)
        for record in records:
            self._registry.absorb(record.name, record.args)

    def _run(self, cause: Event, names: set[str]) -> list[Event]:
        """The events of `names` that come next, in the transaction of `cause`."""
        start = self._at
        while self._at < len(self._events):
            event = self._events[self._at]
            if event.name not in names or event.transaction != cause.transaction:
                break
            if event.name in _LAST:
                names = names - {"BondReturned"}  # now it is what somebody called for
            self._at += 1
        return list(self._events[start : self._at])

    def _catch_up(self, event: Event) -> None:
        """Takes over what other tasks wrote into the registry before `event`."""
        while self._record_at < len(self._records):
            record = self._records[self._record_at]
            if (record.block, record.log_index) > (event.block, event.log_index):
                return
            self._registry.absorb(record.name, record.args)
            self._record_at += 1


def _selected(role: Role, seat: int, account: str, price: int, cap: int) -> Expected:
    args = {"role": int(role), "seat": seat, "account": account, "price": price, "cap": cap}
    return Expected("Selected", args)


def _tidy(event: Event, trainers: int) -> Event:
    """Without what may stand in the lanes of the medians that belong to no trainer."""
    if event.name != "RoundFinalised":
        return event
    medians: Any = event.args["medians"]
    if not medians:
        return event
    lanes = dict(enumerate(unpack_scores(tuple(medians), trainers)))
    return replace(event, args=event.args | {"medians": pack_scores(lanes, trainers)})
