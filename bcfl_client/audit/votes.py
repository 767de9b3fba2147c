"""What the miners' votes of a round come to: its inputs, its truth, who stood for a refuted result, its block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from bcfl_client.audit.state import MinerState, Registry, Result, RoundState
from bcfl_client.chain.digests import result_id
from bcfl_client.fork_choice import Candidate, choose
from bcfl_client.types import Verdict

__all__ = ["carriers", "choose_block", "current_inputs", "guilty_miners", "true_result"]


def current_inputs(r: RoundState, miners: Sequence[MinerState]) -> frozenset[int]:
    """Trainer seats whose updates are, or would now be, the inputs: revealed and not rejected by a strict majority of
    the round's miners. Nobody has a say on its own update."""
    if r.frozen is not None:
        return r.frozen
    rejected = (Verdict.INVALID, Verdict.COPY)
    rejections: Counter[int] = Counter()
    for seat, verdicts in r.verdicts.items():
        own = miners[seat].trainer_seat
        rejections.update(i for i in r.reveals if i != own and verdicts >> 2 * i & 3 in rejected)
    return frozenset(i for i in r.reveals if rejections[i] * 2 <= len(r.miners))


def guilty_miners(r: RoundState) -> frozenset[int]:
    """Miner seats that opened a result which was refuted, or proposed it as a fast block."""
    false = {r.results[seat] for seat in r.refuted}
    return frozenset(r.refuted) | {seat for seat in r.openings if r.results[seat] in false}


def true_result(r: RoundState) -> tuple[Result | None, int]:
    """The result that counts, and its votes: opened by a strict majority of the round's miners; once an opener's was
    refuted, what most of the others opened, of equally many the one with the lowest id."""
    guilty = guilty_miners(r)
    votes = Counter(r.results[seat] for seat in r.openings if seat not in guilty)
    if not votes:
        return None, 0
    result = min(votes, key=lambda one: (-votes[one], result_id(*one)))
    any_refuted = any(seat in r.openings for seat in r.refuted)
    if not any_refuted and votes[result] * 2 <= len(r.miners):
        return None, 0
    return result, votes[result]


def carriers(r: RoundState, result: Result | None) -> frozenset[int]:
    """Seats of the miners whose blocks carry `result`."""
    return frozenset(seat for seat in r.blocks if r.results[seat] == result)


def choose_block(
    rule: int, r: RoundState, miners: Sequence[MinerState], seats: Iterable[int], registry: Registry
) -> int:
    """Fork choice: the seat of the miner whose block becomes the head."""
    candidates = [
        Candidate(seat, r.blocks[seat].order, registry.miner_rank(miners[seat].account), r.blocks[seat].block_hash)
        for seat in seats
    ]
    return choose(rule, candidates).seat
