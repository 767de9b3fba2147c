"""`LearningTask.select`: from bids to seats, within the budget."""

from __future__ import annotations

from typing import Any

import pytest

from ..support import chain
from ..support.errors import reverts
from ..support.events import log, logs, plain
from ..support.kinds import Phase, Role, Stage, State
from ..support.play import Play
from ..support.terms import BASE


def bids(play: Play, trainers: list[tuple[Any, int, int]], miners: list[tuple[Any, int]]) -> Play:
    """Bids of (who, samples, price) and (who, fee), and the end of Bidding."""
    for who, samples, price in trainers:
        play.bid_as_trainer(who, samples, price)
    for who, fee in miners:
        play.bid_as_miner(who, fee)
    play.let_pass(Phase.BIDDING)
    return play


# ---------------------------------------------------------------------- reverts


def test_bidding_runs(task: Any, eve: Any) -> None:
    with reverts("LearningTask_WrongPhase", Phase.BIDDING, Phase.SELECT):
        task.select({"from": eve})


def test_twice(play: Play, eve: Any) -> None:
    play.until(Phase.COMMIT)
    with reverts("LearningTask_WrongPhase", Phase.COMMIT, Phase.SELECT):
        play.task.select({"from": eve})


def test_after_the_end(play: Play, publisher: Any, eve: Any) -> None:
    chain.send(publisher, play.task.cancel)
    with reverts("LearningTask_WrongPhase", Phase.CLOSED, Phase.SELECT):
        play.task.select({"from": eve})


# ---------------------------------------------------------------------- successes


def test_seats(play: Play, eve: Any) -> None:
    """Anybody may select; seats follow the rank, and the first round starts."""
    play.until(Phase.SELECT)
    tx = play.task.select({"from": eve})

    assert [tuple(event.values()) for event in logs(tx, "Selected")] == [
        (Role.TRAINER, 0, play.trainers[0], 100, 100),
        (Role.TRAINER, 1, play.trainers[1], 200, 200),
        (Role.TRAINER, 2, play.trainers[2], 300, 300),
        (Role.MINER, 0, play.miners[0], 10_000, 0),
        (Role.MINER, 1, play.miners[1], 20_000, 0),
        (Role.MINER, 2, play.miners[2], 30_000, 0),
    ]
    assert tuple(log(tx, "RoundStarted").values()) == (1, b"\x00" * 32, 4, 3, 0b111)
    assert play.task.trainerCount() == play.task.minerCount() == 3

    status = play.status
    assert (status["state"], status["phase"], status["roundsLeft"]) == (State.RUNNING, Phase.COMMIT, 3)
    assert status["deadline"] == tx.timestamp + BASE["commitWindow"]
    assert (status["round"]["id"], status["round"]["start"]) == (1, tx.timestamp)
    assert (status["round"]["activeTrainers"], status["round"]["activeMiners"]) == (3, 0b111)


def test_what_a_seat_holds(play: Play) -> None:
    """A seat takes over the bid, its deposit and the start quality."""
    play.until(Phase.COMMIT)
    bob, nick = play.trainers[1], play.miners[1]
    assert plain(play.task.trainer(1)) == (
        *(bob, 0, Stage.NONE, 0, 200, 0),  # account, round, stage, samples, cap, strikes
        *(0, 20_000, 200, BASE["startQuality"], 0),  # earned, deposit, price, quality, paid rounds
        b"\x00" * 25,
    )
    assert plain(play.task.miner(1))[:5] == (nick, 20_000, 0, 0, 40_000)
    assert play.task.bidOf(Role.TRAINER, bob)["seat"] == 2
    assert play.task.bidOf(Role.MINER, nick)["seat"] == 2


def test_rank_not_arrival(play: Play, alice: Any, bob: Any, carol: Any, mia: Any, nick: Any) -> None:
    """Price bucket first, then the larger offer, then the earlier bid."""
    bids(play, [(alice, 100, 509), (bob, 100, 501), (carol, 200, 505)], [(mia, 20_000), (nick, 10_000)])
    play.select()
    assert [play.task.trainer(seat)["account"] for seat in range(3)] == [carol, alice, bob]
    assert [play.task.miner(seat)["account"] for seat in range(2)] == [nick, mia]


def test_cap(play: Play, alice: Any, bob: Any, carol: Any, dave: Any, mia: Any, nick: Any) -> None:
    """Samples count up to three times the lower median of the selected offers: an inflated offer gains nothing."""
    offers = [(alice, 100, 1), (bob, 110, 1), (carol, 500, 1), (dave, 9000, 1)]
    bids(play, offers, [(mia, 1), (nick, 1)])
    play.select()
    # Ranked by offer: dave, carol, bob, alice; the lower median is 110.
    assert [play.task.trainer(seat)["cap"] for seat in range(4)] == [330, 330, 110, 100]


def test_skips_what_the_budget_cannot_cover(play: Play, alice: Any, bob: Any, carol: Any, mia: Any, nick: Any) -> None:
    """Who is too dear is passed over, and cheaper ones further down are still taken; the deposit is owed at once."""
    # A round has 1,000,000 - 10,000 wei: alice takes 500,000, bob would take 600,000, carol takes 490,000.
    bids(play, [(alice, 1000, 500), (bob, 1000, 600), (carol, 700, 700)], [(mia, 10_000), (nick, 10_000)])
    tx = play.task.select({"from": mia})
    assert [event["account"] for event in logs(tx, "Selected")] == [alice, carol, mia, nick]
    assert log(tx, "NotSelected") == {"role": Role.TRAINER, "account": bob, "deposit": 100_000}
    assert play.task.withdrawable(bob) == 100_000
    assert play.task.bidOf(Role.TRAINER, bob)["deposit"] == 0


@pytest.mark.parametrize(("samples", "selected"), [(489, 3), (490, 2)])
def test_budget_to_the_wei(
    play: Play, alice: Any, bob: Any, carol: Any, mia: Any, nick: Any, samples: int, selected: int
) -> None:
    """The sum of the prices may take all that the highest fee leaves of a round, and no more."""
    # 1,000,000 - 20,000 = 980,000 a round; 490,000 + 1,000 are taken before.
    bids(play, [(alice, 490, 1000), (bob, 10, 100), (carol, samples, 1000)], [(mia, 20_000), (nick, 10_000)])
    play.select()
    assert play.task.trainerCount() == selected


def test_fee_beyond_the_miners_share(publish: Any, alice: Any, bob: Any, mia: Any, nick: Any, olga: Any) -> None:
    """A miner whose fee in all rounds is more than the miners' share of the reward is passed over."""
    play = publish(minerShare=300)  # 90,000 wei, 30,000 a round
    bids(play, [(alice, 100, 1), (bob, 100, 1)], [(mia, 30_000), (nick, 30_001), (olga, 1)])
    tx = play.task.select({"from": alice})
    assert [play.task.miner(seat)["account"] for seat in range(2)] == [olga, mia]
    assert log(tx, "NotSelected") == {"role": Role.MINER, "account": nick, "deposit": 40_000}
    assert play.task.withdrawable(nick) == 40_000


def test_sum_of_samples(play: Play, alice: Any, bob: Any, carol: Any, mia: Any, nick: Any) -> None:
    """Selected samples stay below 2^31, so that weighted sums fit a signed 64-bit integer."""
    for who, samples in ((alice, 2**30), (bob, 2**30), (carol, 2**30 - 1)):
        play.bid_as_trainer(who, samples, 0, time=0)
    bids(play, [], [(mia, 1), (nick, 1)])
    play.select()
    assert [play.task.trainer(seat)["account"] for seat in range(2)] == [alice, carol]
    assert play.task.trainerCount() == 2


def test_trainer_that_mines(play: Play, alice: Any, bob: Any, mia: Any) -> None:
    """A miner's seat knows the trainer seat of the same account, so that it has no say on itself."""
    bids(play, [(alice, 100, 1), (bob, 100, 200)], [(bob, 1), (mia, 20_000)])
    play.select()
    assert [play.task.miner(seat)["trainerSeat"] for seat in range(2)] == [2, 0]


@pytest.mark.parametrize(("trainers", "miners"), [(1, 2), (2, 1), (0, 0)])
def test_too_few(play: Play, publisher: Any, eve: Any, trainers: int, miners: int) -> None:
    """Below the least trainers or miners the task ends, with all money owed back."""
    bids(
        play,
        [(who, 100, 1) for who in play.trainers[:trainers]],
        [(who, 1) for who in play.miners[:miners]],
    )
    tx = play.task.select({"from": eve})
    assert len(logs(tx, "NotSelected")) == trainers + miners
    assert log(tx, "TaskAborted") == {"toPublisher": BASE["reward"]}
    assert play.status["state"] == State.ABORTED
    owed = [play.task.withdrawable(who) for who in (publisher, *play.trainers[:trainers], *play.miners[:miners])]
    assert owed == [BASE["reward"], *[10_000] * trainers, *[40_000] * miners]
    assert play.task.balance() == sum(owed)


def test_too_few_within_the_budget(play: Play, alice: Any, bob: Any, mia: Any, nick: Any) -> None:
    """Who is passed over does not count."""
    bids(play, [(alice, 900, 1000), (bob, 900, 1000)], [(mia, 1), (nick, 1)])
    play.select()
    assert play.status["state"] == State.ABORTED
