"""A miner's blocks: ordinary ones, forks, second attempts, and fast ones of a trusted miner."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from bcfl_client.chain.digests import fast_header_digest, header_digest
from bcfl_client.errors import ContractReverted
from bcfl_client.fork_choice import ForkRule
from bcfl_client.roles.mining import search_nonce
from bcfl_client.roles.results import Result, carriers, round_results, truth
from bcfl_client.roles.session import Session
from bcfl_client.roles.trust import miner_reputation
from bcfl_client.roles.watch import POLL_SECONDS
from bcfl_client.types import Opening, Phase, Status

__all__ = ["BlockMaker", "is_again", "may_mine_again"]

_NO_LIMIT = 2**256
_SLICE_SECONDS = 1.0  # of a search beside somebody's block, between two looks at what else is to be done


@dataclass(frozen=True)
class _Found:
    nonce: int
    tried: int
    seconds: float


def is_again(status: Status) -> bool:
    """Whether a block proposed now is a second attempt: the truth has no block, or its block was refuted."""
    return status.phase == Phase.MINE and status.round.openers != 0 and status.attempt > status.round.attempt


def may_mine_again(session: Session, status: Status, seat: int, own: Result) -> bool:
    """Whether miner `seat`, whose result is `own`, may take part in the second attempt: it opened the truth."""
    found, _ = truth(status.round, round_results(session.task, status.round.id))
    return bool(status.round.openers >> seat & 1) and found == own


class BlockMaker:
    """Searches and proposes for the miner on `seat`. `meanwhile` is told of the task's state while a search goes on."""

    def __init__(self, session: Session, seat: int, meanwhile: Callable[[Status], None]) -> None:
        self._session = session
        self._seat = seat
        self._meanwhile = meanwhile

    def propose(self, status: Status, opening: Opening) -> None:
        """Mines in Mine, as long as a block of its own can win."""
        session = self._session
        place = session.task.place(status.round.id, status.attempt, session.address)
        header = header_digest(place, status.head.block_hash, status.seals_digest, opening, status.difficulty)
        own = Result(opening.root, opening.content_digest)
        found = self._search(header, status, lambda now: self._below(now, own))
        if found is None:
            return
        try:
            session.actor.propose(self._seat, opening, found.nonce)
        except ContractReverted as error:
            if error.name != "LearningTask_WrongPhase":
                raise
            session.report("outrun by another block", {"round": status.round.id, "hashes": found.tried})
            return
        session.report("proposed", _facts(status, found))

    def propose_fast(
        self, status: Status, opening: Opening, inputs: int, publish: Callable[[], None], seconds: float
    ) -> bool:
        """Mines a fast block over `inputs` (a bitmap) in Seal for up to `seconds`. False when there is none.

        `publish` is called before the proposal: who wants to check the block needs its bytes.
        """
        session = self._session
        place = session.task.place(status.round.id, 0, session.address)
        now, deadline = status.round, time.monotonic() + seconds
        header = fast_header_digest(place, status.head.block_hash, inputs, opening, status.difficulty)

        def below(latest: Status) -> int | None:
            return _NO_LIMIT if latest.round.window_from == now.window_from else None

        found = self._search(header, status, below, deadline)
        if found is None:
            return False
        publish()
        try:
            session.actor.propose_fast(self._seat, opening, found.nonce)
        except ContractReverted as error:
            session.report("no fast block", {"round": status.round.id, "reason": error.name})
            return False
        session.report("proposed without a vote", _facts(status, found))
        return True

    def _search(
        self, header: bytes, status: Status, below: Callable[[Status], int | None], deadline: float = math.inf
    ) -> _Found | None:
        """A nonce for `header`; None when `below` says, or the chain shows, that it is worth nothing any more, and
        from `deadline` (of the monotonic clock) on."""
        start = last_look = slice_start = time.monotonic()
        latest = before = status
        tried = 0

        def stop() -> bool:
            nonlocal last_look, latest
            now = time.monotonic()
            if now - last_look >= POLL_SECONDS:
                latest, last_look = self._session.task.status(), now
            lingering = bool(before.round.proposers) and now - slice_start >= _SLICE_SECONDS
            return _marks(latest) != _marks(before) or lingering or now >= deadline

        while _same_attempt(latest, status) and time.monotonic() < deadline:
            limit = below(latest)
            if limit is None:
                break
            before, slice_start = latest, time.monotonic()
            nonce, hashes = search_nonce(header, status.difficulty, stop, tried, limit)
            tried += hashes
            if nonce is not None:
                return _Found(nonce, tried, round(time.monotonic() - start, 3))
            if _same_attempt(latest, status):
                self._meanwhile(latest)
        return None

    def _below(self, status: Status, own: Result) -> int | None:
        """What the hash of an own block must be below to win; None when it cannot (paper, section IV-C).

        Blocks with another result do not count: if that is false, it ends with them.
        """
        now, task = status.round, self._session.task
        if not now.proposers or is_again(status):
            return _NO_LIMIT
        if now.proposers >> self._seat & 1:
            return None
        rivals = carriers(now, round_results(task, now.id), own)
        if not rivals:
            return _NO_LIMIT
        rule = ForkRule(task.terms["forkRule"])
        if rule == ForkRule.LONGEST:
            return None
        if rule == ForkRule.REPUTATION:
            miners = task.miners()
            ranks = {seat: miner_reputation(task, miners[seat].account) for seat in rivals}
            own_rank = miner_reputation(task, self._session.address)
            best = max(ranks.values())
            if own_rank != best:
                return _NO_LIMIT if own_rank > best else None
            rivals = [seat for seat in rivals if ranks[seat] == best]
        events = task.round_events("Proposed", now.id)
        hashes = [event.args["blockHash"] for event in events if event.args["seat"] in rivals]
        return min((int.from_bytes(one, "big") for one in hashes if isinstance(one, bytes)), default=_NO_LIMIT)


def _marks(status: Status) -> tuple[object, ...]:
    """What makes a search look up."""
    now = status.round
    return status.phase, now.id, status.attempt, now.proposers, now.openers, now.refuted, now.last_dispute


def _same_attempt(now: Status, then: Status) -> bool:
    return (now.phase, now.round.id, now.attempt) == (then.phase, then.round.id, then.attempt)


def _facts(status: Status, found: _Found) -> dict[str, object]:
    return {"round": status.round.id, "hashes": found.tried, "seconds": found.seconds}
