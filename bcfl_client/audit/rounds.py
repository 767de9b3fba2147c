"""The content of finished rounds: updates as revealed, the aggregate bit for bit, opened scores within a tolerance, and
whether what was refuted is false."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from bcfl_client.aggregation import aggregate
from bcfl_client.audit.content import ContentReader, Parameters
from bcfl_client.audit.played import Input, PlayedRound, Vote
from bcfl_client.audit.report import Findings, RoundAudit
from bcfl_client.audit.rescoring import Rescorer
from bcfl_client.learning.encoding import encode_parameters
from bcfl_client.learning.tree import parameter_root
from bcfl_client.scoring.validation_accuracy import Counted
from bcfl_client.storage import Content

__all__ = ["check_rounds"]

_ACCURACY = "accuracy in basis points"
_WORKERS = 2  # numpy, torch and hashing leave the interpreter's lock


def check_rounds(
    rounds: tuple[PlayedRound, ...], reader: ContentReader, rescorer: Rescorer | None, rule: int, trim_share: int
) -> Iterator[tuple[RoundAudit, Findings]]:
    """Checks one round after the other, two at a time; yields in their order. `rule` and `trim_share` aggregate."""

    def check(played: PlayedRound) -> tuple[RoundAudit, Findings]:
        return _Round(played, reader, rescorer, rule, trim_share).check()

    with ThreadPoolExecutor(_WORKERS) as pool:
        yield from pool.map(check, rounds)


class _Round:
    def __init__(
        self, played: PlayedRound, reader: ContentReader, rescorer: Rescorer | None, rule: int, trim_share: int
    ) -> None:
        self._played = played
        self._reader = reader
        self._rescorer = rescorer
        self._rule = rule
        self._trim_share = trim_share
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
        return aggregate(
            self._rule,
            [updates[one.seat] for one in inputs],
            [one.weight for one in inputs],
            self._trim_share,
        )

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
        outcome = self._played.outcome
        counted = self._rescorer.count(root, model)
        low, high = self._rescorer.around(counted)
        limits = (low.accuracy_bps, high.accuracy_bps)
        for vote in self._played.votes:
            if _result(vote) == outcome.truth:
                self._expect_near(self._miner(vote), _ACCURACY, counted, limits, vote.opening.accuracy)
        if outcome.fast:
            block = f"{self._where}, block of miner {outcome.winner}"
            self._expect_near(block, _ACCURACY, counted, limits, outcome.accuracy)
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
