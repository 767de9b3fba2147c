"""What an audit found, as values that turn into JSON (bytes as 0x-prefixed hex, money in wei) and as text."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = [
    "AuditReport",
    "Difference",
    "DisputantAudit",
    "Findings",
    "ParticipantAudit",
    "RoundAudit",
    "Totals",
    "Unavailable",
    "shown",
]


@dataclass(frozen=True)
class Difference:
    """Something that is not as the rules and the recorded inputs make it."""

    where: str
    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True)
class Unavailable:
    """Bytes that nobody serves any more, so that what depends on them could not be checked."""

    where: str
    what: str
    content_id: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what} is not available: {self.reason}"


@dataclass
class Findings:
    """What has come up so far."""

    differences: list[Difference] = field(default_factory=list)
    unavailable: list[Unavailable] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def expect(self, where: str, what: str, expected: object, found: object) -> bool:
        """Whether the two are the same; a difference if not."""
        if expected == found:
            return True
        self.differences.append(Difference(where, what, shown(expected), shown(found)))
        return False

    def add(self, other: Findings) -> None:
        """Appends all that `other` holds."""
        self.differences += other.differences
        self.unavailable += other.unavailable
        self.notes += other.notes


@dataclass(frozen=True)
class RoundAudit:
    """One round. `accuracy` as the chain holds it and `recomputed_accuracy` from the bytes, in basis points.

    `aggregate`: recomputed (bit for bit), served (its bytes fit their root, but inputs were missing), missing, or
    none in a void round. `scores` is the number of opened scores that were recomputed. `fast`: a block without votes;
    `attempt`: above 0 when it was mined again; `refuted`: seats that stood for a refuted result; `claims` that results
    are false, questions among them; `exposed`: seconds in which anybody could object to the block.
    """

    id: int
    accepted: bool
    inputs: int
    miner: int | None
    block_hash: str
    root: str
    content_id: str
    difficulty: int
    accuracy: int | None
    recomputed_accuracy: int | None
    aggregate: str
    scores: int
    fast: bool
    attempt: int
    refuted: tuple[int, ...]
    claims: int
    exposed: int | None


@dataclass(frozen=True)
class ParticipantAudit:
    """One seat's money over the task so far. `withdrawn` is the account's, in all its roles."""

    role: str
    seat: int
    account: str
    samples: int
    deposit_wei: int
    earned_wei: int
    slashed_wei: int
    withdrawn_wei: int
    paid_rounds: int
    quality: int
    strikes: int


@dataclass(frozen=True)
class DisputantAudit:
    """What disputes brought an account, and cost it: whoever posted a bond, and miners that got a part of lost ones.

    `refutations` are the claims that it has shown; `posted` = `returned` + `lost` + bonds that are still in. `received`
    is its part of bonds that others lost.
    """

    account: str
    claims: int
    refutations: int
    bounties_wei: int
    posted_wei: int
    returned_wei: int
    lost_wei: int
    received_wei: int
    withdrawn_wei: int


@dataclass(frozen=True)
class Totals:
    """Wei over the whole task, bonds included: paid in = paid out + burnt + left. `forced` was sent past the contract's
    rules."""

    paid_in_wei: int
    paid_out_wei: int
    burnt_wei: int
    left_wei: int
    forced_wei: int


@dataclass(frozen=True)
class AuditReport:
    """The verdict on a task at block `block`; `tolerance` in images of the validation set."""

    task: str
    chain_id: int
    factory: str
    block: int
    state: str
    differences: tuple[Difference, ...]
    unavailable: tuple[Unavailable, ...]
    notes: tuple[str, ...]
    rounds: tuple[RoundAudit, ...]
    participants: tuple[ParticipantAudit, ...]
    disputants: tuple[DisputantAudit, ...]
    totals: Totals
    tolerance: int
    seconds: float

    @property
    def ok(self) -> bool:
        """Everything was checked, and everything is right."""
        return not self.differences and not self.unavailable

    @property
    def exit_code(self) -> int:
        """0 when all is right, 1 for a difference, 3 when only bytes were missing."""
        if self.differences:
            return 1
        return 3 if self.unavailable else 0

    @property
    def summary(self) -> str:
        """The whole verdict as lines of text."""
        accepted = sum(one.accepted for one in self.rounds)
        recomputed = sum(one.aggregate == "recomputed" for one in self.rounds if one.accepted)
        scores = sum(one.scores for one in self.rounds)
        money = self.totals
        lines = [
            f"task {self.task} on chain {self.chain_id}, {self.state}, at block {self.block}",
            f"rounds: {len(self.rounds)}, {accepted} with a block, {recomputed} aggregates recomputed bit for bit",
            *self._special(),
            f"scores: {scores} recomputed, within {self.tolerance} images of the validation set",
            f"wei: {money.paid_in_wei} paid in = {money.paid_out_wei} paid out + {money.burnt_wei} burnt "
            f"+ {money.left_wei} left" + (f"; {money.forced_wei} forced on it" if money.forced_wei else ""),
            *(f"note: {note}" for note in self.notes),
            *(f"unavailable: {one}" for one in self.unavailable),
            *(f"DIFFERENCE: {one}" for one in self.differences),
        ]
        return "\n".join([*lines, self._verdict()])

    def _special(self) -> list[str]:
        """What most tasks never have."""
        lines = []
        fast = sum(one.fast for one in self.rounds)
        again = sum(one.accepted and one.attempt > 0 for one in self.rounds)
        if fast or again:
            lines.append(f"blocks: {fast} without a vote, {again} mined again")
        if self.disputants:
            claims, shown_ = (sum(getattr(one, name) for one in self.disputants) for name in ("claims", "refutations"))
            money = (sum(getattr(one, name) for one in self.disputants) for name in ("bounties_wei", "lost_wei"))
            lines.append(
                "disputes: {} claims, {} shown; {} wei of bounties, {} of lost bonds".format(claims, shown_, *money)
            )
        return lines

    def _verdict(self) -> str:
        if self.differences:
            return f"NOT OK: {len(self.differences)} difference(s)"
        if self.unavailable:
            return f"INCOMPLETE: no difference, but {len(self.unavailable)} piece(s) of content are no longer available"
        return "OK"


def shown(value: object) -> str:
    """A value for a line of text."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, (set, frozenset)):
        return "{" + ", ".join(str(item) for item in sorted(value)) + "}"
    return str(value)
