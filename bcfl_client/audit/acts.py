"""What participants did, one event at a time: was it allowed at its second, does it fit what was committed before, and
what does it change on the books."""

from __future__ import annotations

from collections.abc import Callable

from bcfl_client.audit.block_acts import BlockActs
from bcfl_client.audit.checks import Args
from bcfl_client.audit.closing import close
from bcfl_client.audit.dispute_acts import DisputeActs
from bcfl_client.audit.phases import clock_at
from bcfl_client.audit.selection import Bid
from bcfl_client.audit.state import Expected, Moment, Reveal, TaskState
from bcfl_client.chain.digests import update_digest
from bcfl_client.types import Phase, Role, State, UpdateOpening

__all__ = ["HANDLERS", "Acts", "not_selected", "refund_all"]


class Acts(BlockActs, DisputeActs):
    """Applies acts to the books. Methods of `HANDLERS` take an event's arguments and when it happened, note what is
    wrong and return the events that must follow."""

    _arrivals = 0

    # ------------------------------------------------------------------ bidding

    def bid_placed(self, args: Args, moment: Moment) -> list[Expected]:
        task, terms, role, account = self._task, self._task.terms, Role(args["role"]), args["account"]
        where = f"bid of {role.name.lower()} {account}"
        self._require(where, moment, Phase.BIDDING)
        price, samples = args["price"], args["samples"]
        trainer = role == Role.TRAINER
        deposit = samples * terms["trainerDeposit"] if trainer else terms["minerDeposit"]
        self._expect(where, "deposit in wei", deposit, args["deposit"])
        self._at_most(where, "price in wei", price, terms["maxPrice" if trainer else "maxFee"])
        if trainer:
            self._at_most(where, "minimum of samples", terms["minSamples"], samples)
            self._at_most(
                where, "training time in microseconds", samples * args["trainingTime"], terms["maxTrainingTime"] * 10**6
            )
        self._expect(where, "earlier bid", False, task.bids[role].holds(account))

        self._arrivals += 1
        task.paid_in += args["deposit"]
        rank = self._registry.trainer_rank(account) if trainer else self._registry.miner_rank(account)
        displaced = task.bids[role].place(Bid(account, price, samples, args["deposit"]), rank, self._arrivals)
        if displaced is None:
            return []
        self._expect(where, "bid that loses its slot is an older one", True, displaced.account != account)
        task.owed[displaced.account] += displaced.deposit
        return [
            Expected("BidDisplaced", {"role": int(role), "account": displaced.account, "deposit": displaced.deposit})
        ]

    def cancelled(self, args: Args, moment: Moment) -> list[Expected]:
        phase = clock_at(self._task, moment).phase
        self._expect("cancellation", "phase before selection", True, phase in (Phase.BIDDING, Phase.SELECT))
        return refund_all(self._task) + close(self._task, self._registry, State.ABORTED)

    # ------------------------------------------------------------------ updates

    def committed(self, args: Args, moment: Moment) -> list[Expected]:
        r, seat = self._round(args), args["seat"]
        where = self._trainer(r, seat)
        self._require(where, moment, Phase.COMMIT)
        self._expect(where, "earlier commitment", False, seat in r.commits)
        self._expect(where, "part in the round", True, seat in r.trainers)
        r.commits[seat] = args["digest"]
        if len(r.commits) == len(r.trainers):
            r.commit_closed = moment.second
        return []

    def revealed(self, args: Args, moment: Moment) -> list[Expected]:
        r, seat = self._round(args), args["seat"]
        where = self._trainer(r, seat)
        self._require(where, moment, Phase.REVEAL)
        self._expect(where, "earlier reveal", False, seat in r.reveals)
        place = self._place(r, self._task.trainers[seat].account)
        opening = UpdateOpening(args["root"], args["contentId"], args["samples"], args["trainingTime"], args["salt"])
        self._expect(where, "commitment that the reveal opens", r.commits.get(seat), update_digest(place, opening))
        r.reveals[seat] = Reveal(args["root"], args["contentId"], args["samples"])
        if len(r.reveals) == len(r.commits):
            r.reveal_closed = moment.second
        return []

    # ------------------------------------------------------------------ payout

    def withdrawn(self, args: Args, moment: Moment) -> list[Expected]:
        account, amount = args["account"], args["amount"]
        self._expect(f"withdrawal of {account}", "amount in wei", self._task.withdrawable(account), amount)
        self._task.clear(account)
        self._task.withdrawn[account] += amount
        return []


Handler = Callable[[Acts, Args, Moment], list[Expected]]

HANDLERS: dict[str, Handler] = {
    "BidPlaced": Acts.bid_placed,
    "Cancelled": Acts.cancelled,
    "Committed": Acts.committed,
    "Revealed": Acts.revealed,
    "Checked": Acts.checked,
    "InputsFrozen": Acts.inputs_frozen,
    "Sealed": Acts.sealed,
    "FastProposed": Acts.fast_proposed,
    "FastVoted": Acts.fast_voted,
    "Proposed": Acts.proposed,
    "Opened": Acts.opened,
    "ChallengeCommitted": Acts.challenge_committed,
    "Questioned": Acts.questioned,
    "Answered": Acts.answered,
    "Refuted": Acts.refuted,
    "BondReturned": Acts.bond_returned,
    "Withdrawn": Acts.withdrawn,
}


def refund_all(task: TaskState) -> list[Expected]:
    """Owes every bidder that is still in its deposit."""
    events = []
    for role, book in task.bids.items():
        for bid in book.ranked():
            task.owed[bid.account] += bid.deposit
            events.append(not_selected(role, bid))
    return events


def not_selected(role: Role, bid: Bid) -> Expected:
    """The event that says so."""
    return Expected("NotSelected", {"role": int(role), "account": bid.account, "deposit": bid.deposit})
