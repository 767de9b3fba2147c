"""Many rounds of a task in one process: what trainers and miners compute, without a chain between them.

Everything is the real clients' code: training, encoding, verdicts, scores, weights, aggregation. Miners are honest
here, so all of them find the same; what the chain adds (money, votes, disputes) is not simulated. Verdicts compare with
the round before; miners remember more (`remembered`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from bcfl_client.aggregation import AggregationRule, aggregate, update_weight
from bcfl_client.experiments.adversaries import Attack, Situation
from bcfl_client.learning.encoding import encode_model
from bcfl_client.learning.engine import open_engine
from bcfl_client.learning.manifest import Hyperparameters
from bcfl_client.learning.model import Model
from bcfl_client.learning.training import LocalTrainer
from bcfl_client.scoring.medians import round_medians
from bcfl_client.scoring.quality import learn
from bcfl_client.scoring.similarity import EarlierRound, judge_updates
from bcfl_client.types import MAX_SCORE, Verdict

__all__ = ["Client", "Combine", "Federation", "PlayedRound", "Rules", "Score"]

_Parameters = NDArray[np.int32]
_BASIS = 10_000
_ATTACKS = 0x41545441  # sets the adversaries' randomness apart from the training's

Combine = Callable[[Sequence[_Parameters], Sequence[int]], _Parameters]
"""An aggregation that no task can name: updates in order of their seats, and weights."""

Score = Callable[[_Parameters, Mapping[int, _Parameters], Mapping[int, int], _Parameters], Mapping[int, int]]
"""Scores of 65,535 by seat from the round's start, accepted updates and weights by seat, and aggregate."""


@dataclass(frozen=True)
class Client:
    """A trainer: images uint8 [n, height, width] and labels uint8 [n]. With an `attack` it is an adversary, which
    trains first unless `trains` is off."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    attack: Attack | None = None
    trains: bool = True

    def __post_init__(self) -> None:
        if self.attack is None and not self.trains:
            raise ValueError("an honest client trains")


@dataclass(frozen=True)
class Rules:
    """The terms that decide what becomes of a round's updates.

    `trim_share` is in basis points; `commit_reveal` hides a round's updates until all are fixed; `detect` turns the
    miners' verdicts on. Without `score` all count in full.
    """

    rule: AggregationRule | Combine = AggregationRule.WEIGHTED_MEAN
    trim_share: int = 0
    commit_reveal: bool = True
    detect: bool = True
    score: Score | None = None
    start_quality: int = 32_768
    pay_score: int = 1000
    max_strikes: int = 3


@dataclass(frozen=True)
class PlayedRound:
    """One round: the uploads of all who took part, what the miners said of each, and the model after it.

    By seat; weights and scores are those of the accepted. `paid` are the accepted whose score was high enough.
    """

    round_id: int
    uploads: Mapping[int, _Parameters]
    verdicts: Mapping[int, Verdict]
    weights: Mapping[int, int]
    scores: Mapping[int, int]
    paid: frozenset[int]
    model: _Parameters


class Federation:
    """A running task. `model`, int32 [count], is the newest global model. A context manager: ends its workers.

    Clients train on `workers` cores, or stacked on a `device` of torch.
    """

    def __init__(
        self,
        model: Model,
        clients: Sequence[Client],
        hyper: Hyperparameters,
        rules: Rules,
        seed: int,
        workers: int = 1,
        device: str | None = None,
    ) -> None:
        self.model = encode_model(model)
        self.quality = [rules.start_quality] * len(clients)
        self.strikes = [0] * len(clients)
        self._clients, self._rules, self._seed = clients, rules, seed
        self._clipping_norm = hyper.clipping_norm
        self._rounds = 0
        self._earlier: list[EarlierRound] = []
        trainers = [LocalTrainer(model, one.images, one.labels, hyper, seed, i) for i, one in enumerate(clients)]
        self._engine = open_engine(trainers, workers, device)

    def play_round(self) -> PlayedRound:
        """Plays the next round. Raises ConfigError when an honest client's training diverged."""
        round_id, rules, start = self._rounds, self._rules, self.model
        uploads = self._uploads(round_id)
        verdicts: dict[int, Verdict] = dict.fromkeys(uploads, Verdict.OK)
        if rules.detect:
            verdicts = judge_updates(start, dict(uploads), self._earlier, self._clipping_norm)
        inputs = [seat for seat in sorted(uploads) if verdicts[seat] == Verdict.OK]
        weights = {seat: update_weight(len(self._clients[seat].labels), self.quality[seat]) for seat in inputs}
        if inputs:  # otherwise the round is void
            self.model = self._aggregate([uploads[seat] for seat in inputs], list(weights.values()))
        scores, middle = self._score(start, {seat: uploads[seat] for seat in inputs}, weights)
        paid = frozenset(seat for seat in inputs if scores[seat] * _BASIS >= middle * rules.pay_score)
        for seat in uploads:
            self.quality[seat] = learn(self.quality[seat], scores.get(seat, 0))
            self.strikes[seat] += seat not in paid
        self._earlier = [EarlierRound(start, list(uploads.values()))]
        self._rounds += 1
        return PlayedRound(round_id, uploads, verdicts, weights, scores, paid, self.model)

    def _uploads(self, round_id: int) -> dict[int, _Parameters]:
        """Honest updates first: an adversary answers to what it can see of them. Who is out still trains for those of
        its kind who are not."""
        clients, start = self._clients, self.model
        seats = [seat for seat in range(len(clients)) if self.strikes[seat] < self._rules.max_strikes]
        attacked = any(clients[seat].attack for seat in seats)
        training = [
            seat for seat, one in enumerate(clients) if one.trains and (seat in seats or (attacked and one.attack))
        ]
        trained = dict(zip(training, self._engine.train(start, round_id, training)))
        others = {seat: update for seat, update in trained.items() if clients[seat].attack is None}
        allies = {seat: update for seat, update in trained.items() if seat not in others}
        visible = {} if self._rules.commit_reveal else others
        uploads = {}
        for seat in seats:
            attack = clients[seat].attack
            if attack is None:
                uploads[seat] = trained[seat]
                continue
            random = np.random.default_rng(np.random.SeedSequence([self._seed, _ATTACKS, seat, round_id]))
            honest = trained.get(seat, start)
            known = Situation(
                seat, round_id, start, honest, allies, visible, self._earlier, self._clipping_norm, random
            )
            uploads[seat] = attack(known)
        return uploads

    def _aggregate(self, updates: Sequence[_Parameters], weights: Sequence[int]) -> _Parameters:
        rule = self._rules.rule
        if isinstance(rule, AggregationRule):
            return aggregate(rule, updates, weights, self._rules.trim_share)
        return rule(updates, weights)

    def _score(
        self, start: _Parameters, updates: Mapping[int, _Parameters], weights: Mapping[int, int]
    ) -> tuple[dict[int, int], int]:
        """Scores by seat and their lower median."""
        if not updates:
            return {}, 0
        score = self._rules.score
        found = score(start, updates, weights, self.model) if score else dict.fromkeys(updates, MAX_SCORE)
        vote = [found.get(seat, 0) for seat in range(len(self._clients))]
        return round_medians([(None, vote)], sorted(updates))

    def __enter__(self) -> Federation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._engine.__exit__(kind, error, trace)
