"""How a participant follows a task: by the chain's state, never by sleeping a fixed time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Hashable

from bcfl_client.errors import ChainError, ConnectionFailed, ContentError, ContractReverted
from bcfl_client.roles.session import Session
from bcfl_client.types import Phase, State, Status

__all__ = ["POLL_SECONDS", "follow"]

POLL_SECONDS = 0.05
_RETRY_SECONDS = 1.0
_GIVE_UP_SECONDS = 600.0
_log = logging.getLogger(__name__)


def follow(
    session: Session,
    act: Callable[[Status], bool],
    patience_seconds: float,
    key: Callable[[Status], Hashable] = lambda status: None,
    concerned: Callable[[Status], bool] = lambda status: True,
) -> None:
    """Calls `act` with the status of a running task each time its round, phase or `key` changes, until the task is
    closed or `act` says that there is nothing left to do.

    What the contract refuses is logged: the next phase may go better. A chain or store that does not answer, or bytes
    that are not there, are tried again for ten minutes. A heavy transition that nobody has made `patience_seconds`
    after it was due is made here, if `concerned`: every participant has a stake in the task going on.
    """
    seen: Hashable = None
    since = well = time.monotonic()
    while True:
        try:
            status = session.task.status()
            if status.state.closed:
                return
            now_seen = (status.phase, status.round.id, status.attempt, key(status))
            if now_seen != seen:
                since = time.monotonic()
                if status.state == State.RUNNING and _attempt(act, status):
                    return
                seen = now_seen
            elif _is_due(status) and time.monotonic() - since >= patience_seconds and concerned(status):
                session.advance(status)
                since = time.monotonic()
            else:
                time.sleep(POLL_SECONDS)
            well = time.monotonic()
        except (ConnectionFailed, ChainError, ContentError) as error:
            if time.monotonic() - well > _GIVE_UP_SECONDS:
                raise
            _log.warning("trying again: %s", error)
            time.sleep(_RETRY_SECONDS)


def _is_due(status: Status) -> bool:
    return status.phase in (Phase.SELECT, Phase.FINALISE)


def _attempt(act: Callable[[Status], bool], status: Status) -> bool:
    try:
        return act(status)
    except ContractReverted as error:
        if not error.name.startswith("LearningTask_"):
            raise  # no rule of the task: out of gas, most likely, because others acted at the same moment
        _log.warning("round %d: %s", status.round.id, error)
        return False
