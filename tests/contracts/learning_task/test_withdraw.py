"""`LearningTask.withdraw`: money is pulled, by anybody, for its owner only."""

from __future__ import annotations

from typing import Any

import pytest

from ..support import chain
from ..support.errors import reverts
from ..support.events import log
from ..support.kinds import Phase
from ..support.play import Play
from ..support.terms import BASE

REFUSES = "0x60006000fd"  # code that reverts whatever it is sent


@pytest.fixture(scope="module")
def play(module_isolation: None, publish: Any) -> Play:
    """One round is over, two are left."""
    play = publish().until(Phase.COMMIT)
    play.play_round()
    return play


@pytest.fixture
def finished(fn_isolation: None, play: Play) -> Play:
    """All rounds are over."""
    play.play_round()
    play.play_round()
    return play


# ---------------------------------------------------------------------- reverts


def test_stranger(task: Any, eve: Any) -> None:
    with reverts("LearningTask_NothingOwed", eve):
        task.withdraw(eve, {"from": eve})


def test_publisher_while_it_runs(task: Any, publisher: Any) -> None:
    """The reward is not the publisher's any more."""
    with reverts("LearningTask_NothingOwed", publisher):
        task.withdraw(publisher, {"from": publisher})


@pytest.mark.parametrize("who", ["alice", "mia"])
def test_deposit_at_stake(request: pytest.FixtureRequest, task: Any, who: str) -> None:
    """A deposit stays until the task is over; what was earned does not."""
    account = request.getfixturevalue(who)
    task.withdraw(account, {"from": account})
    with reverts("LearningTask_NotFinal", account):
        task.withdraw(account, {"from": account})


@pytest.mark.parametrize("role", ["trainer", "miner"])
def test_deposit_while_bidding(publish: Any, alice: Any, role: str) -> None:
    """A bid stands until it is outbid or the task is over."""
    play = publish()
    play.bid_as_trainer(alice, 100, 1) if role == "trainer" else play.bid_as_miner(alice, 1)
    with reverts("LearningTask_NotFinal", alice):
        play.task.withdraw(alice, {"from": alice})


def test_money_without_a_call(task: Any, eve: Any) -> None:
    """What comes by itself could never leave: it is not taken."""
    with reverts("LearningTask_UnexpectedPayment", eve, 1):
        eve.transfer(task.address, 1)


def test_twice(finished: Play, alice: Any) -> None:
    finished.task.withdraw(alice, {"from": alice})
    with reverts("LearningTask_NothingOwed", alice):
        finished.task.withdraw(alice, {"from": alice})


def test_receiver_refuses(finished: Play, alice: Any, bob: Any, eve: Any) -> None:
    """A receiver that refuses spoils its own claim only, and keeps it."""
    chain.rpc("anvil_setCode", alice.address, REFUSES)
    owed = finished.task.withdrawable(alice)
    with reverts("LearningTask_TransferFailed", alice):
        finished.task.withdraw(alice, {"from": eve})
    assert finished.task.withdrawable(alice) == owed
    finished.task.withdraw(bob, {"from": eve})


# ---------------------------------------------------------------------- successes


def test_pay_while_it_runs(play: Play, alice: Any) -> None:
    """What a round has paid is there at once; the deposit stays."""
    earned, before = play.task.trainer(0)["earned"], alice.balance()
    tx = play.task.withdraw(alice, {"from": alice})
    assert log(tx, "Withdrawn") == {"account": alice, "amount": earned}
    assert tx.return_value == earned > 0
    assert alice.balance() == before + earned
    trainer = play.task.trainer(0)
    assert (trainer["earned"], trainer["deposit"]) == (0, 10_000)


def test_for_another(play: Play, mia: Any, eve: Any) -> None:
    """Anybody may call; the money goes to its owner."""
    owed = play.task.withdrawable(mia)
    before = mia.balance(), eve.balance()
    play.task.withdraw(mia, {"from": eve})
    assert (mia.balance(), eve.balance()) == (before[0] + owed, before[1])


def test_deposit_after_the_end(finished: Play, olga: Any) -> None:
    """After the task deposit and pay come together."""
    miner = finished.task.miner(2)
    owed = finished.task.withdrawable(olga)
    assert owed == miner["earned"] + 40_000
    finished.task.withdraw(olga, {"from": olga})
    miner = finished.task.miner(2)
    assert (miner["earned"], miner["deposit"]) == (0, 0)


def test_nothing_is_left(finished: Play, publisher: Any) -> None:
    """When all have withdrawn the task is empty: the rest is the publisher's."""
    task = finished.task
    people = [publisher, *finished.trainers, *finished.miners]
    paid_in = BASE["reward"] + 60_000 + 120_000
    assert sum(task.withdrawable(who) for who in people) == paid_in
    for who in people:
        task.withdraw(who, {"from": who})
    assert task.balance() == task.burnt() == 0


def test_both_roles(publish: Any, alice: Any, bob: Any, mia: Any) -> None:
    """One claim pays what an account has as a trainer and as a miner."""
    play = publish(rounds=1)
    play.miners = [mia, alice, bob]
    play.until(Phase.CLOSED)
    trainer, miner = play.task.trainer(0), play.task.miner(1)
    before = alice.balance()
    play.task.withdraw(alice, {"from": alice})
    assert alice.balance() == before + trainer["earned"] + trainer["deposit"] + miner["earned"] + miner["deposit"]
    assert play.task.withdrawable(alice) == 0


def test_forced_ether_changes_nothing(play: Play, eve: Any, alice: Any) -> None:
    """The task counts what it was given, not what it holds."""
    owed = play.task.withdrawable(alice)
    chain.rpc("anvil_setBalance", play.task.address, hex(play.task.balance() + 10**18))
    assert play.task.withdrawable(alice) == owed
    with reverts("LearningTask_NothingOwed", eve):
        play.task.withdraw(eve, {"from": eve})
