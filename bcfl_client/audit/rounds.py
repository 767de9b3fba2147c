"""The content of finished rounds: updates as revealed, the aggregate bit for bit, opened scores within a tolerance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from bcfl_client.aggregation import AGGREGATION_RULES
from bcfl_client.audit.content import ContentReader, Parameters
from bcfl_client.audit.replay import Input, PlayedRound, Vote
from bcfl_client.audit.report import Findings, RoundAudit
from bcfl_client.audit.rescoring import Rescorer
from bcfl_client.learning.encoding import encode_parameters
from bcfl_client.learning.tree import parameter_root
from bcfl_client.scoring.validation_accuracy import Counted
from bcfl_client.storage import Content

__all__ = ["check_rounds"]

_WORKERS = 2  # numpy, torch and hashing leave the interpreter's lock


def check_rounds(
    rounds: tuple[PlayedRound, ...], reader: ContentReader, rescorer: Rescorer | None, rule: int
) -> Iterator[tuple[RoundAudit, Findings]]:
    """Checks one round after the other, two at a time; yields in their order. `rule` aggregates."""

    def check(played: PlayedRound) -> tuple[RoundAudit, Findings]:
        return _Round(played, reader, rescorer, rule).check()

    with ThreadPoolExecutor(_WORKERS) as pool:
        yield from pool.map(check, rounds)


class _Round:
    def __init__(self, played: PlayedRound, reader: ContentReader, rescorer: Rescorer | None, rule: int) -> None:
        self._played = played
        self._reader = reader
        self._rescorer = rescorer
        self._rule = rule
        self._where = f"round {played.id}"
        self._findings = Findings()

    def check(self) -> tuple[RoundAudit, Findings]:
        played, outcome = self._played, self._played.outcome
        updates: dict[int, Parameters] = {}
        for one in played.inputs:
            values = self._reader.parameters(self._trainer(one), "update", one.content_digest, one.root, self._findings)
            if values is not None:
                updates[one.seat] = values
        scores = sum(self._check_scores(one, updates[one.seat]) for one in played.inputs if one.seat in updates)
        how, model = self._check_aggregate(self._aggregate(updates))
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
        )
        return report, self._findings

    # ------------------------------------------------------------------ aggregate

    def _aggregate(self, updates: Mapping[int, Parameters]) -> Parameters | None:
        """The rule applied again, if every input is there and anybody opened a result."""
        inputs = self._played.inputs
        if not self._played.votes or not inputs or len(updates) < len(inputs):
            return None
        return AGGREGATION_RULES[self._rule]([updates[one.seat] for one in inputs], [one.weight for one in inputs])

    def _check_aggregate(self, aggregate: Parameters | None) -> tuple[str, Parameters | None]:
        """How far the round's model could be checked (as in RoundAudit), and its parameters."""
        truth, findings = self._played.outcome.truth, self._findings
        right = parameter_root(aggregate) if aggregate is not None else None
        if right is not None:
            self._note_wrong_votes(right)
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
        truth = self._played.outcome.truth
        for vote in self._played.votes:
            if vote.opening.root != right and _result(vote) != truth:
                self._findings.notes.append(
                    f"{self._miner(vote)} opened an aggregate that the round's inputs do not make, without effect"
                )

    # ------------------------------------------------------------------ scores

    def _check_scores(self, one: Input, update: Parameters) -> int:
        """Compares every opened score that has a say; returns how many."""
        truth = self._played.outcome.truth
        voices = [v for v in self._played.votes if _result(v) == truth and v.trainer_seat != one.seat]
        if self._rescorer is None or not voices:
            return 0
        counted = self._rescorer.count(one.root, update)
        low, high = self._rescorer.around(counted)
        for vote in voices:
            self._expect_near(
                f"{self._trainer(one)}, by miner {vote.seat} ({vote.account})",
                "score",
                counted,
                (low.score, high.score),
                vote.scores[one.seat],
            )
        return len(voices)

    def _check_accuracy(self, root: bytes, model: Parameters | None) -> int | None:
        """The recomputed accuracy of the round's model, in basis points."""
        if self._rescorer is None or model is None:
            return None
        counted = self._rescorer.count(root, model)
        low, high = self._rescorer.around(counted)
        for vote in self._played.votes:
            if _result(vote) == self._played.outcome.truth:
                limits = (low.accuracy_bps, high.accuracy_bps)
                self._expect_near(self._miner(vote), "accuracy in basis points", counted, limits, vote.opening.accuracy)
        return counted.accuracy_bps

    def _expect_near(self, where: str, what: str, counted: Counted, limits: tuple[int, int], found: int) -> None:
        low, high = limits
        if not low <= found <= high:
            images = f"{counted.correct} of {counted.count} images are right"
            self._findings.expect(where, what, f"{low} to {high} ({images})", found)

    def _trainer(self, one: Input) -> str:
        return f"{self._where}, trainer {one.seat} ({one.account})"

    def _miner(self, vote: Vote) -> str:
        return f"{self._where}, miner {vote.seat} ({vote.account})"


def _result(vote: Vote) -> tuple[bytes, bytes]:
    return vote.opening.root, vote.opening.content_digest
