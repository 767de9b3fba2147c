"""What all acts are checked for: the phase, the seat, the place that digests are bound to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bcfl_client.audit.phases import Clock, clock_at
from bcfl_client.audit.report import Findings
from bcfl_client.audit.state import Moment, Registry, RoundState, TaskState
from bcfl_client.chain.digests import Place
from bcfl_client.types import Phase

__all__ = ["Args", "Checks"]

Args = Mapping[str, Any]


class Checks:
    """The books `task` that acts change; what is wrong goes to `findings`. `hashes` are those of the chain's blocks."""

    def __init__(
        self,
        task: TaskState,
        registry: Registry,
        findings: Findings,
        chain_id: int,
        address: str,
        hashes: Mapping[int, bytes],
    ) -> None:
        self._task = task
        self._registry = registry
        self._findings = findings
        self._chain_id = chain_id
        self._address = address
        self._hashes = hashes

    def _require(self, where: str, moment: Moment, phase: Phase) -> Clock:
        clock = clock_at(self._task, moment)
        self._expect(where, f"phase at second {moment.second}", phase.name, clock.phase.name)
        return clock

    def _expect(self, where: str, what: str, expected: object, found: object) -> bool:
        return self._findings.expect(where, what, expected, found)

    def _at_most(self, where: str, what: str, value: int, limit: int) -> None:
        if value > limit:
            self._findings.expect(where, what, f"at most {limit}", value)

    def _round(self, args: Args) -> RoundState:
        r = self._task.round
        if r is None:
            raise LookupError("an act of a round before the first one")
        self._expect(f"round {r.id}", "round of an act", r.id, args["round"])
        return r

    def _place(self, r: RoundState, account: str, attempt: int = 0) -> Place:
        return Place(self._chain_id, self._address, r.id, attempt, account)

    def _trainer(self, r: RoundState, seat: int) -> str:
        return f"round {r.id}, trainer {seat} ({self._task.trainers[seat].account})"

    def _miner(self, r: RoundState, seat: int) -> str:
        return f"round {r.id}, miner {seat} ({self._task.miners[seat].account})"

    def _acting_miner(self, r: RoundState, seat: int) -> str:
        """As `_miner`, for one that does something which takes a part in the round."""
        where = self._miner(r, seat)
        self._expect(where, "part in the round", True, seat in r.miners and seat not in r.refuted)
        return where
