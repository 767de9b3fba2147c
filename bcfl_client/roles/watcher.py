"""`bcfl watch`: follows a task without a seat in it and refutes what is false, for the bounty (paper, section IV-B)."""

from __future__ import annotations

from collections.abc import Hashable

from bcfl_client.disputes import questions_needed
from bcfl_client.errors import ChainMismatch
from bcfl_client.roles.session import Session
from bcfl_client.roles.updates import RoundUpdates
from bcfl_client.roles.watch import follow
from bcfl_client.roles.watchdog import Watchdog
from bcfl_client.types import Phase, Status

__all__ = ["run_watcher"]

_PATIENCE_SECONDS = 30.0  # participants are quicker; this is for when a bounty hangs on it
_CASE_GAS = 6_000_000  # of one case with all its questions, at most


def run_watcher(session: Session) -> None:
    """Watches the task until it is closed, then withdraws what it earned. Carries on where an earlier process stopped.

    Raises ChainMismatch when the task is closed already, or the account cannot pay what one case may take.
    """
    watcher = _Watcher(session)
    status = session.task.status()
    if status.state.closed and not watcher.watchdog.engaged:
        raise ChainMismatch(f"the task {session.task.address} is {status.state.name.lower()} already")
    if not status.state.closed:
        watcher.require_funds()
        watcher.say_limits()
    follow(session, watcher.act, _PATIENCE_SECONDS, watcher.key, lambda status: watcher.watchdog.engaged)
    watcher.watchdog.settle(session.task.status())
    if watcher.watchdog.records:  # what else the account may have in the task is for its other roles to take
        session.withdraw()
    session.journal.close()


class _Watcher:
    def __init__(self, session: Session) -> None:
        self.watchdog = Watchdog(session)
        self._session = session
        self._updates: RoundUpdates | None = None

    def require_funds(self) -> None:
        """Raises ChainMismatch unless the account can pay the bonds of one case, and their gas."""
        if self.watchdog.engaged:
            return  # its money is in a case already: going on costs less than stopping
        session = self._session
        bonds = 1 + questions_needed(session.task.terms["parameterCount"])
        need = bonds * session.task.terms["challengeBond"] + _CASE_GAS * _gas_price(session)
        balance = session.task.connection.balance(session.address)
        if balance < need:
            raise ChainMismatch(
                f"account {session.address} has {balance} wei; to refute one false result may take {bonds} bonds of "
                f"{session.task.terms['challengeBond']} wei and gas, {need} wei together; fund it and try again"
            )

    def say_limits(self) -> None:
        """Reports what this task leaves nobody to do."""
        if self._session.task.terms["minWindow"] == 0:
            note = "when all miners agree on a result, nobody can refute it: this task's minWindow is 0"
            self._session.report(note, {})
        self._session.report("watching", {"rounds": self._session.task.terms["rounds"]})

    def key(self, status: Status) -> Hashable:
        """Changes when `act` is due."""
        return status.round.reveals, status.round.inputs, self.watchdog.key(status)

    def act(self, status: Status) -> bool:
        """Collects updates as they come, and does what the watchdog has to do."""
        if self._updates is None or self._updates.round_id != status.round.id:
            self._updates = RoundUpdates(self._session, status.round.id)
        if status.phase >= Phase.REVEAL:
            self._updates.collect(status)
        self.watchdog.act(status, self._updates)
        return False


def _gas_price(session: Session) -> int:
    """Wei per gas."""
    return int(session.task.connection.request("eth_gasPrice"), 16)
