"""`LearningTask.bidAsMiner`: offers to mine for a fee."""

from __future__ import annotations

from typing import Any

import pytest

from ..support import chain
from ..support.errors import reverts
from ..support.events import log, plain
from ..support.kinds import Phase, Role
from ..support.play import Play
from ..support.terms import BASE

DEPOSIT = BASE["minerDeposit"]


def bid(task: Any, who: Any, fee: int = 10_000, value: int = DEPOSIT) -> Any:
    return task.bidAsMiner(fee, {"from": who, "value": value})


# ---------------------------------------------------------------------- reverts


def test_bidding_is_over(play: Play, mia: Any) -> None:
    """No bid is taken at the deadline or later."""
    chain.next_at(play.status["deadline"])
    with reverts("LearningTask_WrongPhase", Phase.SELECT, Phase.BIDDING):
        bid(play.task, mia)


def test_fee_too_high(task: Any, mia: Any) -> None:
    """The highest fee is a term."""
    with reverts("LearningTask_PriceTooHigh", 100_001, 100_000):
        bid(task, mia, fee=100_001)


def test_already_bid(task: Any, mia: Any) -> None:
    """One bid per account and role."""
    bid(task, mia)
    with reverts("LearningTask_AlreadyBid", mia):
        bid(task, mia, fee=1)


@pytest.mark.parametrize("wrong", [-DEPOSIT, -1, 1])
def test_wrong_deposit(task: Any, mia: Any, wrong: int) -> None:
    """The deposit is a term, to the wei."""
    with reverts("LearningTask_WrongDeposit", DEPOSIT + wrong, DEPOSIT):
        bid(task, mia, value=DEPOSIT + wrong)


def test_outbid(publish: Any, mia: Any, nick: Any, olga: Any) -> None:
    """With all slots taken by better bids there is no place; of equal ones the earlier stays."""
    task = publish(minerSlots=2).task
    bid(task, mia, fee=10_000)
    bid(task, nick, fee=20_000)
    with reverts("LearningTask_Outbid"):
        bid(task, olga, fee=19_001)


# ---------------------------------------------------------------------- successes


@pytest.mark.parametrize("fee", [0, 100_000])
def test_bid(task: Any, mia: Any, fee: int) -> None:
    """A bid is stored with its deposit, which stays in the task."""
    tx = bid(task, mia, fee=fee)
    assert log(tx, "BidPlaced") == {
        "role": Role.MINER,
        "account": mia,
        "price": fee,
        "samples": 0,
        "trainingTime": 0,
        "deposit": DEPOSIT,
    }
    assert plain(task.bidOf(Role.MINER, mia)) == (DEPOSIT, fee, 0, 0, 0)
    assert task.bidCount(Role.MINER) == 1
    assert task.balance() == BASE["reward"] + DEPOSIT


def test_displaces_the_worst(publish: Any, mia: Any, nick: Any, olga: Any) -> None:
    """A better bid takes the place of the worst; its deposit is owed at once."""
    task = publish(minerSlots=2).task
    bid(task, mia, fee=10_000)
    bid(task, nick, fee=30_000)
    tx = bid(task, olga, fee=20_000)
    assert log(tx, "BidDisplaced") == {"role": Role.MINER, "account": nick, "deposit": DEPOSIT}
    assert task.withdrawable(nick) == DEPOSIT
    assert task.bidCount(Role.MINER) == 2


def test_reputation_decides_within_a_price(
    publish: Any, reputation: Any, accounts: Any, mia: Any, nick: Any, olga: Any
) -> None:
    """At the same price a miner with a record wins over the earlier bid of an unknown one."""
    task = publish(minerSlots=2).task
    writer = accounts.at(task.address, force=True)
    chain.send(writer, reputation.recordRound, [(str(olga), True, 1, 1)])
    bid(task, mia)
    bid(task, nick)
    assert log(bid(task, olga), "BidDisplaced")["account"] == nick


def test_no_fee_at_all(publish: Any, mia: Any) -> None:
    """A task may pay its miners nothing."""
    task = publish(maxFee=0).task
    bid(task, mia, fee=0)
    assert task.bidCount(Role.MINER) == 1
