"""A miner's answers to questions about its own result: silence would refute it."""

from __future__ import annotations

import logging
import time

from bcfl_client.disputes import answer_parts
from bcfl_client.errors import ContractReverted
from bcfl_client.learning.tree import ParameterTree
from bcfl_client.roles.results import Result, round_results
from bcfl_client.roles.session import Session
from bcfl_client.types import Event, Status

__all__ = ["Answers"]

_log = logging.getLogger(__name__)
_OTHERS_SHARE = 0.5  # of the response window, which is left to the asked miner before another one answers for it


class Answers:
    """Answers from the journalled aggregate. All who opened the same result share its fate: a question that the asked
    miner leaves open is answered by the others, after half of the time."""

    def __init__(self, session: Session, seat: int) -> None:
        self._session = session
        self._seat = seat
        self._first_seen: dict[object, float] = {}
        self._tree: tuple[int, ParameterTree] | None = None

    def act(self, status: Status, own: Result) -> None:
        """Answers what is open about the result `own` of the running round."""
        if not status.round.last_dispute:
            return
        round_id = status.round.id
        answered = {event.args["claim"] for event in self._session.task.round_events("Answered", round_id)}
        results = round_results(self._session.task, round_id)
        for event in self._session.task.round_events("Questioned", round_id):
            seat = int(str(event.args["seat"]))
            if event.args["claim"] not in answered and results.get(seat) == own and self._is_due(event, seat):
                self._answer(event, round_id)

    def _is_due(self, event: Event, seat: int) -> bool:
        since = self._first_seen.setdefault(event.args["claim"], time.monotonic())
        wait = 0.0 if seat == self._seat else _OTHERS_SHARE * float(self._session.task.terms["responseWindow"])
        return time.monotonic() - since >= wait

    def _answer(self, event: Event, round_id: int) -> None:
        claim, height, index = event.args["claim"], int(str(event.args["height"])), int(str(event.args["index"]))
        assert isinstance(claim, bytes)
        try:
            self._session.actor.answer(claim, answer_parts(self._tree_of(round_id), height, index))
        except ContractReverted as error:
            _log.warning("round %d: %s", round_id, error)  # too late, or somebody else was quick
            return
        self._session.report("answered", {"round": round_id, "height": height, "index": index})

    def _tree_of(self, round_id: int) -> ParameterTree:
        if self._tree is None or self._tree[0] != round_id:
            self._tree = round_id, ParameterTree(self._session.journal.read(f"aggregate-{round_id}.bin"))
        return self._tree[1]
