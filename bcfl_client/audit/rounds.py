"""The content of finished rounds: updates as revealed, the aggregate bit for bit, opened scores within a tolerance, and
whether what was refuted is false."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bcfl_client.aggregation import aggregate
from bcfl_client.audit.content import ContentReader, Parameters
from bcfl_client.audit.played import Input, PlayedRound, Vote
from bcfl_client.audit.report import Findings, RoundAudit
from bcfl_client.audit.rescoring import Rescorer
from bcfl_client.learning.encoding import encode_parameters
from bcfl_client.learning.tree import parameter_root
from bcfl_client.scoring.inputs import ScoredRound
from bcfl_client.scoring.rules import ScoringRule, score_round
from bcfl_client.storage import Content

__all__ = ["check_rounds"]

_ACCURACY = "accuracy in basis points"
_WORKERS = 2  # numpy, torch and hashing leave the interpreter's lock


@dataclass(frozen=True)
class Rules:
    """By which of the task's rules its rounds are aggregated and scored."""

    aggregation: int
    trim_share: int
    scoring: int


def check_rounds(
    rounds: tuple[PlayedRound, ...], reader: ContentReader, rescorer: Rescorer | None, rules: Rules
) -> Iterator[tuple[RoundAudit, Findings]]:
    """Checks one round after the other, two at a time; yields in their order."""

    def check(played: PlayedRound) -> tuple[RoundAudit, Findings]:
        return _Round(played, reader, rescorer, rules).check()

    with ThreadPoolExecutor(_WORKERS) as pool:
        yield from pool.map(check, rounds)


class _Round:
    def __init__(self, played: PlayedRound, reader: ContentReader, rescorer: Rescorer | None, rules: Rules) -> None:
        self._played = played
        self._reader = reader
        self._rescorer = rescorer
        self._rules = rules
        self._where = f"round {played.id}"
        self._findings = Findings()

    def check(self) -> tuple[RoundAudit, Findings]:
        played, outcome = self._played, self._played.outcome
        updates: dict[int, Parameters] = {}
        for one in played.inputs:
            values = self._reader.parameters(self._trainer(one), "update", one.content_digest, one.root, self._findings)
            if values is not None:
                updates[one.seat] = values
        aggregate = self._aggregate(updates)
        scores = self._check_scores(updates, aggregate)
        how, model = self._check_aggregate(aggregate)
        root, digest = outcome.truth or (bytes(32), bytes(32))
        report = RoundAudit(
            id=played.id,
            accepted=outcome.truth is not None,
            inputs=len(played.inputs),
            miner=outcome.winner,
            block_hash="0x" + played.block_hash.hex(),
            root="0x" + root.hex(),
            content_id=self._reader.cid(digest) if outcome.truth is not None else "",
            difficulty=played.difficulty,
            accuracy=outcome.accuracy if outcome.truth is not None else None,
            recomputed_accuracy=self._check_accuracy(root, model),
            aggregate=how,
            scores=scores,
            fast=outcome.fast,
            attempt=played.attempt,
            refuted=tuple(sorted(outcome.guilty)),
            claims=played.claims,
            exposed=played.exposed,
        )
        return report, self._findings

    # ------------------------------------------------------------------ aggregate

    def _aggregate(self, updates: Mapping[int, Parameters]) -> Parameters | None:
        """The rule applied again, if every input is there and anybody had a result."""
        played, inputs = self._played, self._played.inputs
        any_result = played.votes or played.refutations or played.outcome.fast
        if not any_result or not inputs or len(updates) < len(inputs):
            return None
        return self._combine(updates, [one.seat for one in inputs])

    def _combine(self, updates: Mapping[int, Parameters], seats: Sequence[int]) -> Parameters:
        weights = {one.seat: one.weight for one in self._played.inputs}
        chosen, rules = [updates[seat] for seat in seats], self._rules
        return aggregate(rules.aggregation, chosen, [weights[seat] for seat in seats], rules.trim_share)

    def _check_aggregate(self, aggregate: Parameters | None) -> tuple[str, Parameters | None]:
        """How far the round's model could be checked (as in RoundAudit), and its parameters."""
        truth, findings = self._played.outcome.truth, self._findings
        right = parameter_root(aggregate) if aggregate is not None else None
        if aggregate is not None and right is not None:
            self._note_wrong_votes(right)
            self._check_refutations(right, aggregate)
        if truth is None:
            return "none", None
        served = self._reader.parameters(self._where, "aggregate", truth[1], truth[0], findings)
        if aggregate is None:
            return ("missing" if served is None else "served"), served
        block = f"{self._where}, block of miner {self._played.outcome.winner}"
        # What is served is what root and content id promise; what is not served is compared by its digest.
        if findings.expect(block, "root of the aggregate", right, truth[0]) and served is None:
            digest = Content.of(encode_parameters(aggregate)).digest
            findings.expect(block, "content digest of the aggregate", digest, truth[1])
        return "recomputed", aggregate

    def _note_wrong_votes(self, right: bytes) -> None:
        """Of those that nobody has refuted."""
        outcome = self._played.outcome
        for vote in self._played.votes:
            if vote.opening.root != right and _result(vote) != outcome.truth and vote.seat not in outcome.guilty:
                self._findings.notes.append(
                    f"{self._miner(vote)} opened an aggregate that the round's inputs do not make, without effect"
                )

    def _check_refutations(self, right: bytes, aggregate: Parameters) -> None:
        """What was shown to be false is: the round's inputs make something else, at that coordinate."""
        for one in self._played.refutations:
            root, digest = one.result
            where = f"{self._where}, miner {one.seat} ({self._played.miners[one.seat]})"
            if one.coordinate is None:
                if root == right:
                    self._findings.notes.append(f"{where} had the right result, but left a question without an answer")
                continue
            what = f"result that {one.challenger} refuted at coordinate {one.coordinate}"
            if root == right:
                self._findings.expect(where, what, "not what the inputs make", root)
                continue
            # Whoever has false bytes need not serve them; what is served says more.
            served = self._reader.parameters(where, "refuted result", digest, root, Findings())
            if served is not None and one.coordinate < len(served):
                value = int(aggregate[one.coordinate])
                if served[one.coordinate] == value:
                    self._findings.expect(where, f"value in the {what}", f"another than {value}", value)

    # ------------------------------------------------------------------ scores

    def _check_scores(self, updates: Mapping[int, Parameters], aggregate: Parameters | None) -> int:
        """Compares every opened score that has a say; returns how many. Accuracy is each update's own, so it is checked
        of those that are there; other rules need all inputs."""
        rule, rescorer = ScoringRule(self._rules.scoring), self._rescorer
        truth = self._played.outcome.truth
        votes = [vote for vote in self._played.votes if _result(vote) == truth]
        if rescorer is None or not votes or not updates:
            return 0
        if rule != ScoringRule.VALIDATION_ACCURACY and aggregate is None:
            return 0
        start = self._start() if rule.compares_changes else None
        if rule.compares_changes and start is None:
            return 0

        def combine(seats: Sequence[int]) -> Parameters:
            whole = aggregate is not None and len(seats) == len(updates)
            return aggregate if whole and aggregate is not None else self._combine(updates, seats)

        scorer = rescorer.scorer()
        played = ScoredRound(start, updates, combine, scorer.count, scorer.guessed)
        brought = score_round(rule, played, sorted(updates))
        # A few images more in a single model's count mean little, in a difference of two much.
        images = rescorer.tolerance if rule.counts_each else played.unsure
        limits = brought.around(images)
        said = ((*limits[seat], vote.scores[seat]) for seat in updates for vote in _voices(votes, seat))
        if not all(low <= score <= high for low, high, score in said):
            limits = brought.around(images, all_ends=True)
        return sum(self._compare(one, votes, limits[one.seat]) for one in self._played.inputs if one.seat in updates)

    def _compare(self, one: Input, votes: Sequence[Vote], limits: tuple[int, int]) -> int:
        """Compares what others than itself said of an input; returns how many."""
        voices = _voices(votes, one.seat)
        for vote in voices:
            where = f"{self._trainer(one)}, by miner {vote.seat} ({vote.account})"
            self._expect_near(where, "score", limits, vote.scores[one.seat])
        return len(voices)

    def _start(self) -> Parameters | None:
        """The model that the round trained from; what is wrong with it is said where it was made."""
        root, digest = self._played.start
        return self._reader.parameters(self._where, "model before it", digest, root, Findings())

    def _check_accuracy(self, root: bytes, model: Parameters | None) -> int | None:
        """The recomputed accuracy of the round's model, in basis points."""
        if self._rescorer is None or model is None:
            return None
        outcome = self._played.outcome
        counted = self._rescorer.count(root, model)
        low, high = self._rescorer.around(counted)
        limits = (low.accuracy_bps, high.accuracy_bps)
        for vote in self._played.votes:
            if _result(vote) == outcome.truth:
                self._expect_near(self._miner(vote), _ACCURACY, limits, vote.opening.accuracy)
        if outcome.fast:
            block = f"{self._where}, block of miner {outcome.winner}"
            self._expect_near(block, _ACCURACY, limits, outcome.accuracy)
        return counted.accuracy_bps

    def _expect_near(self, where: str, what: str, limits: tuple[int, int], found: int) -> None:
        low, high = limits
        if not low <= found <= high:
            self._findings.expect(where, what, f"{low} to {high}" if low < high else low, found)

    def _trainer(self, one: Input) -> str:
        return f"{self._where}, trainer {one.seat} ({one.account})"

    def _miner(self, vote: Vote) -> str:
        return f"{self._where}, miner {vote.seat} ({vote.account})"


def _voices(votes: Sequence[Vote], seat: int) -> list[Vote]:
    """Those who have a say on a trainer: not the miner that is the trainer itself."""
    return [vote for vote in votes if vote.trainer_seat != seat]


def _result(vote: Vote) -> tuple[bytes, bytes]:
    return vote.opening.root, vote.opening.content_digest
