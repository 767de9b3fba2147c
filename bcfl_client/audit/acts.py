"""What participants did, one event at a time: was it allowed at its second, does it fit what was committed before, and
what does it change on the books."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bcfl_client.audit.phases import current_inputs, phase_at
from bcfl_client.audit.report import Findings
from bcfl_client.audit.selection import Bid
from bcfl_client.audit.settlement import close
from bcfl_client.audit.state import Expected, Registry, Reveal, RoundState, TaskState
from bcfl_client.chain.digests import (
    Place,
    header_digest,
    seal_digest,
    seals_digest,
    target,
    update_digest,
    work_digest,
)
from bcfl_client.types import Opening, Phase, Role, State

__all__ = ["Acts"]

Args = Mapping[str, Any]


class Acts:
    """Applies acts to the books `task`. Methods of `HANDLERS` take an event's arguments and the second at which it
    happened, note what is wrong in `findings` and return the events that must follow."""

    def __init__(self, task: TaskState, registry: Registry, findings: Findings, chain_id: int, address: str) -> None:
        self._task = task
        self._registry = registry
        self._findings = findings
        self._chain_id = chain_id
        self._address = address
        self._arrivals = 0
        self._proposal: Args | None = None

    # ------------------------------------------------------------------ bidding

    def bid_placed(self, args: Args, now: int) -> list[Expected]:
        task, terms, role, account = self._task, self._task.terms, Role(args["role"]), args["account"]
        where = f"bid of {role.name.lower()} {account}"
        self._require(where, now, Phase.BIDDING)
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

    def cancelled(self, args: Args, now: int) -> list[Expected]:
        phase = phase_at(self._task, now)
        self._expect("cancellation", "phase before selection", True, phase in (Phase.BIDDING, Phase.SELECT))
        return refund_all(self._task) + close(self._task, self._registry, State.ABORTED)

    # ------------------------------------------------------------------ updates

    def committed(self, args: Args, now: int) -> list[Expected]:
        r, seat = self._round(args), args["seat"]
        where = self._trainer(r, seat)
        self._require(where, now, Phase.COMMIT)
        self._expect(where, "earlier commitment", False, seat in r.commits)
        self._expect(where, "part in the round", True, seat in r.trainers)
        r.commits[seat] = args["digest"]
        if len(r.commits) == len(r.trainers):
            r.commit_closed = now
        return []

    def revealed(self, args: Args, now: int) -> list[Expected]:
        r, seat = self._round(args), args["seat"]
        where = self._trainer(r, seat)
        self._require(where, now, Phase.REVEAL)
        self._expect(where, "earlier reveal", False, seat in r.reveals)
        place = self._place(r, self._task.trainers[seat].account)
        values = (args["root"], args["contentId"], args["samples"], args["trainingTime"], args["salt"])
        self._expect(where, "commitment that the reveal opens", r.commits.get(seat), update_digest(place, *values))
        r.reveals[seat] = Reveal(args["root"], args["contentId"], args["samples"])
        if len(r.reveals) == len(r.commits):
            r.reveal_closed = now
        return []

    # ------------------------------------------------------------------ model chain

    def checked(self, args: Args, now: int) -> list[Expected]:
        r, seat = self._round(args), args["seat"]
        where = self._miner(r, seat)
        self._require(where, now, Phase.CHECK)
        self._expect(where, "part in the round", True, seat in r.miners)
        r.verdicts[seat] = args["verdicts"]
        if len(r.verdicts) < len(r.miners):
            return []
        r.check_closed = now
        return [self._freeze(r)]

    def inputs_frozen(self, args: Args, now: int) -> list[Expected]:
        """Comes by itself when the first seal follows a Check that the clock closed."""
        r = self._round(args)
        where = f"round {r.id}"
        self._require(where, now, Phase.SEAL)
        if self._expect(where, "inputs frozen before", False, r.frozen is not None):
            self._expect(where, "bitmap of the inputs", self._freeze(r).args["inputs"], args["inputs"])
        return []

    def sealed(self, args: Args, now: int) -> list[Expected]:
        r, seat = self._round(args), args["seat"]
        where = self._miner(r, seat)
        self._require(where, now, Phase.SEAL)
        self._expect(where, "part in the round", True, seat in r.miners)
        self._expect(where, "earlier seal", False, seat in r.seals)
        self._expect(where, "inputs frozen before the first seal", True, r.frozen is not None)
        r.seals[seat] = args["digest"]
        r.seals_digest = seals_digest(r.seals_digest, seat, args["digest"])
        if len(r.seals) == len(r.miners):
            r.seal_closed = now
        return []

    def proposed(self, args: Args, now: int) -> list[Expected]:
        """The block itself is checked with the opening that comes in the same call."""
        r, seat = self._round(args), args["seat"]
        where = self._miner(r, seat)
        self._require(where, now, Phase.MINE)
        self._expect(where, "earlier block", False, seat in r.blocks)
        self._expect(where, "mining attempt", 0, args["attempt"])
        self._expect(where, "parent of the block", self._task.head.block_hash, args["parent"])
        self._expect(where, "digest of the seals in the block", r.seals_digest, args["sealsDigest"])
        self._expect(where, "difficulty", self._task.difficulty, args["difficulty"])
        r.blocks[seat] = args["blockHash"]
        if r.first_block is None:
            r.first_block = now
        if self._task.terms["forkWindow"] == 0 or len(r.blocks) == len(r.seals):
            r.mine_closed = now
        self._proposal = args
        return []

    def opened(self, args: Args, now: int) -> list[Expected]:
        r, seat, opening = self._round(args), args["seat"], _opening(args["opening"])
        where = self._miner(r, seat)
        proposal, self._proposal = self._proposal, None
        place = self._place(r, self._task.miners[seat].account)
        if proposal is not None and proposal["seat"] == seat:
            self._check_work(where, place, opening, proposal)
        else:
            self._require(where, now, Phase.OPEN)
        self._expect(where, "earlier opening", False, seat in r.openings)
        self._expect(where, "words of scores", (len(self._task.trainers) + 15) // 16, len(opening.scores))
        self._expect(where, "seal that the opening fits", r.seals.get(seat), seal_digest(place, opening))
        r.openings[seat] = opening
        if len(r.openings) == len(r.seals):
            r.open_closed = now
        return []

    def _check_work(self, where: str, place: Place, opening: Opening, proposal: Args) -> None:
        task, r = self._task, self._task.round
        assert r is not None
        header = header_digest(place, task.head.block_hash, r.seals_digest, opening, task.difficulty)
        block_hash = work_digest(header, proposal["nonce"])
        self._expect(where, "block hash", block_hash, proposal["blockHash"])
        self._at_most(where, "block hash as a number", int.from_bytes(block_hash, "big"), target(task.difficulty))

    def _freeze(self, r: RoundState) -> Expected:
        r.frozen = current_inputs(r, self._task.miners)
        return Expected("InputsFrozen", {"round": r.id, "inputs": sum(1 << seat for seat in r.frozen)})

    # ------------------------------------------------------------------ payout

    def withdrawn(self, args: Args, now: int) -> list[Expected]:
        account, amount = args["account"], args["amount"]
        self._expect(f"withdrawal of {account}", "amount in wei", self._task.withdrawable(account), amount)
        self._task.clear(account)
        self._task.withdrawn[account] += amount
        return []

    # ------------------------------------------------------------------ checks

    def _require(self, where: str, now: int, phase: Phase) -> None:
        self._expect(where, f"phase at second {now}", phase.name, phase_at(self._task, now).name)

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

    def _place(self, r: RoundState, account: str) -> Place:
        return Place(self._chain_id, self._address, r.id, 0, account)

    def _trainer(self, r: RoundState, seat: int) -> str:
        return f"round {r.id}, trainer {seat} ({self._task.trainers[seat].account})"

    def _miner(self, r: RoundState, seat: int) -> str:
        return f"round {r.id}, miner {seat} ({self._task.miners[seat].account})"


Handler = Callable[[Acts, Args, int], list[Expected]]

HANDLERS: dict[str, Handler] = {
    "BidPlaced": Acts.bid_placed,
    "Cancelled": Acts.cancelled,
    "Committed": Acts.committed,
    "Revealed": Acts.revealed,
    "Checked": Acts.checked,
    "InputsFrozen": Acts.inputs_frozen,
    "Sealed": Acts.sealed,
    "Proposed": Acts.proposed,
    "Opened": Acts.opened,
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


def _opening(args: Args) -> Opening:
    return Opening(args["root"], args["contentId"], args["accuracy"], tuple(args["scores"]), args["salt"])
