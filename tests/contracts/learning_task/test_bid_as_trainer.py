"""`LearningTask.bidAsTrainer`: offers of samples at a price."""

from __future__ import annotations

from typing import Any

import pytest

from ..support import chain
from ..support.errors import reverts
from ..support.events import log, plain
from ..support.kinds import Phase, Role
from ..support.play import Play
from ..support.terms import BASE

RATE = BASE["trainerDeposit"]  # wei per sample
LONGEST = BASE["maxTrainingTime"] * 10**6  # microseconds


def bid(task: Any, who: Any, samples: int = 100, price: int = 500, time: int = 100, value: int | None = None) -> Any:
    deposit = samples * RATE if value is None else value
    return task.bidAsTrainer(samples, price, time, {"from": who, "value": deposit})


# ---------------------------------------------------------------------- reverts


def test_bidding_is_over(play: Play, alice: Any) -> None:
    """No bid is taken at the deadline or later."""
    chain.mine_at(play.status["deadline"] - 1)
    assert play.phase == Phase.BIDDING
    chain.next_at(play.status["deadline"])
    with reverts("LearningTask_WrongPhase", Phase.SELECT, Phase.BIDDING):
        bid(play.task, alice)


def test_too_few_samples(task: Any, alice: Any) -> None:
    """The least offer is a term."""
    with reverts("LearningTask_TooFewSamples", 9, 10):
        bid(task, alice, samples=9)


def test_price_too_high(task: Any, alice: Any) -> None:
    """So is the highest price."""
    with reverts("LearningTask_PriceTooHigh", 1001, 1000):
        bid(task, alice, price=1001)


def test_too_slow(task: Any, alice: Any) -> None:
    """All offered samples must be trained in time."""
    with reverts("LearningTask_TooSlow", LONGEST + 100, LONGEST):
        bid(task, alice, samples=100, time=LONGEST // 100 + 1)


def test_already_bid(task: Any, alice: Any) -> None:
    """One bid per account and role."""
    bid(task, alice)
    with reverts("LearningTask_AlreadyBid", alice):
        bid(task, alice, price=1)


@pytest.mark.parametrize("wrong", [-1, 1])
def test_wrong_deposit(task: Any, alice: Any, wrong: int) -> None:
    """The deposit is the rate times the samples, to the wei."""
    with reverts("LearningTask_WrongDeposit", 100 * RATE + wrong, 100 * RATE):
        bid(task, alice, value=100 * RATE + wrong)


def test_outbid(publish: Any, alice: Any, bob: Any, carol: Any) -> None:
    """With all slots taken by better bids there is no place."""
    task = publish(trainerSlots=2).task
    bid(task, alice, price=100)
    bid(task, bob, price=200)
    with reverts("LearningTask_Outbid"):
        bid(task, carol, price=300)


def test_same_rank_comes_too_late(publish: Any, alice: Any, bob: Any, carol: Any) -> None:
    """Of equal bids the earlier one stays, and a price of a wei less is equal: no race of undercutting."""
    task = publish(trainerSlots=2, maxPrice=1000).task
    bid(task, alice, price=209)
    bid(task, bob, price=209)
    with reverts("LearningTask_Outbid"):
        bid(task, carol, price=208)


# ---------------------------------------------------------------------- successes


def test_bid(task: Any, alice: Any) -> None:
    """A bid is stored with its deposit, which stays in the task."""
    tx = bid(task, alice, samples=120, price=500, time=77)
    assert log(tx, "BidPlaced") == {
        "role": Role.TRAINER,
        "account": alice,
        "price": 500,
        "samples": 120,
        "trainingTime": 77,
        "deposit": 120 * RATE,
    }
    assert plain(task.bidOf(Role.TRAINER, alice)) == (120 * RATE, 500, 120, 77, 0)
    assert task.bidCount(Role.TRAINER) == 1
    assert task.balance() == BASE["reward"] + 120 * RATE
    assert task.withdrawable(alice) == 0


def test_bid_at_the_limits(task: Any, alice: Any) -> None:
    """The least samples, the highest price and the longest time are allowed."""
    bid(task, alice, samples=10, price=1000, time=LONGEST // 10)
    assert task.bidCount(Role.TRAINER) == 1


def test_displaces_the_worst(publish: Any, alice: Any, bob: Any, carol: Any) -> None:
    """A better bid takes the place of the worst; its deposit is owed at once, and it may bid again."""
    task = publish(trainerSlots=2).task
    bid(task, alice, price=100)
    bid(task, bob, price=300)
    tx = bid(task, carol, price=200)
    assert log(tx, "BidDisplaced") == {"role": Role.TRAINER, "account": bob, "deposit": 100 * RATE}
    assert plain(task.bidOf(Role.TRAINER, bob)) == (0, 0, 0, 0, 0)
    assert task.withdrawable(bob) == 100 * RATE
    assert task.bidCount(Role.TRAINER) == 2

    tx = bid(task, bob, price=99)
    assert log(tx, "BidDisplaced")["account"] == carol


def test_larger_offer_ranks_first(publish: Any, alice: Any, bob: Any, carol: Any) -> None:
    """At the same price more samples win."""
    task = publish(trainerSlots=2).task
    bid(task, alice, samples=100)
    bid(task, bob, samples=200)
    assert log(bid(task, carol, samples=101), "BidDisplaced")["account"] == alice


def test_reputation_ranks_before_offer(
    publish: Any, reputation: Any, accounts: Any, alice: Any, bob: Any, carol: Any
) -> None:
    """At the same price a known good trainer wins over a larger offer."""
    play = publish(trainerSlots=2)
    writer = accounts.at(play.task.address, force=True)
    chain.send(writer, reputation.recordTrainers, [str(carol)], [1000])
    bid(play.task, alice, samples=300)
    bid(play.task, bob, samples=200)
    assert log(bid(play.task, carol, samples=10), "BidDisplaced")["account"] == bob


def test_trainer_may_mine_too(play: Play, alice: Any) -> None:
    """The two roles have bids of their own."""
    bid(play.task, alice)
    play.bid_as_miner(alice, 10_000)
    assert play.task.bidCount(Role.TRAINER) == play.task.bidCount(Role.MINER) == 1


def test_full_task_closes(publish: Any, alice: Any, bob: Any, mia: Any) -> None:
    """With `closeWhenFull` the last slot taken ends Bidding."""
    play = publish(closeWhenFull=True, trainerSlots=2, minerSlots=1, minMiners=1)
    bid(play.task, alice)
    play.bid_as_miner(mia, 1)
    assert play.phase == Phase.BIDDING
    bid(play.task, bob)
    assert play.phase == Phase.SELECT
