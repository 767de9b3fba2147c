"""The updates of one round: fetched, checked against what was revealed, and aggregated exactly as the task says."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from bcfl_client.aggregation import aggregate, update_weight
from bcfl_client.disputes import ProofInput
from bcfl_client.errors import ChainError, ContentError, ContentMissing
from bcfl_client.roles.materials import fetch_parameters
from bcfl_client.roles.session import Session
from bcfl_client.roles.watch import POLL_SECONDS
from bcfl_client.storage import Content
from bcfl_client.types import Status

__all__ = ["RoundUpdates"]

_log = logging.getLogger(__name__)
_Parameters = NDArray[np.int32]


class RoundUpdates:
    """What one process knows of the updates of round `round_id`.

    `values` are those that are here and in order, int32 [count] by trainer seat; `invalid` the seats of those that
    came and were not what was revealed. `taken` is told of each one that arrives.
    """

    def __init__(
        self, session: Session, round_id: int, taken: Callable[[int, _Parameters], None] = lambda seat, values: None
    ) -> None:
        self.round_id = round_id
        self.values: dict[int, _Parameters] = {}
        self.invalid: set[int] = set()
        self._session = session
        self._taken = taken
        self._revealed: dict[int, dict[str, object]] = {}
        self._standings: dict[int, tuple[str, int]] = {}
        self._aggregate: tuple[tuple[int, ...], _Parameters] | None = None

    @property
    def revealed(self) -> set[int]:
        """Seats that have revealed, as far as was looked."""
        return set(self._revealed)

    def collect(self, status: Status) -> bool:
        """Fetches what is revealed and not here yet; a single look at the store. Returns whether all is here."""
        if len(self._revealed) < status.round.reveals:
            events = self._session.task.round_events("Revealed", self.round_id)
            self._revealed |= {int(str(event.args["seat"])): event.args for event in events}
        for seat, args in self._revealed.items():
            if seat not in self.values and seat not in self.invalid:
                self._fetch(seat, args)
        return len(self.values) + len(self.invalid) == status.round.reveals

    def require(self, inputs: Sequence[int], status: Status, patience_seconds: float) -> None:
        """Waits for all of `inputs`, and looks again at those that came wrong: most miners found them in order.

        Raises ContentMissing: without one of them there is no result.
        """
        deadline = time.monotonic() + patience_seconds
        self.invalid -= set(inputs)
        self.collect(status)
        while missing := set(inputs) - set(self.values):
            if missing <= self.invalid or time.monotonic() >= deadline:
                seat = min(missing)
                reason = f"update of trainer {seat} in round {self.round_id} is not here, though most miners had it"
                raise ContentMissing(self._content(self._revealed[seat]).cid, reason)
            time.sleep(POLL_SECONDS)
            self.collect(status)

    def aggregate(self, inputs: Sequence[int]) -> _Parameters:
        """The task's rule applied to `inputs` (trainer seats, ascending, all here) with their weights."""
        if self._aggregate is None or self._aggregate[0] != tuple(inputs):
            self._aggregate = tuple(inputs), self._combine(inputs)
        return self._aggregate[1]

    def combine(self, seats: Sequence[int]) -> _Parameters:
        """The same, without keeping it: for scores, which ask what some of the inputs would have made."""
        known = self._aggregate is not None and self._aggregate[0] == tuple(seats)
        return self.aggregate(seats) if known else self._combine(seats)

    def _combine(self, seats: Sequence[int]) -> _Parameters:
        terms = self._session.task.terms
        weights = [self._standing(seat)[1] for seat in seats]
        updates = [self.values[seat] for seat in seats]
        return aggregate(terms["aggregationRule"], updates, weights, terms["trimShare"])

    def proof_inputs(self, inputs: Sequence[int]) -> list[ProofInput]:
        """`inputs` as a fraud proof shows them."""
        return [ProofInput(*self._standing(seat), self.values[seat]) for seat in inputs]

    def _standing(self, seat: int) -> tuple[str, int]:
        """Account and weight of a trainer in this round. Raises ChainError when the round is over."""
        if not self._standings:
            trainers = self._session.task.trainers()
            # Asked afterwards: the end of the round changes qualities, and with them every weight.
            now = self._session.task.status()
            if now.round.id != self.round_id or now.state.closed:
                raise ChainError(f"round {self.round_id} is over")
            self._standings = {
                seat: (one.account, update_weight(min(one.samples, one.cap), one.quality))
                for seat, one in enumerate(trainers)
            }
        return self._standings[seat]

    def _fetch(self, seat: int, args: dict[str, object]) -> None:
        content, root = self._content(args), args["root"]
        assert isinstance(root, bytes)
        try:
            values = fetch_parameters(self._session.store, content.digest, root, content.size // 4, timeout_seconds=0)
        except ContentMissing:
            return  # it may still come
        except ContentError as error:
            _log.warning("round %d: update of trainer %d: %s", self.round_id, seat, error)
            self.invalid.add(seat)
            return
        self.values[seat] = values
        self._taken(seat, values)

    def _content(self, args: dict[str, object]) -> Content:
        """What a reveal says that its update is."""
        digest = args["contentId"]
        assert isinstance(digest, bytes)
        return Content(digest, 4 * int(self._session.task.terms["parameterCount"]))
