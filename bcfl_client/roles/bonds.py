"""Who objected to results, and what it brought or cost: from a task's logs alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from bcfl_client.types import Event, Role

__all__ = ["Disputant", "disputants"]


@dataclass(frozen=True)
class Disputant:
    """What disputes brought an account, and cost it, as the logs tell it. Money in wei.

    `role` is its part in the task, or watcher. `refutations` are the claims that it has shown. `posted` = `returned` +
    `lost` + bonds that are still in; `received` is its part of bonds that others lost against its block.
    """

    address: str
    role: str
    claims: int = 0
    refutations: int = 0
    bounties: int = 0
    posted: int = 0
    returned: int = 0
    lost: int = 0
    received: int = 0

    @property
    def still_in(self) -> int:
        """Bonds of it that are in the contract."""
        return self.posted - self.returned - self.lost


def disputants(events: Iterable[Event], bond: int) -> list[Disputant]:
    """Everybody who posted a bond of `bond` wei in a task with these events, or received a part of one."""
    ledger = _Disputes(bond)
    for event in events:
        ledger.add(event)
    return list(ledger.accounts.values())


class _Disputes:
    """One pass over a task's events."""

    def __init__(self, bond: int) -> None:
        self.accounts: dict[str, Disputant] = {}
        self._bond = bond
        self._roles: dict[str, str] = {}
        self._miners: dict[int, str] = {}
        self._stakes: dict[object, tuple[str, int, tuple[int, int]]] = {}  # challenger, block, round and seat by claim
        self._accused: dict[tuple[int, int], tuple[int, str]] = {}  # block and challenger by round and seat
        self._winner: str | None = None

    def add(self, event: Event) -> None:
        args: Any = event.args
        match event.name:
            case "Selected":
                self._select(Role(args["role"]), args["seat"], args["account"])
            case "ChallengeCommitted" | "Questioned":
                self._stakes[args["claim"]] = args["challenger"], event.block, (args["round"], args["seat"])
                self._add(args["challenger"], claims=1, posted=self._bond)
            case "Refuted":
                challenger, block, about = self._stakes.pop(args["claim"])
                self._add(challenger, refutations=1)
                self._accuse(about, (block, challenger))
            case "BondReturned":
                del self._stakes[args["claim"]]
                self._add(args["challenger"], returned=self._bond)
            case "RoundFinalised":
                self._winner = self._miners[args["seat"]]
            case "RoundVoided":
                self._winner = None
            case "BountyPaid":
                self._add(args["challenger"], bounties=args["bounty"], returned=args["bond"])
            case "BondsLost":
                self._lose((args["round"], args["seat"]), args["amount"])

    def _select(self, role: Role, seat: int, account: str) -> None:
        name = f"{role.name.lower()} {seat}"
        self._roles[account] = f"{self._roles[account]}, {name}" if account in self._roles else name
        if role == Role.MINER:
            self._miners[seat] = account

    def _accuse(self, about: tuple[int, int], newer: tuple[int, str]) -> None:
        """Whoever committed first waits for the bounty; the bond of another comes back at once."""
        older = self._accused.setdefault(about, newer)
        if older is not newer:
            first, second = (newer, older) if newer[0] < older[0] else (older, newer)
            self._accused[about] = first
            self._add(second[1], returned=self._bond)

    def _lose(self, about: tuple[int, int], amount: int) -> None:
        for claim in [claim for claim, stake in self._stakes.items() if stake[2] == about]:
            self._add(self._stakes.pop(claim)[0], lost=self._bond)
        if self._winner is not None:
            self._add(self._winner, received=amount // 2)

    def _add(self, account: str, **more: int) -> None:
        one = self.accounts.get(account) or Disputant(account, self._roles.get(account, "watcher"))
        self.accounts[account] = replace(one, **{name: getattr(one, name) + value for name, value in more.items()})
