"""What a round's disputes come to: deposits behind refuted results, bounties, bonds that are lost. Money in wei."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from bcfl_client.audit.closing import forfeit
from bcfl_client.audit.state import Expected, RoundState, TaskState

__all__ = ["settle_disputes"]


def settle_disputes(task: TaskState, r: RoundState, guilty: Iterable[int], winner: int | None) -> list[Expected]:
    """Half of the deposits of the `guilty` goes to who accused first, half is burnt; of bonds against results that
    stood half goes to the `winner` (to the pool without one), half is burnt."""
    events: list[Expected] = []
    bounties: Counter[int] = Counter()
    out = sorted(guilty)
    for seat in out:
        bounty, more = forfeit(task, r, seat)
        bounties[_first_accused(r, seat)] += bounty
        events += more
        if seat not in r.refuted and seat in r.first_claims:
            events.append(_return_bond(task, r, seat))
    for seat in range(len(task.miners)):
        if seat not in out:
            events += _lose_bonds(task, r, seat, winner)
    bond = task.terms["challengeBond"]
    for seat, accusation in sorted(r.refuted.items()):
        who = accusation.challenger
        task.return_bond(who)
        task.owed[who] += bounties[seat]
        task.disputants[who].bounties += bounties[seat]
        args = {"round": r.id, "seat": seat, "challenger": who, "bounty": bounties[seat], "bond": bond}
        events.append(Expected("BountyPaid", args))
    return events


def _return_bond(task: TaskState, r: RoundState, seat: int) -> Expected:
    """The first bond against a result that was refuted through another seat."""
    claim = r.first_claims[seat]
    challenger = task.stakes.pop(claim).challenger
    task.return_bond(challenger)
    return Expected("BondReturned", {"round": r.id, "seat": seat, "challenger": challenger, "claim": claim})


def _first_accused(r: RoundState, seat: int) -> int:
    """The refuted seat that brought the result of the guilty `seat` down: of the earliest commitment."""
    same = [one for one in sorted(r.refuted) if r.results[one] == r.results[seat]]
    return min(same, key=lambda one: r.refuted[one].block)


def _lose_bonds(task: TaskState, r: RoundState, seat: int, winner: int | None) -> list[Expected]:
    lost = [claim for claim, stake in task.stakes.items() if stake.round_id == r.id and stake.seat == seat]
    if not lost:
        return []
    bond = task.terms["challengeBond"]
    amount = len(lost) * bond
    for claim in lost:
        task.disputants[task.stakes.pop(claim).challenger].lost += bond
    task.bonds -= amount
    task.burnt += amount - amount // 2
    if winner is None:
        task.pool += amount // 2
    else:
        account = task.miners[winner].account
        task.owed[account] += amount // 2
        task.disputants[account].received += amount // 2
    return [Expected("BondsLost", {"round": r.id, "seat": seat, "amount": amount})]
