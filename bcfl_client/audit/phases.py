"""Which phase a task is in: what follows from who did what, and the clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bcfl_client.audit.state import FastBlock, MinerState, Moment, RoundState, TaskState
from bcfl_client.audit.votes import carriers, current_inputs, true_result
from bcfl_client.types import Phase, State

__all__ = ["Clock", "clock_at", "fast_block_at", "is_drawn", "seal_end"]

_FAST_VOTES = 8  # one fast block in so many gives way to a vote
_HASHES = 256  # blocks back to which a contract can look up a hash
_PROLONGED = 6  # response windows by which disputes prolong a window

Terms = Mapping[str, Any]


@dataclass(frozen=True)
class Clock:
    """A phase; the second at which time alone ends it, if it does; in Mine, whether blocks are mined again."""

    phase: Phase
    end: int | None = None
    again: bool = False

    def disputable(self, r: RoundState) -> bool:
        """Whether results may be challenged and questioned, and refuted."""
        if self.phase == Phase.MINE:
            return r.first_block is not None and not self.again
        return self.phase in (Phase.OPEN, Phase.CHALLENGE)


def clock_at(task: TaskState, moment: Moment) -> Clock:
    """The task's phase at `moment`."""
    if task.state == State.BIDDING:
        full = task.terms["closeWhenFull"] and all(book.full for book in task.bids.values())
        if moment.second < task.bidding_end and not full:
            return Clock(Phase.BIDDING, task.bidding_end)
        return Clock(Phase.SELECT)
    if task.state != State.RUNNING or task.round is None:
        return Clock(Phase.CLOSED)
    return _before_seals(task.round, task.miners, task.terms, moment)


def is_drawn(block_hash: bytes | None) -> bool | None:
    """Whether the fast block in the chain's block with this hash must be voted on; None when the hash is unknown."""
    return None if block_hash is None else int.from_bytes(block_hash, "big") % _FAST_VOTES == 0


def fast_block_at(fast: FastBlock | None, moment: Moment) -> tuple[bool, bool]:
    """Whether a fast block stands, and whether that is decided: its chain block's hash is known to later blocks only,
    and not for ever, which does not matter any more to a block that was disputed in time."""
    if fast is None or fast.disputed:
        return fast is not None, True
    age = moment.block - fast.proposed.block
    if age <= 0:
        return True, False
    return age <= _HASHES and not fast.drawn, True


def seal_end(r: RoundState, terms: Terms) -> int:
    """Second at which sealing ended, or ends, and mining begins."""
    if r.seal_closed is not None:
        return r.seal_closed
    start = r.check_closed if r.check_closed is not None else _check_end(r, terms)
    if r.window_from is not None and r.first_block is None:
        # A fast block came and went: Seal has its whole window after it.
        start = max(r.window_from, r.last_dispute or 0)
    return start + int(terms["sealWindow"])


def _commit_end(r: RoundState, terms: Terms) -> int:
    return r.commit_closed if r.commit_closed is not None else r.start + int(terms["commitWindow"])


def _reveal_end(r: RoundState, terms: Terms) -> int:
    return r.reveal_closed if r.reveal_closed is not None else _commit_end(r, terms) + int(terms["revealWindow"])


def _check_end(r: RoundState, terms: Terms) -> int:
    """By the clock."""
    return _reveal_end(r, terms) + int(terms["checkWindow"])


def _before_seals(r: RoundState, miners: Sequence[MinerState], terms: Terms, moment: Moment) -> Clock:
    now, end = moment.second, _commit_end(r, terms)
    if r.commit_closed is None and now < end:
        return Clock(Phase.COMMIT, end)
    if not r.commits:
        return Clock(Phase.FINALISE)
    end = _reveal_end(r, terms)
    if r.reveal_closed is None and now < end:
        return Clock(Phase.REVEAL, end)
    if len(r.reveals) < terms["minUpdates"]:
        return Clock(Phase.FINALISE)
    end = _check_end(r, terms)
    if r.check_closed is None and now < end:
        return Clock(Phase.CHECK, end)
    if len(current_inputs(r, miners)) < terms["minUpdates"]:
        return Clock(Phase.FINALISE)
    stands, decided = fast_block_at(r.fast, moment)
    if stands:
        return _window(r, terms, terms["minWindow"], decided, now)
    return _first_mining(r, terms, now) if r.first_block is None else _after_a_block(r, terms, r.first_block, now)


def _first_mining(r: RoundState, terms: Terms, now: int) -> Clock:
    end = seal_end(r, terms)
    if r.seal_closed is None and now < end:
        return Clock(Phase.SEAL, end)
    if not r.seals:
        return Clock(Phase.FINALISE)
    end += terms["mineWindow"]
    return Clock(Phase.MINE, end) if now < end else Clock(Phase.FINALISE)


def _after_a_block(r: RoundState, terms: Terms, first_block: int, now: int) -> Clock:
    end = r.mine_closed if r.mine_closed is not None else first_block + terms["forkWindow"]
    if r.mine_closed is None and now < end:
        return Clock(Phase.MINE, end)
    end = r.open_closed if r.open_closed is not None else end + terms["openWindow"]
    if r.open_closed is None and now < end:
        return Clock(Phase.OPEN, end)
    truth, votes = true_result(r)
    if truth is None:
        return Clock(Phase.FINALISE)
    if carriers(r, truth):
        unanimous = votes == len(r.miners)
        return _window(r, terms, terms["minWindow" if unanimous else "challengeWindow"], True, now)
    # Who opened the truth may make a block that carries it.
    end = max(end, r.last_dispute or 0) + terms["mineWindow"]
    return Clock(Phase.MINE, end, again=True) if now < end else Clock(Phase.FINALISE)


def _window(r: RoundState, terms: Terms, length: int, decided: bool, now: int) -> Clock:
    """The time in which a block can be refuted, prolonged by disputes about it."""
    assert r.window_from is not None
    end = r.window_from + length
    if r.last_dispute is not None and r.last_dispute >= r.window_from:
        end += _PROLONGED * terms["responseWindow"]
    if now < end:
        return Clock(Phase.CHALLENGE, end)
    return Clock(Phase.FINALISE) if decided else Clock(Phase.CHALLENGE, now + 1)
