"""`LearningTask.finalise` of the last round: completion, early end, remainder, burn, records."""

from __future__ import annotations

from typing import Any

import pytest

from ..support import chain
from ..support.events import log, logs
from ..support.kinds import Phase, Role, State
from ..support.money import Work, assert_balanced, pay
from ..support.play import Play
from ..support.terms import BASE

SCORES = [40_001, 40_101, 40_201]
WORKS = [Work((seat + 1) * 100, (seat + 1) * 100, score) for seat, score in enumerate(SCORES)]


def finalise(play: Play) -> Any:
    play.until(Phase.FINALISE)
    return play.task.finalise(*play.medians(), {"from": play.publisher})


def trainers_pay(tx: Any) -> list[int]:
    return [event["amount"] for event in logs(tx, "Paid") if event["role"] == Role.TRAINER]


def with_accuracy(play: Play, accuracies: list[int]) -> Any:
    """Finalises a round in which the miners report these accuracies."""
    play.until(Phase.SEAL)
    results = {seat: play.said.opening(seat, accuracy=value) for seat, value in enumerate(accuracies)}
    play.seal(results=results)
    play.propose(results=results)
    play.open(results=results)
    return finalise(play)


def test_last_round(publish: Any, publisher: Any, everybody: list[Any]) -> None:
    """After the last round the rest of the reward is the publisher's, and the registry hears of the trainers."""
    play = publish(rounds=1).until(Phase.COMMIT)
    tx = finalise(play)
    rest = BASE["reward"] - sum(event["amount"] for event in logs(tx, "Paid"))
    assert log(tx, "TaskCompleted") == {"early": False, "toPublisher": rest}
    assert (play.status["state"], play.phase, play.status["roundsLeft"]) == (State.COMPLETED, Phase.CLOSED, 0)
    assert play.task.withdrawable(publisher) == rest
    assert play.task.pool() == 0
    assert not logs(tx, "Burnt")
    assert_balanced(play.task, everybody)


def test_rounds_end_the_task(publish: Any) -> None:
    """It takes all rounds."""
    play = publish().until(Phase.COMMIT)
    for left in (2, 1):
        play.play_round()
        assert (play.status["state"], play.status["roundsLeft"]) == (State.RUNNING, left)
    play.play_round()
    assert play.status["state"] == State.COMPLETED


def test_burn(publish: Any, everybody: list[Any]) -> None:
    """What was burnt meanwhile leaves at the end, to the zero address, in one sum."""
    play = publish(rounds=1).until(Phase.SEAL)
    play.seal(0, 1)
    play.let_pass(Phase.SEAL)
    before = chain.balance(chain.ZERO_ADDRESS)
    tx = finalise(play)
    assert log(tx, "Burnt") == {"amount": 20_000}
    assert chain.balance(chain.ZERO_ADDRESS) == before + 20_000
    assert play.task.burnt() == 20_000
    assert_balanced(play.task, everybody)


def test_trainers_records(publish: Any, reputation: Any, alice: Any, bob: Any, carol: Any) -> None:
    """Qualities go half-way into the registry; who was never paid earned no trust."""
    play = publish(rounds=1).until(Phase.COMMIT)
    play.commit(0, 1)
    play.let_pass(Phase.COMMIT)
    tx = finalise(play)
    ended = [play.task.trainer(seat)["quality"] for seat in range(3)]
    assert [tuple(event.values()) for event in logs(tx, "TrainerRecorded")] == [
        (alice, ended[0] // 2),
        (bob, ended[1] // 2),
        (carol, 0),
    ]
    assert reputation.trainerQuality(alice) == ended[0] // 2 > 0


def test_struck_out_trainers_record(publish: Any, reputation: Any, carol: Any) -> None:
    """Nor did who was struck out, though it was paid before."""
    play = publish(rounds=2, maxStrikes=1).until(Phase.COMMIT)
    play.play_round()
    play.commit(0, 1)
    play.let_pass(Phase.COMMIT)
    finalise(play)
    assert play.task.trainer(2)["paidRounds"] == 1
    assert reputation.trainerQuality(carol) == 0


def test_early_end(publish: Any, publisher: Any, everybody: list[Any]) -> None:
    """The target in two blocks one after the other ends the task; a bonus is shared, the rest returns."""
    play = publish(rounds=10, targetAccuracy=9000).until(Phase.COMMIT)
    tx = with_accuracy(play, [9000, 9000, 9000])
    assert not logs(tx, "TaskCompleted")
    pool, left, fee = play.task.pool(), 9, 10_000
    tx = with_accuracy(play, [9000, 9000, 9000])

    budget = (pool - 30_000 * left) // left
    bonus = (pool - fee - budget) * BASE["earlyBonus"] // 10_000
    assert trainers_pay(tx) == pay(budget + bonus, WORKS)
    rest = pool - sum(event["amount"] for event in logs(tx, "Paid"))
    assert log(tx, "TaskCompleted") == {"early": True, "toPublisher": rest}
    assert play.task.withdrawable(publisher) == rest
    assert_balanced(play.task, everybody)


@pytest.mark.parametrize(
    ("accuracies", "early"),
    [([8999, 9000, 10_000], True), ([8999, 8999, 10_000], False)],
    ids=["reached", "missed"],
)
def test_median_accuracy_decides(publish: Any, accuracies: list[int], early: bool) -> None:
    """One boastful miner does not reach the target, one modest one does not miss it."""
    play = publish(targetAccuracy=9000).until(Phase.COMMIT)
    with_accuracy(play, accuracies)
    assert len(logs(with_accuracy(play, accuracies), "TaskCompleted")) == early


def test_not_in_a_row(publish: Any) -> None:
    """A block below the target in between starts the count again."""
    play = publish(rounds=10, targetAccuracy=9000).until(Phase.COMMIT)
    for accuracy in (9000, 8999, 9000):
        assert not logs(with_accuracy(play, [accuracy] * 3), "TaskCompleted")
    assert log(with_accuracy(play, [9000] * 3), "TaskCompleted")["early"] is True


def test_void_round_in_between(publish: Any) -> None:
    """So does a void round."""
    play = publish(rounds=10, targetAccuracy=9000).until(Phase.COMMIT)
    with_accuracy(play, [9000] * 3)
    play.let_pass(Phase.COMMIT)
    play.finalise_unscored()
    assert not logs(with_accuracy(play, [9000] * 3), "TaskCompleted")


def test_no_target(publish: Any) -> None:
    """Without a target no accuracy ends a task early."""
    play = publish(targetAccuracy=0).until(Phase.COMMIT)
    for _ in range(2):
        assert not logs(with_accuracy(play, [10_000] * 3), "TaskCompleted")
