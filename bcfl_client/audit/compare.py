"""Expected events against found ones, each difference by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bcfl_client.audit.report import Findings, shown
from bcfl_client.audit.state import Expected, TaskState
from bcfl_client.types import Event, Fault, Role

__all__ = ["compare"]

_WHO = ("role", "seat", "account", "miner", "trainer")
_NOT_WHO = {"RoundFinalised": ("seat",), "Selected": ("account",)}
_WEI = {"amount", "deposit", "price", "toPublisher", "received", "offered", "bounty", "bond"}
_OF_MINERS = ("MinerRecorded", "BountyPaid", "BondsLost", "BondReturned")
_Key = tuple[str, tuple[tuple[str, object], ...]]


def compare(
    where: str, expected: Sequence[Expected], found: Sequence[Event], task: TaskState, findings: Findings
) -> None:
    """Notes each event that is missing, too much, or says something else. The order within a call means nothing."""
    missing = {_key(one.name, one.args): one for one in expected}
    for event in found:
        key = _key(event.name, event.args)
        place = _place(where, event.name, event.args, task)
        one = missing.pop(key, None)
        if one is None:
            findings.expect(place, event.name, "no such event", _shown(event.args))
            continue
        for name, value in one.args.items():
            unit = " in wei" if name in _WEI else ""
            findings.expect(place, f"{event.name}, {name}{unit}", value, event.args.get(name))
    for one in missing.values():
        findings.expect(_place(where, one.name, one.args, task), one.name, _shown(one.args), "no such event")


def _key(name: str, args: Mapping[str, object]) -> _Key:
    """What tells events of one call apart: a seat or account has at most one of each name, but one per fault."""
    return name, tuple((field, args[field]) for field in _WHO if field in args and field not in _NOT_WHO.get(name, ()))


def _place(where: str, name: str, args: Mapping[str, object], task: TaskState) -> str:
    """`where` and who it is about."""
    account = next((args[field] for field in ("account", "miner", "trainer") if field in args), None)
    seat = args.get("seat")
    if name == "RoundFinalised" or (seat is None and account is None):
        return where
    miners = args.get("role") == Role.MINER or name in _OF_MINERS
    seats = task.miners if miners else task.trainers
    if account is None and isinstance(seat, int) and seat < len(seats):
        account = seats[seat].account
    who = "miner" if miners else "trainer"
    return f"{where}, {who}" + (f" {seat}" if seat is not None else "") + f" ({account})"


def _shown(args: Mapping[str, object]) -> str:
    names = {"fault": lambda value: Fault(value).name}
    parts = (f"{name} {names[name](value) if name in names else shown(value)}" for name, value in args.items())
    return ", ".join(part for part in parts if not part.startswith(("role ", "seat ", "round ")))
