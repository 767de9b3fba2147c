"""Relayed updates: trainers leave signed commitments and reveals in a folder, a relay posts them in batches and pays
the gas (paper, section III-A: a digital signature shows whose an update is).

Nobody trusts the relay: it can withhold and nothing else, and a trainer that is left waiting posts for itself. The
relay trusts nobody: what would make the contract refuse a batch does not get into one.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_account.signers.local import LocalAccount

from bcfl_client.chain.digests import Place, update_digest
from bcfl_client.chain.signing import commit_signer, sign_commit
from bcfl_client.chain.task import TrainerSeat
from bcfl_client.errors import ConfigError, ContractReverted
from bcfl_client.files import write_whole
from bcfl_client.roles.session import Session
from bcfl_client.roles.watch import POLL_SECONDS, follow
from bcfl_client.types import Phase, Role, SignedCommit, Stage, Status, UpdateOpening

__all__ = ["RelayBox", "run_relay"]

_MAX_BYTES = 1024  # of one file; the longest that is right has some 500
_FILL_SECONDS = 2.0  # that a batch waits for more
_LAST_SECONDS = 5.0  # of the chain's clock before a deadline, from which on nothing waits
_OWN_SHARE = 0.5  # of the time left to a deadline that a trainer gives its relay
_LOOKS_PER_SECOND = 10
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0  # of secp256k1; larger s is refused
_log = logging.getLogger(__name__)


class RelayBox:
    """A trainer's side of the folder `inbox`. Raises ConfigError when it cannot be written to."""

    def __init__(self, inbox: Path, account: LocalAccount) -> None:
        self._inbox = inbox
        self._account = account

    def put_commit(self, place: Place, digest: bytes) -> Path:
        """Leaves the commitment to `digest` in the round of `place`, signed."""
        signed = sign_commit(self._account, place, digest)
        return self._put("commit", place, digest=signed.digest, r=signed.r, vs=signed.vs)

    def put_reveal(self, place: Place, opening: UpdateOpening) -> Path:
        """Leaves what opens the commitment. Not before Reveal: whoever can read the folder can reveal it."""
        root, content, samples, training_time, salt = opening.values
        return self._put("reveal", place, root=root, content=content, samples=samples, time=training_time, salt=salt)

    def commit(self, session: Session, status: Status, digest: bytes) -> int:
        """Has the relay commit, and does so itself when it takes too long; returns the block that holds it. Raises as
        `TaskActor.commit`."""
        path = self.put_commit(session.task.place(status.round.id, 0, session.address), digest)
        if self._is_relayed(session, status, Stage.COMMITTED):
            seat = session.task.seat(Role.TRAINER, session.address)
            events = session.task.round_events("Committed", status.round.id)
            block = next(event.block for event in events if event.args["seat"] == seat)
        else:
            block = session.actor.commit(digest).block
        path.unlink(missing_ok=True)
        return block

    def reveal(self, session: Session, status: Status, opening: UpdateOpening) -> None:
        """Has the relay reveal, and does so itself when it takes too long. Raises as `TaskActor.reveal`."""
        path = self.put_reveal(session.task.place(status.round.id, 0, session.address), opening)
        if not self._is_relayed(session, status, Stage.REVEALED):
            session.actor.reveal(opening)
        path.unlink(missing_ok=True)

    def _is_relayed(self, session: Session, status: Status, wanted: Stage) -> bool:
        """Waits for the relay; False when there is no more time for that."""
        seat = session.task.seat(Role.TRAINER, session.address)
        deadline = time.monotonic() + _OWN_SHARE * max(0.0, status.deadline - _chain_time(session))
        while seat is not None:
            now, own = session.task.status(), session.task.trainer(seat)
            if own.round_id == status.round.id and own.stage >= wanted:
                return True
            if (now.phase, now.round.id) != (status.phase, status.round.id) or time.monotonic() >= deadline:
                break
            time.sleep(POLL_SECONDS)
        session.report("no relay in time", {"round": status.round.id})
        return False

    def _put(self, kind: str, place: Place, **values: bytes | int) -> Path:
        text = json.dumps(values, default=bytes.hex)
        path = self._inbox / _name(kind, place.round_id, self._account.address)
        return write_whole(path, lambda file: file.write(text.encode()))


def run_relay(session: Session, inbox: Path) -> None:
    """Posts what trainers leave in `inbox`, until the task is closed. Raises ConfigError for a folder that is none."""
    try:
        inbox.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot use the inbox {inbox}: {error.strerror}") from error
    session.report("relaying", {"inbox": inbox})
    relay = _Relay(session, inbox)
    # Others make the heavy transitions: they have more at stake.
    follow(session, relay.act, float("inf"), relay.key)
    session.journal.close()


@dataclass
class _Waiting:
    """What may go into the next batch of a phase, by account, and since when the first of it waits."""

    items: dict[str, Any]
    since: float


class _Relay:
    def __init__(self, session: Session, inbox: Path) -> None:
        self._session = session
        self._inbox = inbox
        self._phase: Hashable = None
        self._waiting = _Waiting({}, 0.0)
        self._seen: dict[str, bytes] = {}

    def key(self, status: Status) -> Hashable:
        """Changes when it is time to look into the inbox."""
        return int(time.monotonic() * _LOOKS_PER_SECOND) if status.phase in (Phase.COMMIT, Phase.REVEAL) else 0

    def act(self, status: Status) -> bool:
        """Takes in what is new, and sends a batch that is full, old enough, or late."""
        if (status.round.id, status.phase) != self._phase:
            self._phase, self._waiting, self._seen = (status.round.id, status.phase), _Waiting({}, 0.0), {}
        if status.phase not in (Phase.COMMIT, Phase.REVEAL):
            return False
        missing = self._missing(status)
        self._waiting.items = {who: item for who, item in self._waiting.items.items() if who in missing}
        for account, seat in missing.items():
            self._look(status, account, seat)
        if self._waiting.items and self._is_time(status, len(missing)):
            items, self._waiting = self._waiting.items, _Waiting({}, 0.0)
            self._send(status, list(items.items()))
        return False

    def _missing(self, status: Status) -> dict[str, TrainerSeat]:
        """Trainers that have not acted in this phase and still may, by account."""
        session, round_id = self._session, status.round.id
        limit = session.task.terms["maxStrikes"]
        seats = [seat for seat in session.task.trainers() if seat.strikes < limit]
        if status.phase == Phase.COMMIT:
            return {seat.account: seat for seat in seats if seat.round_id != round_id}
        return {seat.account: seat for seat in seats if seat.round_id == round_id and seat.stage == Stage.COMMITTED}

    def _look(self, status: Status, account: str, seat: TrainerSeat) -> None:
        """Reads the file of `account`, if there is another one than last time."""
        kind = "commit" if status.phase == Phase.COMMIT else "reveal"
        data = _read(self._inbox / _name(kind, status.round.id, account))
        if data is None or self._seen.get(account) == data:
            return
        self._seen[account] = data
        place = self._session.task.place(status.round.id, 0, account)
        try:
            item = _commit(data, place) if kind == "commit" else _reveal(data, place, seat)
        except ValueError as error:
            self._session.report(f"refused a {kind}", {"round": status.round.id, "trainer": account, "why": str(error)})
            return
        if not self._waiting.items:
            self._waiting.since = time.monotonic()
        self._waiting.items[account] = item

    def _is_time(self, status: Status, missing: int) -> bool:
        if len(self._waiting.items) == missing or time.monotonic() - self._waiting.since >= _FILL_SECONDS:
            return True
        return status.deadline - _chain_time(self._session) <= _LAST_SECONDS

    def _send(self, status: Status, items: Sequence[tuple[str, Any]]) -> None:
        """One batch; when the contract refuses it for a reason that was not looked for, each by itself."""
        actor, commits = self._session.actor, status.phase == Phase.COMMIT
        try:
            if commits:
                actor.commit_batch([commit for _, commit in items])
            else:
                actor.reveal_batch(items)
        except ContractReverted as error:
            _log.warning("round %d: %s", status.round.id, error)
            if len(items) > 1 and error.name != "LearningTask_WrongPhase":
                for item in items:
                    self._send(status, [item])
            return
        what = "relayed commits" if commits else "relayed reveals"
        self._session.report(what, {"round": status.round.id, "count": len(items)})


# ---------------------------------------------------------------------- files


def _name(kind: str, round_id: int, account: str) -> str:
    return f"{round_id}-{kind}-{account.lower()}.json"


def _read(path: Path) -> bytes | None:
    """The file, if there is one of a size that can be right. Links and pipes are not opened."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        with open(descriptor, "rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError:
        return None
    return data if data and len(data) <= _MAX_BYTES else None


def _commit(data: bytes, place: Place) -> SignedCommit:
    """A commitment that its trainer, the sender of `place`, has signed. Raises ValueError."""
    values = _values(data, ("digest", "r", "vs"))
    commit = SignedCommit(*(_word(values, name) for name in ("digest", "r", "vs")))
    if not any(commit.digest):
        raise ValueError("the digest is empty")
    if int.from_bytes(commit.vs, "big") & ~(1 << 255) > _HALF_ORDER:
        raise ValueError("the signature has another form, which the contract refuses")
    if commit_signer(commit, place) != place.sender:
        raise ValueError("somebody else signed it")
    return commit


def _reveal(data: bytes, place: Place, seat: TrainerSeat) -> UpdateOpening:
    """What opens the commitment of `seat`. Raises ValueError."""
    values = _values(data, ("root", "content", "samples", "time", "salt"))
    root, content, salt = (_word(values, name) for name in ("root", "content", "salt"))
    opening = UpdateOpening(root, content, _number(values, "samples"), _number(values, "time"), salt)
    if opening.samples == 0 or update_digest(place, opening)[: len(seat.digest)] != seat.digest:
        raise ValueError("it does not open the commitment")
    return opening


def _values(data: bytes, names: Sequence[str]) -> dict[str, Any]:
    try:
        values = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError("not JSON") from error
    if not isinstance(values, dict) or set(values) != set(names):
        raise ValueError(f"not an object with {', '.join(names)}")
    return values


def _word(values: Mapping[str, Any], name: str) -> bytes:
    text = values[name]
    if not isinstance(text, str) or len(text) != 64:
        raise ValueError(f"{name} is not 64 hex digits")
    return bytes.fromhex(text)


def _number(values: Mapping[str, Any], name: str) -> int:
    number = values[name]
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 2**32:
        raise ValueError(f"{name} is not a whole number below 2^32")
    return number


def _chain_time(session: Session) -> int:
    """Unix seconds by the chain's clock."""
    return int(session.task.connection.request("eth_getBlockByNumber", "pending", False)["timestamp"], 16)
