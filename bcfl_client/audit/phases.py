"""Which phase a round is in, its inputs, its truth and its block: what follows from who did what, and the clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from bcfl_client.audit.state import MinerState, RoundState, TaskState
from bcfl_client.types import Phase, State, Verdict

__all__ = ["Result", "current_inputs", "majority_result", "phase_at", "seal_end", "winning_miner"]

Result = tuple[bytes, bytes]
"""Parameter root and content digest of an aggregate."""


def phase_at(task: TaskState, now: int) -> Phase:
    """The task's phase at Unix second `now`."""
    if task.state == State.BIDDING:
        full = task.terms["closeWhenFull"] and all(book.full for book in task.bids.values())
        return Phase.BIDDING if now < task.bidding_end and not full else Phase.SELECT
    if task.state != State.RUNNING or task.round is None:
        return Phase.CLOSED
    return _round_phase(task.round, task.miners, task.terms, now)


def current_inputs(r: RoundState, miners: Sequence[MinerState]) -> frozenset[int]:
    """Trainer seats whose updates are, or would now be, the inputs: revealed and not rejected by a strict majority of
    the round's miners. Nobody has a say on its own update."""
    if r.frozen is not None:
        return r.frozen
    rejected = (Verdict.INVALID, Verdict.COPY)
    rejections: Counter[int] = Counter()
    for seat, verdicts in r.verdicts.items():
        own = miners[seat].trainer_seat
        rejections.update(i for i in r.reveals if i != own and verdicts >> 2 * i & 3 in rejected)
    return frozenset(i for i in r.reveals if rejections[i] * 2 <= len(r.miners))


def majority_result(r: RoundState) -> tuple[Result | None, int]:
    """The result opened by a strict majority of the round's miners, and its votes."""
    votes = Counter((opening.root, opening.content_digest) for opening in r.openings.values())
    for result, count in votes.items():
        if count * 2 > len(r.miners):
            return result, count
    return None, 0


def winning_miner(r: RoundState, result: Result | None) -> int | None:
    """Fork choice: the seat of the earliest block that carries `result`."""
    for seat in r.blocks:
        if (r.openings[seat].root, r.openings[seat].content_digest) == result:
            return seat
    return None


def seal_end(r: RoundState, terms: Mapping[str, Any]) -> int:
    """Unix second at which sealing ended, or ends, and mining begins."""
    end = r.start
    for closed, window in (
        (r.commit_closed, "commitWindow"),
        (r.reveal_closed, "revealWindow"),
        (r.check_closed, "checkWindow"),
        (r.seal_closed, "sealWindow"),
    ):
        end = closed if closed is not None else end + terms[window]
    return end


def _round_phase(r: RoundState, miners: Sequence[MinerState], terms: Mapping[str, Any], now: int) -> Phase:
    end = r.start
    for phase, closed, window in (
        (Phase.COMMIT, r.commit_closed, "commitWindow"),
        (Phase.REVEAL, r.reveal_closed, "revealWindow"),
        (Phase.CHECK, r.check_closed, "checkWindow"),
        (Phase.SEAL, r.seal_closed, "sealWindow"),
    ):
        end = closed if closed is not None else end + terms[window]
        if closed is None and now < end:
            return phase
        if not _goes_on(r, miners, terms, phase):
            return Phase.FINALISE

    if r.first_block is None:
        return Phase.MINE if now < end + terms["mineWindow"] else Phase.FINALISE
    end = r.mine_closed if r.mine_closed is not None else r.first_block + terms["forkWindow"]
    if r.mine_closed is None and now < end:
        return Phase.MINE
    if r.open_closed is None and now < end + terms["openWindow"]:
        return Phase.OPEN

    result, votes = majority_result(r)
    if winning_miner(r, result) is None:
        return Phase.FINALISE
    window = "minWindow" if votes == len(r.miners) else "challengeWindow"
    return Phase.CHALLENGE if now < r.first_block + terms[window] else Phase.FINALISE


def _goes_on(r: RoundState, miners: Sequence[MinerState], terms: Mapping[str, Any], over: Phase) -> bool:
    """Whether the phase `over` left enough for the next one."""
    if over == Phase.COMMIT:
        return len(r.commits) > 0
    if over == Phase.REVEAL:
        return len(r.reveals) >= int(terms["minUpdates"])
    if over == Phase.CHECK:
        return len(current_inputs(r, miners)) >= int(terms["minUpdates"])
    return len(r.seals) > 0
