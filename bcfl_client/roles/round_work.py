"""A miner's work on one round: verdicts on the updates, their scores, the aggregate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bcfl_client.learning.encoding import encode_parameters
from bcfl_client.learning.tree import parameter_root
from bcfl_client.roles.materials import fetch_parameters
from bcfl_client.roles.session import Session
from bcfl_client.roles.updates import RoundUpdates
from bcfl_client.scoring.inputs import ScoredRound
from bcfl_client.scoring.rules import ScoringRule, score_round
from bcfl_client.scoring.similarity import EarlierRound, judge_updates, remembered
from bcfl_client.scoring.validation_accuracy import ValidationScorer
from bcfl_client.storage import Content
from bcfl_client.types import Status, Verdict, pack_scores

__all__ = ["Aggregate", "RoundWork"]

_Parameters = NDArray[np.int32]


@dataclass(frozen=True)
class Aggregate:
    """A round's result: its file, root, content digest and accuracy in basis points."""

    data: bytes
    root: bytes
    content_digest: bytes
    accuracy: int


class RoundWork:
    """What one miner knows of a round. `base` is the global model; updates may copy those of `earlier`."""

    def __init__(
        self,
        session: Session,
        scorer: ValidationScorer,
        clipping_norm: float,
        round_id: int,
        base: _Parameters,
        earlier: Sequence[EarlierRound],
    ) -> None:
        self.round_id = round_id
        self.base = base
        self.updates = RoundUpdates(session, round_id, self._take)
        self._session = session
        self._scorer = scorer
        self._clipping_norm = clipping_norm
        self._earlier = list(earlier)
        self._rule = ScoringRule(session.task.terms["scoringRule"])
        self._scored = ScoredRound(base, self.updates.values, self.updates.combine, scorer.count, scorer.guessed)
        self._verdicts: dict[int, Verdict] = {}
        self._known: tuple[_Parameters, Aggregate] | None = None

    @classmethod
    def begin(
        cls,
        session: Session,
        scorer: ValidationScorer,
        clipping_norm: float,
        status: Status,
        before: RoundWork | None,
    ) -> RoundWork:
        """Starts on the running round, knowing the one before where this process took part in it."""
        count = session.task.terms["parameterCount"]
        base = fetch_parameters(session.store, status.head.content_digest, status.head.root, count)
        earlier = []
        if before is not None:
            last = EarlierRound(before.base, list(before.updates.values.values()))
            earlier = remembered([last, *before._earlier])
        return cls(session, scorer, clipping_norm, status.round.id, base, earlier)

    def judge(self) -> dict[int, Verdict]:
        """The verdict on every revealed update: what never came, or came wrong, is invalid."""
        known = {seat: self.updates.values.get(seat) for seat in self.updates.revealed}
        self._verdicts = judge_updates(self.base, known, self._earlier, self._clipping_norm)
        return self._verdicts

    def accepted(self) -> list[int]:
        """Seats whose updates this miner found in order."""
        return sorted(seat for seat, verdict in self._verdicts.items() if verdict == Verdict.OK)

    def aggregate(self, inputs: Sequence[int]) -> Aggregate:
        """The rule of the task applied to `inputs` with their weights, bit-exactly."""
        return self.describe(self.updates.aggregate(inputs))

    def describe(self, values: _Parameters) -> Aggregate:
        """The model `values`, int32 [count], as a result."""
        if self._known is None or self._known[0] is not values:
            data = encode_parameters(values)
            accuracy = self._scorer.count(values).accuracy_bps
            self._known = values, Aggregate(data, parameter_root(values), Content.of(data).digest, accuracy)
        return self._known[1]

    def scores(self, inputs: Sequence[int]) -> tuple[int, ...]:
        """Packed scores of `inputs` by trainer seat, by the task's rule."""
        scores = score_round(self._rule, self._scored, inputs).scores()
        return pack_scores(scores, self._session.task.trainer_count())

    def _take(self, seat: int, values: _Parameters) -> None:
        if self._rule.counts_each:
            self._scored.counted((seat,))  # early: the others are still training
        # Kept for the audit, and for miners to which the trainer does not serve it.
        self._session.store.put(encode_parameters(values))
