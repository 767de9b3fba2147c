"""What a task is at and who earned what, for people: from one status call, and from the logs alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from bcfl_client.chain.history import TaskHistory
from bcfl_client.chain.task import Task
from bcfl_client.types import MAX_SCORE, Role, Stage, State, Status, bits, unpack_scores

__all__ = ["Money", "Participant", "Progress", "participants", "progress", "task_money"]


@dataclass(frozen=True)
class Progress:
    """A task now. The lists hold the accounts that have acted in the running round; money in wei."""

    status: Status
    rounds: int
    trainers: tuple[str, ...]
    miners: tuple[str, ...]
    bids: tuple[int, int]
    committed: tuple[str, ...]
    revealed: tuple[str, ...]
    checked: tuple[str, ...]
    sealed: tuple[str, ...]
    proposed: tuple[str, ...]
    opened: tuple[str, ...]
    reward: int
    pool: int
    burnt: int
    rests_on_majority: bool


@dataclass(frozen=True)
class Participant:
    """One account in one role, as the logs tell it. Money in wei.

    `deposit` is all that it ever put at stake (the publisher: the reward); `refunded` is what of that is due back.
    `rounds` counts those in which it was paid; `score` is its last one, 0 to 65,535, None if it never had one.
    `withdrawn` is what the account took out in all its roles.
    """

    role: str
    address: str
    seat: int | None
    deposit: int
    samples: int
    rounds: int
    score: int | None
    earned: int
    refunded: int
    slashed: int
    withdrawn: int


@dataclass(frozen=True)
class Money:
    """Where all the wei of a task are: `paid_in` = `paid_out` + `burnt` + `left`, always."""

    paid_in: int
    paid_out: int
    burnt: int
    left: int


def progress(task: Task) -> Progress:
    """What `task` is at, in a few exchanges with the node."""
    status = task.status()
    trainers, miners = task.trainers(), task.miners()
    now = status.round

    def seats(bitmap: int) -> tuple[str, ...]:
        return tuple(miners[seat].account for seat in bits(bitmap) if seat < len(miners))

    return Progress(
        status=status,
        rounds=task.terms["rounds"],
        trainers=tuple(trainer.account for trainer in trainers),
        miners=tuple(miner.account for miner in miners),
        bids=(task.bid_count(Role.TRAINER), task.bid_count(Role.MINER)),
        committed=tuple(t.account for t in trainers if t.round_id == now.id and t.stage != Stage.NONE),
        revealed=tuple(t.account for t in trainers if t.round_id == now.id and t.stage == Stage.REVEALED),
        checked=seats(now.checkers),
        sealed=seats(now.sealers),
        proposed=seats(now.proposers),
        opened=seats(now.openers),
        reward=task.terms["reward"],
        pool=task.pool(),
        burnt=task.burnt(),
        rests_on_majority=task.terms["minWindow"] == 0,
    )


def participants(history: TaskHistory) -> list[Participant]:
    """The publisher, then the trainers, then the miners, each in the order of seats; bidders without a seat last."""
    ledger = _Ledger(history)
    bidders = sorted(ledger.deposits, key=lambda key: (key[0], ledger.seats.get(key, MAX_SCORE)))
    return [ledger.publisher(), *(ledger.participant(role, account) for role, account in bidders)]


def task_money(history: TaskHistory) -> Money:
    """All the money that went in and out, bonds of disputes included, from the logs."""
    ledger = _Ledger(history)
    paid_in = history.published.terms["reward"] + sum(ledger.deposits.values()) + ledger.bonds
    paid_out = sum(ledger.withdrawn.values())
    return Money(paid_in, paid_out, ledger.burnt, paid_in - paid_out - ledger.burnt)


class _Ledger:
    """One pass over a task's events; keys are (role, account)."""

    def __init__(self, history: TaskHistory) -> None:
        self._published = history.published
        self.deposits: Counter[tuple[Role, str]] = Counter()
        self.returned: Counter[tuple[Role, str]] = Counter()  # to bids that are not, or no longer, in
        self.samples: dict[tuple[Role, str], int] = {}
        self.seats: dict[tuple[Role, str], int] = {}
        self.earned: Counter[tuple[Role, int]] = Counter()
        self.slashed: Counter[tuple[Role, int]] = Counter()
        self.rounds: Counter[tuple[Role, int]] = Counter()
        self.scores: dict[int, int] = {}
        self.withdrawn: Counter[str] = Counter()
        self.burnt = self.to_publisher = self.bonds = 0
        self.state = State.BIDDING
        self._inputs: list[int] = []
        for event in history.events:
            self._add(event.name, event.args)

    def publisher(self) -> Participant:
        address = self._published.publisher
        reward = self._published.terms["reward"]
        return Participant(
            "publisher", address, None, reward, 0, 0, None, 0, self.to_publisher, 0, self.withdrawn[address]
        )

    def participant(self, role: Role, account: str) -> Participant:
        key = (role, account)
        seat = self.seats.get(key)
        at = (role, -1 if seat is None else seat)
        at_stake = self.deposits[key] - self.returned[key] - self.slashed[at]
        return Participant(
            role=role.name.lower(),
            address=account,
            seat=seat,
            deposit=self.deposits[key],
            samples=self.samples[key],
            rounds=self.rounds[at],
            score=self.scores.get(at[1]) if role == Role.TRAINER else None,
            earned=self.earned[at],
            refunded=self.returned[key] + (at_stake if self.state.closed else 0),
            slashed=self.slashed[at],
            withdrawn=self.withdrawn[account],
        )

    def _add(self, name: str, args: dict[str, Any]) -> None:
        match name:
            case "BidPlaced":
                self.deposits[_account(args)] += args["deposit"]
                self.samples[_account(args)] = args["samples"]
            case "BidDisplaced" | "NotSelected":
                self.returned[_account(args)] += args["deposit"]
            case "Selected":
                self.seats[_account(args)] = args["seat"]
            case "InputsFrozen":
                self._inputs = bits(args["inputs"])
            case "RoundFinalised":
                trainers = len([role for role, _ in self.seats if role == Role.TRAINER])
                if args["medians"]:  # a fast block has none
                    scores = unpack_scores(args["medians"], trainers)
                    self.scores |= {seat: scores[seat] for seat in self._inputs}
            case "Paid":
                self.earned[_seat(args)] += args["amount"]
                self.rounds[_seat(args)] += 1
            case "Slashed":
                self.slashed[_seat(args)] += args["amount"]
            case "ChallengeCommitted" | "Questioned":
                self.bonds += self._published.terms["challengeBond"]
            case "Withdrawn":
                self.withdrawn[args["account"]] += args["amount"]
            case "Burnt":
                self.burnt += args["amount"]
            case "TaskCompleted" | "TaskAborted":
                self.state = State.COMPLETED if name == "TaskCompleted" else State.ABORTED
                self.to_publisher = args["toPublisher"]


def _account(args: dict[str, Any]) -> tuple[Role, str]:
    return Role(args["role"]), args["account"]


def _seat(args: dict[str, Any]) -> tuple[Role, int]:
    return Role(args["role"]), args["seat"]
