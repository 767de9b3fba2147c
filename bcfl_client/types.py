"""Values that cross module borders: what the contracts know, in Python.

Money is in wei, windows and deadlines in seconds, shares in basis points, scores and qualities of 65,535.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

__all__ = [
    "MAX_SCORE",
    "Event",
    "Fault",
    "Head",
    "Opening",
    "Phase",
    "Role",
    "Round",
    "SignedCommit",
    "Stage",
    "State",
    "Status",
    "UpdateOpening",
    "Verdict",
    "bits",
    "pack_scores",
    "pack_verdicts",
    "unpack_scores",
]

MAX_SCORE = 65_535
_SCORES_PER_WORD = 16


class Role(IntEnum):
    """Who somebody is in a task."""

    TRAINER = 0
    MINER = 1


class State(IntEnum):
    """What a task is at."""

    NONE = 0
    BIDDING = 1
    RUNNING = 2
    COMPLETED = 3
    ABORTED = 4

    @property
    def closed(self) -> bool:
        """Whether only withdrawals are left."""
        return self in (State.COMPLETED, State.ABORTED)


class Phase(IntEnum):
    """What may happen now."""

    CLOSED = 0
    BIDDING = 1
    SELECT = 2
    COMMIT = 3
    REVEAL = 4
    CHECK = 5
    SEAL = 6
    MINE = 7
    OPEN = 8
    CHALLENGE = 9
    FINALISE = 10


class Stage(IntEnum):
    """How far a trainer came in its last round."""

    NONE = 0
    COMMITTED = 1
    REVEALED = 2


class Fault(IntEnum):
    """Why a deposit was cut."""

    NOT_REVEALED = 0
    NOT_SEALED = 1
    NOT_OPENED = 2
    REJECTED = 3
    LOW_SCORE = 4
    OUTVOTED = 5
    PROVEN_WRONG = 6


class Verdict(IntEnum):
    """A miner's opinion on an update, as `check` takes it."""

    NONE = 0
    OK = 1
    INVALID = 2  # unavailable, not of the right length or root, or farther from the global model than allowed
    COPY = 3  # a copy, or no training at all


@dataclass(frozen=True)
class UpdateOpening:
    """What a trainer committed to: root, content digest, samples, training time in ms, salt."""

    root: bytes
    content_digest: bytes
    samples: int
    training_time: int
    salt: bytes

    @property
    def values(self) -> tuple[bytes, bytes, int, int, bytes]:
        """In the contract's order."""
        return self.root, self.content_digest, self.samples, self.training_time, self.salt


@dataclass(frozen=True)
class SignedCommit:
    """A commitment with its trainer's signature (EIP-712), in the compact form of EIP-2098."""

    digest: bytes
    r: bytes
    vs: bytes


@dataclass(frozen=True)
class Head:
    """The newest accepted block of the model chain; `block_hash` is zero before the first."""

    block_hash: bytes
    root: bytes
    content_digest: bytes


@dataclass(frozen=True)
class Round:
    """The running round, as the contract stores it; marks are Unix seconds, 0 = not yet or by the clock.

    Spans are 1 + seconds from the start, `revealed` and `inputs` bitmaps by trainer seat, `active_miners` to
    `openers` and `refuted` by miner seat; `fast` is 1 + the seat whose fast block stands, in block `fast_block`.
    """

    revealed: int
    id: int
    start: int
    commit_span: int
    reveal_span: int
    active_trainers: int
    commits: int
    reveals: int
    running: bool
    check_closed: int
    seal_closed: int
    first_proposal: int
    mine_closed: int
    open_closed: int
    active_miners: int
    checkers: int
    sealers: int
    proposers: int
    openers: int
    attempt: int
    accord: int  # 0 = unknown, 1 = a majority opened what a block carries, 2 = everybody
    inputs: int
    input_count: int
    fast: int
    refuted: int
    window_from: int
    last_dispute: int
    fast_block: int


@dataclass(frozen=True)
class Status:
    """Everything a client polls. `deadline` is 0 where time does not end the phase; a block proposed now belongs to
    mining attempt `attempt`."""

    state: State
    phase: Phase
    deadline: int
    attempt: int
    rounds_left: int
    void_rounds: int
    difficulty: int
    seals_digest: bytes
    round: Round
    head: Head


@dataclass(frozen=True)
class Opening:
    """What a miner seals: its aggregate and its scores, sixteen 16-bit scores to a word."""

    root: bytes
    content_digest: bytes
    accuracy: int
    scores: tuple[int, ...]
    salt: bytes

    def __post_init__(self) -> None:
        if not (len(self.root) == len(self.content_digest) == len(self.salt) == 32):
            raise ValueError("root, content digest and salt have 32 bytes each")


@dataclass(frozen=True)
class Event:
    """One decoded log. `args` by the names in the contract."""

    name: str
    args: dict[str, object]
    address: str
    block: int
    log_index: int
    transaction: str


def bits(bitmap: int) -> list[int]:
    """Positions of the ones in `bitmap`, ascending."""
    return [i for i in range(bitmap.bit_length()) if bitmap >> i & 1]


def pack_scores(scores: dict[int, int], trainers: int) -> tuple[int, ...]:
    """Words that hold the 16-bit scores by trainer seat, zero where there is none."""
    words = [0] * ((trainers + _SCORES_PER_WORD - 1) // _SCORES_PER_WORD)
    for seat, score in scores.items():
        if not 0 <= score <= MAX_SCORE:
            raise ValueError(f"score {score} of seat {seat} does not fit 16 bits")
        words[seat // _SCORES_PER_WORD] |= score << (16 * (seat % _SCORES_PER_WORD))
    return tuple(words)


def unpack_scores(words: tuple[int, ...] | list[int], trainers: int) -> list[int]:
    """Scores by trainer seat."""
    return [words[i // _SCORES_PER_WORD] >> (16 * (i % _SCORES_PER_WORD)) & MAX_SCORE for i in range(trainers)]


def pack_verdicts(verdicts: dict[int, Verdict]) -> int:
    """The word that `check` takes: two bits per trainer seat from the low end."""
    return sum(int(verdict) << (2 * seat) for seat, verdict in verdicts.items())
