"""A finished round as the replay leaves it, for whoever looks into its bytes."""

from __future__ import annotations

from dataclasses import dataclass

from bcfl_client.aggregation import update_weight
from bcfl_client.audit.settlement import Outcome
from bcfl_client.audit.state import Moment, Refutation, Result, RoundState, TaskState
from bcfl_client.types import Opening, unpack_scores

__all__ = ["Before", "Input", "PlayedRound", "Vote", "played_round"]


@dataclass(frozen=True)
class Input:
    """An update that went into a round's aggregate, with its weight and the trainer's seat and account."""

    seat: int
    account: str
    root: bytes
    content_digest: bytes
    weight: int


@dataclass(frozen=True)
class Vote:
    """A miner's opened seal. `trainer_seat` is its own seat as a trainer, which it has no say on."""

    seat: int
    account: str
    trainer_seat: int | None
    opening: Opening
    scores: tuple[int, ...]  # by trainer seat


@dataclass(frozen=True)
class Before:
    """What the end of a round changes, as it was: the head's root and content digest, difficulty, qualities by seat."""

    head: Result
    difficulty: int
    qualities: tuple[int, ...]

    @classmethod
    def of(cls, task: TaskState) -> Before:
        """As it is now."""
        head = task.head.root, task.head.content_digest
        return cls(head, task.difficulty, tuple(trainer.quality for trainer in task.trainers))


@dataclass(frozen=True)
class PlayedRound:
    """`start` is the model that the round trained from, root and content digest; `miners` are all accounts by seat;
    `attempt` is that of the winning block, which others could object to for `exposed` seconds before the round was
    finalised."""

    id: int
    start: Result
    outcome: Outcome
    inputs: tuple[Input, ...]
    votes: tuple[Vote, ...]
    block_hash: bytes
    difficulty: int
    miners: tuple[str, ...]
    refutations: tuple[Refutation, ...]
    claims: int
    attempt: int
    exposed: int | None


def played_round(task: TaskState, r: RoundState, outcome: Outcome, before: Before, moment: Moment) -> PlayedRound:
    """The round `r`, finalised at `moment`."""
    inputs = [
        Input(
            seat,
            task.trainers[seat].account,
            r.reveals[seat].root,
            r.reveals[seat].content_digest,
            update_weight(min(r.reveals[seat].samples, task.trainers[seat].cap), before.qualities[seat]),
        )
        for seat in sorted(outcome.inputs)
    ]
    votes = []
    for seat, opening in sorted(r.openings.items()):
        scores = tuple(unpack_scores(opening.scores, len(task.trainers)))
        votes.append(Vote(seat, task.miners[seat].account, task.miners[seat].trainer_seat, opening, scores))
    block_hash, attempt, exposed = bytes(32), 0, None
    if outcome.fast and r.fast is not None:
        block_hash, exposed = r.fast.block_hash, moment.second - r.fast.proposed.second
    elif outcome.winner is not None:
        block = r.blocks[outcome.winner]
        block_hash, attempt, exposed = block.block_hash, block.attempt, moment.second - block.proposed.second
    return PlayedRound(
        id=r.id,
        start=before.head,
        outcome=outcome,
        inputs=tuple(inputs),
        votes=tuple(votes),
        block_hash=block_hash,
        difficulty=before.difficulty,
        miners=tuple(miner.account for miner in task.miners),
        refutations=tuple(r.refutations),
        claims=r.claims,
        attempt=attempt,
        exposed=exposed,
    )
