"""A miner's work on one round: updates fetched and checked, verdicts, scores, the aggregate."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bcfl_client.aggregation import AGGREGATION_RULES, update_weight
from bcfl_client.errors import ContentError, ContentMissing
from bcfl_client.learning.encoding import encode_parameters
from bcfl_client.learning.tree import parameter_root
from bcfl_client.roles.materials import fetch_parameters
from bcfl_client.roles.session import Session
from bcfl_client.roles.watch import POLL_SECONDS
from bcfl_client.scoring.similarity import EarlierRound, judge_updates
from bcfl_client.scoring.validation_accuracy import ValidationScorer
from bcfl_client.storage import Content
from bcfl_client.types import Status, Verdict, pack_scores

__all__ = ["Aggregate", "RoundWork"]

_log = logging.getLogger(__name__)
_Parameters = NDArray[np.int32]


@dataclass(frozen=True)
class Aggregate:
    """A round's result: its file, root, content digest and accuracy in basis points."""

    inputs: tuple[int, ...]
    data: bytes
    root: bytes
    content_digest: bytes
    accuracy: int


@dataclass
class RoundWork:
    """What one miner knows of round `round_id`. `base` is the global model; updates may copy those of `earlier`."""

    session: Session
    scorer: ValidationScorer
    round_id: int
    base: _Parameters
    earlier: list[EarlierRound]
    _updates: dict[int, _Parameters] = field(default_factory=dict)
    _invalid: set[int] = field(default_factory=set)
    _revealed: dict[int, dict[str, object]] = field(default_factory=dict)
    _scores: dict[int, int] = field(default_factory=dict)
    _verdicts: dict[int, Verdict] = field(default_factory=dict)
    _aggregate: Aggregate | None = None

    @classmethod
    def begin(cls, session: Session, scorer: ValidationScorer, status: Status, before: RoundWork | None) -> RoundWork:
        """Starts on the running round, knowing the one before where this process took part in it."""
        count = session.task.terms["parameterCount"]
        base = fetch_parameters(session.store, status.head.content_digest, status.head.root, count)
        earlier = [] if before is None else [EarlierRound(before.base, list(before._updates.values()))]
        return cls(session, scorer, status.round.id, base, earlier)

    def collect(self, status: Status) -> bool:
        """Fetches what is revealed and not here yet; a single look at the store. Returns whether all is here."""
        if len(self._revealed) < status.round.reveals:
            events = self.session.task.round_events("Revealed", self.round_id)
            self._revealed |= {int(str(event.args["seat"])): event.args for event in events}
        for seat, args in self._revealed.items():
            if seat not in self._updates and seat not in self._invalid:
                self._fetch(seat, args)
        return len(self._updates) + len(self._invalid) == status.round.reveals

    def require(self, inputs: list[int], status: Status, patience_seconds: float) -> None:
        """Waits for all of `inputs`, and looks again at those that came wrong: most miners found them in order.

        Raises ContentMissing, since without one of them there is no result to seal.
        """
        deadline = time.monotonic() + patience_seconds
        self._invalid -= set(inputs)
        self.collect(status)
        while missing := set(inputs) - set(self._updates):
            if missing <= self._invalid or time.monotonic() >= deadline:
                seat = min(missing)
                reason = f"update of trainer {seat} in round {self.round_id} is not here, though most miners had it"
                raise ContentMissing(self._content(self._revealed[seat]).cid, reason)
            time.sleep(POLL_SECONDS)
            self.collect(status)

    def judge(self) -> dict[int, Verdict]:
        """The verdict on every revealed update: what never came, or came wrong, is invalid."""
        known = {seat: self._updates.get(seat) for seat in self._revealed}
        self._verdicts = judge_updates(self.base, known, self.earlier)
        return self._verdicts

    def accepted(self) -> list[int]:
        """Seats whose updates this miner found in order."""
        return sorted(seat for seat, verdict in self._verdicts.items() if verdict == Verdict.OK)

    def aggregate(self, inputs: list[int], status: Status) -> Aggregate:
        """The rule of the task applied to `inputs` with their weights, bit-exactly."""
        if self._aggregate is not None and self._aggregate.inputs == tuple(inputs):
            return self._aggregate
        trainers = self.session.task.trainers()
        weights = [
            update_weight(min(trainers[seat].samples, trainers[seat].cap), trainers[seat].quality) for seat in inputs
        ]
        rule = AGGREGATION_RULES[self.session.task.terms["aggregationRule"]]
        values = rule([self._updates[seat] for seat in inputs], weights)
        data = encode_parameters(values)
        accuracy = self.scorer.count(values).accuracy_bps
        self._aggregate = Aggregate(tuple(inputs), data, parameter_root(values), Content.of(data).digest, accuracy)
        return self._aggregate

    def scores(self, inputs: list[int]) -> tuple[int, ...]:
        """Packed scores of `inputs` by trainer seat."""
        return pack_scores({seat: self._scores[seat] for seat in inputs}, self.session.task.trainer_count())

    def _fetch(self, seat: int, args: dict[str, object]) -> None:
        content, root = self._content(args), args["root"]
        assert isinstance(root, bytes)
        try:
            self._updates[seat] = fetch_parameters(
                self.session.store, content.digest, root, content.size // 4, timeout_seconds=0
            )
            self._scores[seat] = self.scorer.count(self._updates[seat]).score
            # Kept for the audit, and for miners to which the trainer does not serve it.
            self.session.store.put(encode_parameters(self._updates[seat]))
        except ContentMissing:
            return  # it may still come
        except ContentError as error:
            _log.warning("round %d: update of trainer %d: %s", self.round_id, seat, error)
            self._invalid.add(seat)

    def _content(self, args: dict[str, object]) -> Content:
        """What a reveal says that its update is."""
        digest = args["contentId"]
        assert isinstance(digest, bytes)
        return Content(digest, 4 * int(self.session.task.terms["parameterCount"]))
