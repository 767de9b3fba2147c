"""The auditor's own books on a task: who sits where, what a round has seen, whose money is where.

Plain values without behaviour of the contract; the rules are in `selection`, `votes`, `phases`, `settlement` and
`bonds`. Money in wei, times in Unix seconds.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bcfl_client.audit.selection import BidBook
from bcfl_client.types import MAX_SCORE, Head, Opening, Role, State

__all__ = [
    "Accusation",
    "Block",
    "Disputant",
    "Expected",
    "FastBlock",
    "MinerState",
    "Moment",
    "Refutation",
    "Registry",
    "Result",
    "Reveal",
    "RoundState",
    "SeatState",
    "Stake",
    "TaskState",
    "TrainerState",
]

_MAX_RECORD = 2**96 - 1
_BASIS = 10_000

Result = tuple[bytes, bytes]
"""Parameter root and content digest of an aggregate."""


@dataclass(frozen=True)
class Moment:
    """When something happens: the Unix second and the number of the chain's block."""

    second: int
    block: int


@dataclass(frozen=True)
class Expected:
    """An event that must be in the logs, with the names of the contract."""

    name: str
    args: dict[str, object]


@dataclass(kw_only=True)
class SeatState:
    """A selected participant. `original` is the deposit as paid, `deposit` what is left of it; `earned` is not yet
    withdrawn, `total_earned` all there ever was."""

    account: str
    original: int
    deposit: int
    strikes: int = 0
    earned: int = 0
    total_earned: int = 0
    slashed: int = 0


@dataclass(kw_only=True)
class TrainerState(SeatState):
    """A trainer; `price` per sample and round, `cap` in samples."""

    price: int
    cap: int
    quality: int
    paid_rounds: int = 0


@dataclass(kw_only=True)
class MinerState(SeatState):
    """A miner; `fee` per block. `trainer_seat` is the same account's seat as a trainer; `proven_round` that in which
    a result it stood for was refuted, 0 for none."""

    fee: int
    trainer_seat: int | None
    proven_round: int = 0


@dataclass(frozen=True)
class Reveal:
    """An opened commitment."""

    root: bytes
    content_digest: bytes
    samples: int


@dataclass(frozen=True)
class Block:
    """A proposed block; `order` of the proposal in its round, from 1."""

    block_hash: bytes
    order: int
    attempt: int
    proposed: Moment


@dataclass
class FastBlock:
    """A block without seals. `drawn`: it must give way to a vote; None where the node does not tell the hash that
    decides it. Once `disputed` it stands, until it is refuted."""

    seat: int
    block_hash: bytes
    accuracy: int
    proposed: Moment
    drawn: bool | None
    disputed: bool = False


@dataclass(frozen=True)
class Stake:
    """A bond behind the claim that the result of miner `seat` is false. `height` and `index` of a question's node;
    its `deadline` until it is answered."""

    challenger: str
    block: int
    round_id: int
    seat: int
    height: int | None = None
    index: int = 0
    deadline: int | None = None


@dataclass(frozen=True)
class Accusation:
    """Whose bounty a refuted result brings: the earliest commitment among those that were shown."""

    challenger: str
    block: int


@dataclass(frozen=True)
class Refutation:
    """A claim that was shown, for whoever looks into the bytes. `coordinate` is None for a result that was withheld."""

    seat: int
    challenger: str
    result: Result
    coordinate: int | None


@dataclass
class RoundState:
    """What has happened in a round; seats of those who may act, and marks of phases that closed early."""

    id: int
    start: int
    trainers: frozenset[int]
    miners: frozenset[int]
    commits: dict[int, bytes] = field(default_factory=dict)
    reveals: dict[int, Reveal] = field(default_factory=dict)
    verdicts: dict[int, int] = field(default_factory=dict)
    frozen: frozenset[int] | None = None
    fast: FastBlock | None = None  # until it is refuted or gives way to a vote
    seals: dict[int, bytes] = field(default_factory=dict)
    seals_digest: bytes = bytes(32)
    blocks: dict[int, Block] = field(default_factory=dict)  # by miner seat
    openings: dict[int, Opening] = field(default_factory=dict)
    results: dict[int, Result] = field(default_factory=dict)  # opened, or proposed as a fast block
    attempt: int = 0  # of mining, of the newest block
    refuted: dict[int, Accusation] = field(default_factory=dict)  # by miner seat
    first_claims: dict[int, bytes] = field(default_factory=dict)  # to a proof, by miner seat, of unrefuted results
    refutations: list[Refutation] = field(default_factory=list)
    claims: int = 0
    nodes: dict[tuple[bytes, int, int], bytes] = field(default_factory=dict)  # by root, height, index: from answers
    commit_closed: int | None = None
    reveal_closed: int | None = None
    check_closed: int | None = None
    seal_closed: int | None = None
    first_block: int | None = None
    mine_closed: int | None = None
    open_closed: int | None = None
    window_from: int | None = None  # second of the newest block, fast ones included
    last_dispute: int | None = None  # second of the newest claim, answer or refutation


@dataclass
class Disputant:
    """What disputes have brought an account, and cost it. `posted` = `returned` + `lost` + what is still in; `received`
    is its part of bonds that others lost."""

    claims: int = 0
    refutations: int = 0
    bounties: int = 0
    posted: int = 0
    returned: int = 0
    lost: int = 0
    received: int = 0


@dataclass
class Registry:
    """The reputation registry as far as its events have told."""

    miners: dict[str, tuple[int, int, int, int]] = field(default_factory=dict)
    trainers: dict[str, int] = field(default_factory=dict)

    def miner_rank(self, account: str) -> int:
        """min(n/m, s/t) of 65,535."""
        accepted, served, received, offered = self.miners.get(account, (0, 0, 0, 0))
        if not served or not offered:
            return 0
        return min(accepted * MAX_SCORE // served, received * MAX_SCORE // offered)

    def trainer_rank(self, account: str) -> int:
        """Quality over past tasks, of 65,535."""
        return self.trainers.get(account, 0)

    def trusts(self, account: str, miners: int, terms: Mapping[str, Any]) -> bool:
        """Whether a task with so many miners lets `account` propose without a vote: enough blocks of its even part,
        and enough of the fees that were offered."""
        accepted, served, received, offered = self.miners.get(account, (0, 0, 0, 0))
        blocks = accepted * miners * _BASIS // served if served else 0
        rewards = received * _BASIS // offered if offered else 0
        return 0 < int(terms["fastBlocks"]) <= blocks and int(terms["fastRewards"]) <= rewards

    def after_round(self, account: str, accepted: bool, received: int, offered: int) -> Expected:
        """The record that one more round makes."""
        n, m, s, t = self.miners.get(account, (0, 0, 0, 0))
        values = (n + accepted, m + 1, min(s + received, _MAX_RECORD), min(t + offered, _MAX_RECORD))
        names = ("accepted", "served", "received", "offered")
        return Expected("MinerRecorded", {"miner": account, **dict(zip(names, values))})

    def after_task(self, account: str, quality: int) -> Expected:
        """The record that one more task makes."""
        return Expected("TrainerRecorded", {"trainer": account, "quality": (self.trainer_rank(account) + quality) // 2})

    def absorb(self, name: str, args: Mapping[str, Any]) -> None:
        """Takes over what an event says."""
        if name == "MinerRecorded":
            self.miners[args["miner"]] = (args["accepted"], args["served"], args["received"], args["offered"])
        else:
            self.trainers[args["trainer"]] = args["quality"]


@dataclass
class TaskState:
    """The task's books."""

    terms: Mapping[str, Any]
    publisher: str
    bidding_end: int
    state: State = State.BIDDING
    bids: dict[Role, BidBook] = field(init=False)
    trainers: list[TrainerState] = field(default_factory=list)
    miners: list[MinerState] = field(default_factory=list)
    owed: Counter[str] = field(default_factory=Counter)
    withdrawn: Counter[str] = field(default_factory=Counter)
    stakes: dict[bytes, Stake] = field(default_factory=dict)  # by claim, until it is shown, returned or lost
    disputants: dict[str, Disputant] = field(default_factory=lambda: defaultdict(Disputant))
    bonds: int = 0  # wei that are nobody's until the round is settled, or its owner asks for them
    round: RoundState | None = None
    head: Head = field(init=False)
    rounds_left: int = field(init=False)
    void_rounds: int = 0
    reached_target: bool = False
    highest_fee: int = 0
    difficulty: int = field(init=False)
    pool: int = field(init=False)
    paid_in: int = field(init=False)
    burnt: int = 0

    def __post_init__(self) -> None:
        terms = self.terms
        self.bids = {
            Role.TRAINER: BidBook(terms["trainerSlots"], terms["maxPrice"]),
            Role.MINER: BidBook(terms["minerSlots"], terms["maxFee"]),
        }
        self.head = Head(bytes(32), terms["initialRoot"], terms["initialContent"])
        self.rounds_left = terms["rounds"]
        self.difficulty = terms["difficulty"]
        self.pool = self.paid_in = terms["reward"]

    @property
    def seats(self) -> list[SeatState]:
        """Everybody who was selected."""
        return [*self.trainers, *self.miners]

    @property
    def paid_out(self) -> int:
        """Wei withdrawn so far."""
        return sum(self.withdrawn.values())

    @property
    def burnt_and_sent(self) -> int:
        """Wei that have left for the zero address, which happens when the task closes."""
        return self.burnt if self.state.closed else 0

    @property
    def left(self) -> int:
        """Wei that the contract must still hold."""
        return self.paid_in - self.paid_out - self.burnt_and_sent

    @property
    def accounted(self) -> int:
        """The same by whose money it is: equal to `left` as long as the books add up."""
        seats = sum(seat.earned + seat.deposit for seat in self.seats)
        bids = 0 if self.state != State.BIDDING else sum(book.deposits for book in self.bids.values())
        return self.pool + self.bonds + sum(self.owed.values()) + seats + bids + self.burnt - self.burnt_and_sent

    def withdrawable(self, account: str) -> int:
        """Wei that `account` may take out now."""
        seats = [seat for seat in self.seats if seat.account == account]
        at_stake = sum(seat.deposit for seat in seats) if self.state.closed else 0
        return self.owed[account] + sum(seat.earned for seat in seats) + at_stake

    def post_bond(self, claim: bytes, stake: Stake) -> None:
        """Takes a bond in."""
        bond = self.terms["challengeBond"]
        self.stakes[claim] = stake
        self.paid_in += bond
        self.bonds += bond
        who = self.disputants[stake.challenger]
        who.claims += 1
        who.posted += bond

    def return_bond(self, challenger: str) -> None:
        """Owes a bond back."""
        bond = self.terms["challengeBond"]
        self.bonds -= bond
        self.owed[challenger] += bond
        self.disputants[challenger].returned += bond

    def clear(self, account: str) -> None:
        """Takes the account's money off the books, as a withdrawal does."""
        self.owed[account] = 0
        for seat in self.seats:
            if seat.account == account:
                seat.earned = 0
                if self.state.closed:
                    seat.deposit = 0
