"""What came of those who did not keep the rules: from the chain's logs, and what they paid for gas."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bcfl_client.audit import AuditReport
from bcfl_client.demo.actors import Actor
from bcfl_client.types import Event, Fault, Role, Verdict

if TYPE_CHECKING:
    from bcfl_client.demo.report import Run

__all__ = ["Loss", "losses", "print_losses"]

_FAULTS = {
    Fault.NOT_REVEALED: "committed and did not reveal",
    Fault.NOT_SEALED: "no seal",
    Fault.NOT_OPENED: "a seal that it could not open",
    Fault.REJECTED: "rejected",
    Fault.LOW_SCORE: "low score",
    Fault.OUTVOTED: "outvoted",
    Fault.PROVEN_WRONG: "false result, proven",
}


@dataclass(frozen=True)
class Loss:
    """What an adversary got out of it. Money in wei. `faults` are reasons and the rounds in which the chain gave them,
    `struck_out` is the round from which on it was out of the task, `tried` what else it tried with what outcome, and
    how often."""

    name: str
    earned: int
    slashed: int
    bonds_lost: int
    fees: int
    paid_rounds: int
    faults: dict[str, list[int]]
    struck_out: int | None
    tried: dict[str, dict[str, int]]

    @property
    def profit(self) -> int:
        """Negative when it lost."""
        return self.earned - self.slashed - self.bonds_lost - self.fees

    def facts(self) -> dict[str, Any]:
        """For a JSON report."""
        money = {f"{name}_wei": getattr(self, name) for name in ("earned", "slashed", "bonds_lost", "fees", "profit")}
        kept = ("name", "paid_rounds", "faults", "struck_out", "tried")
        return {**{name: value for name, value in asdict(self).items() if name in kept}, **money}

    def lines(self) -> list[str]:
        """For people: the sum and why, then what was refused."""
        reasons = [f"{fault} in round {_listed(rounds)}" for fault, rounds in self.faults.items()]
        if self.struck_out is not None:
            reasons.append(f"out from round {self.struck_out} on")
        reasons.append(f"earned {_ether(self.earned)}")
        reasons.append(f"gas {_ether(self.fees)}")
        verb = "lost" if self.profit < 0 else "gained"
        lines = [f"{self.name:<12}{verb} {_ether(abs(self.profit))} ETH: {'; '.join(reasons)}"]
        for what, outcomes in self.tried.items():
            lines.append(f"{'':<12}{sum(outcomes.values())} x {what}: {', '.join(outcomes)}")
        return lines


def losses(run: Run, audit: AuditReport) -> list[Loss]:
    """One for each adversary, in the order of the actors."""
    events = run.task.events()
    return [_loss(run, audit, events, actor) for actor in run.actors if not actor.honest]


def print_losses(run: Run, audit: AuditReport) -> None:
    """Prints them next to what the honest ones earned; nothing without adversaries."""
    found = losses(run, audit)
    if not found:
        return
    print("adversaries")
    for one in found:
        print("  " + "\n  ".join(one.lines()))
    earned: dict[str, list[int]] = defaultdict(list)
    by_account = {str(actor.account.address): actor for actor in run.actors if actor.honest}
    for seat in audit.participants:
        if seat.account in by_account:
            earned[seat.role].append(seat.earned_wei)
    means = [f"{_ether(sum(all_) // len(all_))} ETH a {role}" for role, all_ in sorted(earned.items(), reverse=True)]
    print(f"  the honest ones earned {', '.join(means)} on average")


def _loss(run: Run, audit: AuditReport, events: list[Event], actor: Actor) -> Loss:
    account = str(actor.account.address)
    seat = next((one for one in audit.participants if one.account == account), None)
    bonds = next((one.posted_wei - one.returned_wei for one in audit.disputants if one.account == account), 0)
    faults: dict[str, list[int]] = defaultdict(list)
    struck_out = None
    if seat is not None:
        role = Role.TRAINER if actor.trains else Role.MINER
        for event in events:
            args: Any = event.args
            if (args.get("role"), args.get("seat")) != (role, seat.seat):
                continue
            if event.name == "Slashed":
                faults[_reason(events, args)].append(int(args["round"]))
            elif event.name == "StruckOut":
                struck_out = int(args["round"]) + 1
    return Loss(
        name=actor.name,
        earned=seat.earned_wei if seat else 0,
        slashed=seat.slashed_wei if seat else 0,
        bonds_lost=bonds,
        fees=run.fees[actor.name],
        paid_rounds=seat.paid_rounds if seat else 0,
        faults=dict(faults),
        struck_out=struck_out,
        tried={what: dict(outcomes) for what, outcomes in run.tried[actor.name].items()},
    )


def _reason(events: list[Event], args: dict[str, Any]) -> str:
    """In words; of a rejected update, what most miners found."""
    fault = Fault(args["fault"])
    if fault != Fault.REJECTED:
        return _FAULTS[fault]
    checks: list[Any] = [one.args for one in events if one.name == "Checked" and one.args["round"] == args["round"]]
    found = [Verdict(int(check["verdicts"]) >> 2 * int(args["seat"]) & 3) for check in checks]
    return "copy" if 2 * found.count(Verdict.COPY) > len(found) else _FAULTS[fault]


def _listed(rounds: list[int]) -> str:
    return ", ".join(map(str, rounds))


def _ether(wei: int) -> str:
    return f"{wei / 1e18:.6f}"
