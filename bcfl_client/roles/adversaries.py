"""Miners that misbehave, for tests and demonstrations: what a task must withstand."""

from __future__ import annotations

from collections.abc import Sequence

from bcfl_client.roles.miner import Miner, MinerSettings
from bcfl_client.roles.round_work import Aggregate, RoundWork
from bcfl_client.roles.session import Session
from bcfl_client.types import Status

__all__ = ["LiarMiner"]


class LiarMiner(Miner):
    """Adds one unit to one coordinate of the aggregate, from round `first_round` on; liars with the same `coordinate`
    agree with each other.

    With `withhold` the bytes of its result are nowhere to be had; with `silent` it does not answer questions about
    them either. It refutes nobody.
    """

    def __init__(
        self,
        session: Session,
        settings: MinerSettings,
        coordinate: int = 0,
        withhold: bool = False,
        silent: bool = False,
        first_round: int = 1,
    ) -> None:
        super().__init__(session, MinerSettings(settings.fee, settings.model, watch=False))
        self._coordinate = coordinate
        self._withhold = withhold
        self._silent = silent
        self._first_round = first_round

    def _result(self, work: RoundWork, inputs: Sequence[int]) -> Aggregate:
        if work.round_id < self._first_round:
            return super()._result(work, inputs)
        values = work.updates.aggregate(inputs).copy()
        values[self._coordinate] += 1
        return work.describe(values)

    def _publish(self, status: Status) -> None:
        if not self._withhold:
            super()._publish(status)

    def _watch(self, status: Status) -> None:
        if not self._silent:
            super()._watch(status)
