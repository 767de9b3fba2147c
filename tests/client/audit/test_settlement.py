"""The auditor's rules alone: numbers worked out on paper, and properties that hold for all rounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcfl_client.audit.answers import answer_length, fold, parts_to_nodes
from bcfl_client.audit.closing import start_round
from bcfl_client.audit.phases import is_drawn
from bcfl_client.audit.selection import Bid, BidBook, choose_trainers
from bcfl_client.audit.settlement import finalise, retarget, share_fee
from bcfl_client.audit.state import (
    Accusation,
    Block,
    Expected,
    FastBlock,
    MinerState,
    Moment,
    Registry,
    Reveal,
    RoundState,
    Stake,
    TaskState,
    TrainerState,
)
from bcfl_client.audit.votes import current_inputs, guilty_miners, true_result
from bcfl_client.chain.digests import result_id
from bcfl_client.disputes import answer_parts
from bcfl_client.learning.tree import ParameterTree
from bcfl_client.scoring.pay import Claim, share_budget
from bcfl_client.scoring.quality import learn
from bcfl_client.types import Opening, State, pack_scores

from .world import BASE

TERMS = {**BASE, "initialRoot": bytes(32), "initialContent": bytes(32)}
TRUTH, LIE = (b"\1" * 32, b"\2" * 32), (b"\3" * 32, b"\4" * 32)


def test_a_round_on_paper() -> None:
    """A budget of 1,000 wei, prices of 300 and 100, weights 3 : 1 : 2, one of them denied: shares are rounded down and
    the denied one's does not go to the others."""
    claims = {0: Claim(300, 3), 1: Claim(100, 1), 2: Claim(100, 2, denied=True)}
    assert share_budget(1000, claims) == {0: 300 + 250, 1: 100 + 83, 2: 100 + 166}
    assert share_budget(1000, {0: Claim(300, 0)}) == {0: 300}
    assert share_fee(101, 2, [0, 1, 2]) == {0: 17, 1: 17, 2: 67}
    assert share_fee(7, 0, [0]) == {0: 7}


@pytest.mark.parametrize(
    ("quality", "score", "after"),
    [(32_768, 65_535, 36_863), (32_768, 0, 16_384), (7, 14, 7), (1, 0, 1), (0, 65_535, 8191), (500, 500, 500)],
)
def test_quality_falls_fast_and_recovers_slowly(quality: int, score: int, after: int) -> None:
    """Half of the way down, an eighth up, rounded towards where it was."""
    assert learn(quality, score) == after


@pytest.mark.parametrize(
    ("difficulty", "actual", "wanted", "after"),
    [(100, 5, 0, 100), (100, 10, 20, 200), (100, 0, 20, 400), (100, 1000, 1, 25), (1, 100, 1, 1), (2**64, 1, 4, 2**64)],
)
def test_difficulty_follows_the_wanted_time(difficulty: int, actual: int, wanted: int, after: int) -> None:
    """Fixed without a wanted time; otherwise proportional, by a factor of four at most, within the bounds."""
    assert retarget(difficulty, actual, wanted) == after


def test_ranking_and_displacement_on_paper() -> None:
    """One per cent of the highest price, rounded up, is one bucket; within it reputation, offer and arrival decide."""
    book = BidBook(3, 1000)
    bids = {
        name: Bid(name, price, samples, 1) for name, price, samples in (("a", 110, 5), ("b", 101, 5), ("c", 101, 9))
    }
    for arrival, (name, rank) in enumerate((("a", 7), ("b", 0), ("c", 0)), 1):
        assert book.place(bids[name], rank, arrival) is None
    assert [bid.account for bid in book.ranked()] == ["a", "c", "b"]
    assert book.place(Bid("d", 110, 5, 1), 0, 4) == Bid("d", 110, 5, 1)  # the same as b, but later
    assert book.place(Bid("e", 100, 1, 1), 0, 5) == bids["b"]


def test_the_walk_skips_what_the_budget_cannot_cover() -> None:
    """The second is too dear, the third fits; the cap is three times the lower median of who is in."""
    ranked = [Bid("a", 1, 10, 1), Bid("b", 50, 100, 1), Bid("c", 2, 400, 1)]
    taken, cap = choose_trainers(ranked, 100)
    assert ([bid.account for bid in taken], cap) == (["a", "c"], 30)


def _opened(results: dict[int, tuple[bytes, bytes]], refuted: dict[int, Accusation]) -> RoundState:
    r = RoundState(1, 0, frozenset(), frozenset(range(5)), refuted=refuted, results=results)
    r.openings = {seat: Opening(*one, 0, (), bytes(32)) for seat, one in results.items()}
    return r


def test_the_truth_on_paper() -> None:
    """A strict majority of all; after a refutation the plurality of the rest, of equally many the lowest id."""
    other = (b"\5" * 32, b"\6" * 32)
    accused = {0: Accusation("w", 1)}
    split = {0: TRUTH, 1: TRUTH, 2: LIE, 3: LIE}
    assert true_result(_opened(split, {})) == (None, 0)
    assert true_result(_opened(split | {4: LIE}, {})) == (LIE, 3)
    assert true_result(_opened(split, accused)) == (LIE, 2)
    assert guilty_miners(_opened(split, accused)) == {0, 1}
    lowest = min(LIE, other, key=lambda one: result_id(*one))
    assert true_result(_opened({0: TRUTH, 2: LIE, 3: other}, accused)) == (lowest, 1)
    assert true_result(_opened({0: TRUTH, 1: TRUTH}, accused)) == (None, 0)


def test_one_block_in_eight_is_drawn() -> None:
    """By the hash as a number; without the hash nobody knows."""
    assert [is_drawn((8 * n + i).to_bytes(32, "big")) for n, i in ((0, 0), (3, 0), (3, 1), (9, 7))] == [
        True, True, False, False,
    ]  # fmt: skip
    assert is_drawn(None) is None


@pytest.mark.parametrize("parameters", [1, 33, 41_803, 2**17 + 5])
def test_answers_make_up_their_nodes(parameters: int) -> None:
    """Leaves and nodes of every height and shape, odd ends included, against the whole tree."""
    tree = ParameterTree(np.arange(parameters, dtype=np.int32))
    for height in range(tree.height + 1):
        for index in {0, (-(-parameters // 32) - 1) >> height}:
            parts = answer_parts(tree, height, index)
            assert len(parts) == answer_length(parameters, height, index)
            assert fold(parts_to_nodes(height, parts)) == tree.node(height, index)


# ------------------------------------------------------------------ properties


@st.composite
def _rounds(draw: st.DrawFn) -> TaskState:
    """A task in a round that is ready to be finalised, whoever did whatever in it."""
    terms = TERMS | {
        "rounds": draw(st.integers(1, 5)),
        "penalty": draw(st.integers(0, 2000)),
        "slashShare": draw(st.integers(1000, 10_000)),
        "payScore": draw(st.integers(0, 10_000)),
        "earlyBonus": draw(st.integers(0, 10_000)),
        "targetAccuracy": draw(st.sampled_from([0, 5000])),
        "minUpdates": draw(st.integers(1, 3)),
        "maxStrikes": draw(st.integers(1, 3)),
    }
    trainers = draw(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 100)), min_size=1, max_size=6))
    fees = draw(st.lists(st.integers(0, 1000), min_size=1, max_size=5))
    floor = sum(price * cap for price, cap in trainers)
    terms["reward"] = terms["rounds"] * (floor + max(fees) + draw(st.integers(0, 10_000)))
    task = TaskState(terms, "publisher", 0, state=State.RUNNING, highest_fee=max(fees))
    task.reached_target = draw(st.booleans())
    for i, (price, cap) in enumerate(trainers):
        deposit = draw(st.integers(1, 5000))
        quality = draw(st.integers(0, 65_535))
        who = TrainerState(account=f"t{i}", original=deposit, deposit=deposit, price=price, cap=cap, quality=quality)
        task.trainers.append(who)
    for i, fee in enumerate(fees):
        own = draw(st.sampled_from([None, 0]))
        task.miners.append(MinerState(account=f"m{i}", original=4000, deposit=4000, fee=fee, trainer_seat=own))
    task.paid_in += sum(seat.deposit for seat in task.seats)
    start_round(task, Moment(100, 1))
    _act(task, draw)
    _dispute(task, draw)
    return task


def _act(task: TaskState, draw: st.DrawFn) -> None:
    r = task.round
    assert r is not None
    for seat in range(len(task.trainers)):
        stage = draw(st.sampled_from([0, 1, 2, 2, 2]))
        if stage:
            r.commits[seat] = bytes(32)
        if stage == 2:
            r.reveals[seat] = Reveal(bytes(32), bytes(32), draw(st.integers(0, 200)))
    if len(r.reveals) < task.terms["minUpdates"]:
        return
    for seat in range(len(task.miners)):
        if draw(st.booleans()):
            r.verdicts[seat] = draw(st.integers(0, 4 ** len(task.trainers) - 1))
    if len(current_inputs(r, task.miners)) < task.terms["minUpdates"]:
        return
    for seat in range(len(task.miners)):
        if draw(st.sampled_from([True, True, False])):
            r.seals[seat] = bytes(32)
    for seat in r.seals:
        if not draw(st.sampled_from([True, True, True, False])):
            continue
        root, content = draw(st.sampled_from([TRUTH, TRUTH, LIE]))
        scores = {i: draw(st.integers(0, 65_535)) for i in range(len(task.trainers))}
        words = pack_scores(scores, len(task.trainers))
        r.openings[seat] = Opening(root, content, draw(st.integers(0, 10_000)), words, bytes(32))
        r.results[seat] = (root, content)
        if r.first_block is None or draw(st.booleans()):
            r.blocks[seat] = Block(bytes([seat + 1]) * 32, len(r.blocks) + 1, 0, Moment(4200, 5))
            r.first_block, r.seal_closed = 4200, 4000


def _dispute(task: TaskState, draw: st.DrawFn) -> None:
    """Bonds against whatever is known; some claims are shown. Or a fast block instead of all votes."""
    r = task.round
    assert r is not None
    if r.verdicts and not r.seals and draw(st.booleans()):
        r.results[0], r.frozen = TRUTH, current_inputs(r, task.miners)
        r.fast = FastBlock(0, b"\7" * 32, 5000, Moment(4200, 5), False)
    known = [*r.openings, *([0] if r.fast is not None else [])]
    for number in range(draw(st.integers(0, 4)) if known else 0):
        seat = draw(st.sampled_from(known))
        task.post_bond(bytes([number]) * 32, Stake(f"w{number % 3}", 10 + number, r.id, seat))
        if r.fast is None and draw(st.booleans()):
            stake = task.stakes.pop(bytes([number]) * 32)
            if seat in r.refuted:
                task.return_bond(stake.challenger)
            else:
                r.refuted[seat] = Accusation(stake.challenger, stake.block)


@settings(max_examples=400, deadline=None)
@given(_rounds())
def test_money_is_conserved(task: TaskState) -> None:
    """No wei appears or vanishes, no deposit goes below zero, what is taken is burnt or a bounty, and all rounds to
    come stay covered; a miner is paid for blocks only, a trainer for inputs only."""
    pool, burnt, left_rounds, bonds = task.pool, task.burnt, task.rounds_left, task.bonds
    outcome, events = finalise(task, Registry(), Moment(9000, 99))
    assert task.left == task.accounted
    assert all(seat.deposit >= 0 and seat.earned >= 0 for seat in task.seats)
    assert all(seat.original - seat.deposit == seat.slashed for seat in task.seats)
    bounties = sum(one.bounties for one in task.disputants.values())
    received = sum(one.received for one in task.disputants.values())
    lost = sum(one.lost for one in task.disputants.values())
    forfeited = _sum(events, "Forfeited")
    assert _sum(events, "BondsLost") == lost <= bonds
    to_pool = 0 if outcome.truth is not None else sum(amount // 2 for amount in _amounts(events, "BondsLost"))
    slashed = sum(seat.slashed for seat in task.seats)
    assert task.burnt - burnt == slashed - bounties + forfeited + lost - received - to_pool
    paid = _sum(events, "Paid")
    if task.state == State.RUNNING:
        assert task.pool == pool - paid - forfeited + to_pool
        assert task.pool >= task.rounds_left * (task.highest_fee + sum(t.price * t.cap for t in task.trainers))
        assert paid + forfeited <= pool // left_rounds + task.highest_fee
    assert outcome.truth is not None or not any(miner.earned for miner in task.miners)
    assert all(seat in outcome.inputs for seat, one in enumerate(task.trainers) if one.earned)


@settings(max_examples=200, deadline=None)
@given(_rounds())
def test_who_stood_for_a_refuted_result_gains_nothing(task: TaskState) -> None:
    """It loses all that is left of its deposit, earns nothing and is out; its result is not the truth. Bonds are with
    their owners again, lost, or can be had back."""
    r = task.round
    assert r is not None
    guilty, (truth, _) = guilty_miners(r), true_result(r)
    earned = [task.miners[seat].earned for seat in guilty]
    finalise(task, Registry(), Moment(9000, 99))
    assert all(r.results[seat] != truth for seat in guilty)
    for seat, before in zip(guilty, earned):
        one = task.miners[seat]
        assert (one.deposit, one.earned, one.proven_round) == (0, before, r.id)
        assert one.strikes >= task.terms["maxStrikes"]
    assert all(stake.seat in guilty for stake in task.stakes.values())
    assert task.bonds == len(task.stakes) * task.terms["challengeBond"]
    assert all(one.posted >= one.returned + one.lost for one in task.disputants.values())


def _amounts(events: list[Expected], name: str) -> list[int]:
    return [int(str(one.args["amount"])) for one in events if one.name == name]


def _sum(events: list[Expected], name: str) -> int:
    return sum(_amounts(events, name))
