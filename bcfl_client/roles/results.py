"""What the miners of a round opened, and which of it the contract takes for the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bcfl_client.chain.digests import result_id
from bcfl_client.chain.task import Task
from bcfl_client.types import Round, bits

__all__ = ["Result", "carriers", "guilty", "opened_scores", "round_results", "truth"]


@dataclass(frozen=True)
class Result:
    """A model that somebody says is the round's: its parameter root and content digest."""

    root: bytes
    content_digest: bytes

    @cached_property
    def id(self) -> bytes:
        """Under which its openers are counted."""
        return result_id(self.root, self.content_digest)


def round_results(task: Task, round_id: int) -> dict[int, Result]:
    """By miner seat, what it opened in the round, or else proposed as a fast block."""
    results = {}
    for name in ("FastProposed", "Opened"):
        for event in task.round_events(name, round_id):
            args: Any = event.args if name == "FastProposed" else event.args["opening"]
            results[int(str(event.args["seat"]))] = Result(args["root"], args["contentId"])
    return results


def opened_scores(task: Task, round_id: int) -> dict[int, tuple[int, ...]]:
    """By miner seat, the packed scores that it opened."""
    scores = {}
    for event in task.round_events("Opened", round_id):
        opening: Any = event.args["opening"]
        scores[int(str(event.args["seat"]))] = tuple(opening["scores"])
    return scores


def guilty(now: Round, results: Mapping[int, Result]) -> set[int]:
    """Miner seats that stand for a refuted result: by opening it, or by a fast block."""
    refuted = {results[seat].id for seat in bits(now.refuted) if seat in results}
    return set(bits(now.refuted)) | {
        seat for seat in bits(now.openers) if seat in results and results[seat].id in refuted
    }


def truth(now: Round, results: Mapping[int, Result]) -> tuple[Result | None, int]:
    """The result that the openers make the round's, and its votes, as `TaskBase._truth`: opened by a strict majority
    of the active miners; once a result was refuted, what most of the others opened (ties: the lower id)."""
    out = guilty(now, results)
    standing = [results[seat] for seat in bits(now.openers) if seat in results and seat not in out]
    votes = Counter(standing)
    if not votes:
        return None, 0
    best = min(votes, key=lambda result: (-votes[result], result.id))
    if now.refuted & now.openers == 0 and votes[best] <= len(bits(now.active_miners)) // 2:
        return None, 0
    return best, votes[best]


def carriers(now: Round, results: Mapping[int, Result], result: Result) -> list[int]:
    """Miner seats whose blocks carry `result`."""
    return [seat for seat in bits(now.proposers) if results.get(seat) == result]
