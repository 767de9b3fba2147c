"""A task played again from its events: what participants did is taken from the logs, all else is computed and compared.

An event is either an act (a bid, a commitment, an opening, ...), which must have been allowed at its second, or a
consequence (a selection, a payment, a strike, ...), which must be exactly what the auditor's own rules make of the
acts so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bcfl_client.aggregation import update_weight
from bcfl_client.audit.acts import HANDLERS, Acts, not_selected, refund_all
from bcfl_client.audit.compare import compare
from bcfl_client.audit.phases import phase_at
from bcfl_client.audit.report import Findings
from bcfl_client.audit.selection import choose_miners, choose_trainers
from bcfl_client.audit.settlement import Outcome, close, finalise, start_round
from bcfl_client.audit.state import Expected, MinerState, Registry, TaskState, TrainerState
from bcfl_client.chain.history import TaskHistory
from bcfl_client.types import Event, Opening, Phase, Role, State, pack_scores, unpack_scores

__all__ = ["Input", "PlayedRound", "Vote", "replay"]

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
    "RoundStarted",
    "TaskCompleted",
    "TaskAborted",
    "Burnt",
}
_CONSEQUENCES = {
    "BidPlaced": {"BidDisplaced"},
    "Cancelled": {"NotSelected", "TaskAborted"},
    "Checked": {"InputsFrozen"},
}


@dataclass(frozen=True)
class Input:
    """An update that went into a round's aggregate, with its weight and the trainer's seat and account."""

    seat: int
    account: str
    root: bytes
    content_digest: bytes
    weight: int


@dataclass(frozen=True)
class Vote:
    """A miner's opened seal. `trainer_seat` is its own seat as a trainer, which it has no say on."""

    seat: int
    account: str
    trainer_seat: int | None
    opening: Opening
    scores: tuple[int, ...]  # by trainer seat


@dataclass(frozen=True)
class PlayedRound:
    """A finished round, for whoever looks into its bytes."""

    id: int
    outcome: Outcome
    inputs: tuple[Input, ...]
    votes: tuple[Vote, ...]
    block_hash: bytes
    difficulty: int


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
        self._acts = Acts(task, self._registry, findings, history.chain_id, history.published.task)
        self._times = history.times
        self._events = history.events
        self._records = history.registry
        self._at = 0
        self._record_at = 0

    def play(self) -> None:
        while self._at < len(self._events):
            event = self._events[self._at]
            now = self._times[event.block]
            self._catch_up(event)
            if self._task.round is not None:
                self.where = f"round {self._task.round.id}"
            if event.name in HANDLERS:
                self._at += 1
                expected = HANDLERS[event.name](self._acts, event.args, now)
                names = _CONSEQUENCES.get(event.name)
                if names is not None:
                    self._compare(expected, self._run(event, names), event)
            elif self._task.state == State.BIDDING and event.name in _SELECTION:
                self._compare(self._select(now), self._run(event, _SELECTION), event)
            elif self._task.state == State.RUNNING and event.name in _ROUND_ENDS:
                self._at += 1
                settled = self._finalise(now)
                self._compare(settled, [_tidy(event, len(self._task.trainers)), *self._run(event, _SETTLEMENT)], event)
            else:
                self._at += 1
                self._findings.expect(self.where, event.name, "no such event here", dict(event.args))

    def _select(self, now: int) -> list[Expected]:
        task, terms = self._task, self._task.terms
        self._findings.expect("selection", f"phase at second {now}", Phase.SELECT.name, phase_at(task, now).name)
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
        return [*events, start_round(task, now)]

    def _finalise(self, now: int) -> list[Expected]:
        task, r = self._task, self._task.round
        assert r is not None
        self._findings.expect(self.where, f"phase at second {now}", Phase.FINALISE.name, phase_at(task, now).name)
        # Weights are those of the round's start: what it brings changes the next one's.
        qualities = [trainer.quality for trainer in task.trainers]
        difficulty = task.difficulty
        outcome, events = finalise(task, self._registry, now)
        inputs = [
            Input(
                seat,
                task.trainers[seat].account,
                r.reveals[seat].root,
                r.reveals[seat].content_digest,
                update_weight(min(r.reveals[seat].samples, task.trainers[seat].cap), qualities[seat]),
            )
            for seat in sorted(outcome.inputs)
        ]
        votes = []
        for seat, opening in sorted(r.openings.items()):
            scores = tuple(unpack_scores(opening.scores, len(task.trainers)))
            votes.append(Vote(seat, task.miners[seat].account, task.miners[seat].trainer_seat, opening, scores))
        block_hash = r.blocks[outcome.winner] if outcome.winner is not None else bytes(32)
        self.rounds.append(PlayedRound(r.id, outcome, tuple(inputs), tuple(votes), block_hash, difficulty))
        return events

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
    lanes = dict(enumerate(unpack_scores(tuple(medians), trainers)))
    return replace(event, args=event.args | {"medians": pack_scores(lanes, trainers)})
