"""`LearningTask.finalise` of a round with a fast block: pay by qualities, the whole fee, one record."""

from __future__ import annotations

from typing import Any

import pytest

from ..support.errors import reverts
from ..support.events import log, logs, names, plain
from ..support.kinds import Fault, Phase, Role, Verdict
from ..support.money import Work, assert_balanced, pay
from ..support.play import Play
from ..support.terms import BASE

FEE = 10_000  # seat 0's
QUALITIES = [33_672, 33_684, 33_697]  # an eighth of the way from 32,768 to the scores of round 1


@pytest.fixture(scope="module")
def play(module_isolation: None, publish: Any) -> Play:
    """Round 2: the fast block of seat 0 stands, and its window is over."""
    play = publish(fastBlocks=1, blockTime=10).until(Phase.COMMIT)
    play.play_round()
    play.until(Phase.SEAL).propose_fast(0)
    play.let_pass(Phase.CHALLENGE)
    return play


def finalise(play: Play) -> Any:
    return play.task.finalise([], 0, {"from": play.publisher})


def budget(play: Play) -> int:
    """Wei for the trainers of round 2 of 3."""
    return (play.task.pool() - 2 * 30_000) // 2


def amounts(tx: Any, name: str, role: Role = Role.TRAINER) -> dict[int, int]:
    return {event["seat"]: event["amount"] for event in logs(tx, name) if event.get("role", role) == role}


# ---------------------------------------------------------------------- reverts


def test_within_the_window(publish: Any) -> None:
    play = publish(fastBlocks=1).until(Phase.COMMIT)
    play.play_round()
    play.until(Phase.SEAL).propose_fast(0)
    with reverts("LearningTask_WrongPhase", Phase.CHALLENGE, Phase.FINALISE):
        finalise(play)


def test_scores(play: Play) -> None:
    """There are no scores of what nobody has judged."""
    with reverts("LearningTask_WrongScores", 1, 0):
        play.task.finalise([1], 0, {"from": play.publisher})


# ---------------------------------------------------------------------- successes


def test_block(play: Play) -> None:
    """The block becomes the head with its miner's word on the accuracy, and without medians."""
    opening, block_hash = play.said.opening(0), bytes(play.task.miner(0)["blockHash"])
    tx = finalise(play)
    assert log(tx, "RoundFinalised") == {
        "round": 2,
        "seat": 0,
        "blockHash": block_hash,
        "root": opening.root,
        "contentId": opening.content_id,
        "accuracy": 8000,
        "medians": (),
    }
    assert plain(play.task.head()) == (block_hash, opening.root, opening.content_id)
    assert (play.status["roundsLeft"], play.status["voidRounds"], play.round["id"]) == (1, 0, 3)
    assert set(names(tx)) == {"RoundFinalised", "Paid", "MinerRecorded", "RoundStarted"}


def test_middle_means_nothing(play: Play) -> None:
    """Whatever middle is given."""
    tx = play.task.finalise([], 65_535, {"from": play.publisher})
    assert set(amounts(tx, "Paid")) == {0, 1, 2}


def test_pay_by_qualities(play: Play, everybody: list[Any]) -> None:
    """Nobody scored the inputs: what is known of their trainers stands for it, and does not change."""
    assert [play.task.trainer(seat)["quality"] for seat in range(3)] == QUALITIES
    works = [Work((seat + 1) * 100, (seat + 1) * 100, quality) for seat, quality in enumerate(QUALITIES)]
    expected = pay(budget(play), works)
    tx = finalise(play)
    assert amounts(tx, "Paid") == dict(enumerate(expected))
    assert [play.task.trainer(seat)["quality"] for seat in range(3)] == QUALITIES
    assert [play.task.trainer(seat)["paidRounds"] for seat in range(3)] == [2, 2, 2]
    assert_balanced(play.task, everybody)


def test_whole_fee(play: Play) -> None:
    """Its miner did all the work."""
    assert amounts(finalise(play), "Paid", Role.MINER) == {0: FEE}


def test_others_records(play: Play, reputation: Any) -> None:
    """Who had nothing to do served nothing: the records of the others stay as they are."""
    before = [plain(reputation.minerRecord(who)) for who in play.miners]
    assert before == [(1, 1, 6666, FEE), (0, 1, 1666, FEE), (0, 1, 1666, FEE)]
    tx = finalise(play)
    assert log(tx, "MinerRecorded")["miner"] == play.miners[0]
    after = [plain(reputation.minerRecord(who)) for who in play.miners]
    assert after == [(2, 2, 6666 + FEE, 2 * FEE), *before[1:]]


def test_difficulty_stays(play: Play) -> None:
    """How long it took says nothing of how hard the work is."""
    before = play.status["difficulty"]
    finalise(play)
    assert play.status["difficulty"] == before


def test_accuracy_is_one_miners_word(publish: Any) -> None:
    """It brings the early end no nearer."""
    play = publish(fastBlocks=1, targetAccuracy=7000, rounds=10).until(Phase.COMMIT)
    play.play_round()
    play.until(Phase.SEAL).propose_fast(0)
    play.let_pass(Phase.CHALLENGE)
    assert "TaskCompleted" not in names(finalise(play))
    play.until(Phase.FINALISE)
    assert "TaskCompleted" not in names(play.task.finalise(*play.medians(), {"from": play.publisher}))
    play.until(Phase.FINALISE)
    assert "TaskCompleted" in names(play.task.finalise(*play.medians(), {"from": play.publisher}))


def test_low_quality_is_paid(publish: Any) -> None:
    """Without scores no input is below the least of them, however little is known of its trainer."""
    play = publish(fastBlocks=1, payScore=10_000).until(Phase.SEAL)
    low = {seat: play.said.opening(seat, scores=(40_000, 40_000, 0)) for seat in range(3)}
    play.seal(results=low)
    play.propose(results=low)
    play.open(results=low)
    play.until(Phase.FINALISE).finalise()
    assert play.task.trainer(2)["quality"] == BASE["startQuality"] // 2
    play.until(Phase.SEAL).propose_fast(0)
    play.let_pass(Phase.CHALLENGE)
    tx = finalise(play)
    assert set(amounts(tx, "Paid")) == {0, 1, 2}
    assert not logs(tx, "Slashed")


# ---------------------------------------------------------------------- faults


def until_fast(publish: Any, absent: int | None = None, condemned: int | None = None, checkers: int = 3) -> Play:
    """The same with a trainer that did not commit, or was condemned by all, and so many miners in Check."""
    play = publish(fastBlocks=1, maxStrikes=5).until(Phase.COMMIT)
    play.play_round()
    play.commit(*(seat for seat in range(3) if seat != absent))
    if absent is not None:
        play.let_pass(Phase.COMMIT)
    play.reveal()
    said = play.said.verdicts({} if condemned is None else {condemned: Verdict.COPY})
    play.check(*range(checkers), verdicts=said)
    if checkers < 3:
        play.let_pass(Phase.CHECK)
    play.propose_fast(0)
    play.let_pass(Phase.CHALLENGE)
    return play


def test_absent_trainer(publish: Any) -> None:
    """Who did not commit is struck as always."""
    tx = finalise(until_fast(publish, absent=2))
    assert log(tx, "Struck") == {"round": 2, "role": Role.TRAINER, "seat": 2, "strikes": 1}
    assert set(amounts(tx, "Paid")) == {0, 1}


def test_miners_that_did_not_check(publish: Any) -> None:
    """Who skipped Check is struck; nobody had to seal."""
    tx = finalise(until_fast(publish, checkers=2))
    assert log(tx, "Struck") == {"round": 2, "role": Role.MINER, "seat": 2, "strikes": 1}
    assert not logs(tx, "Slashed")


def test_condemned_trainer(publish: Any, everybody: list[Any]) -> None:
    """A condemned update costs its pay and the penalty, and quality, as always."""
    play = until_fast(publish, condemned=0)
    tx = finalise(play)
    assert [(event["seat"], event["fault"], event["amount"]) for event in logs(tx, "Slashed")] == [
        (0, Fault.REJECTED, BASE["penalty"])
    ]
    assert set(amounts(tx, "Forfeited")) == {0}
    assert play.task.trainer(0)["quality"] == QUALITIES[0] - QUALITIES[0] // 2
    assert_balanced(play.task, everybody)


def test_nobody_gains_by_condemning(publish: Any) -> None:
    """The others' parts do not grow: what the vote takes from one is burnt, as in a round with scores."""
    play = until_fast(publish, condemned=0)
    works = [Work((seat + 1) * 100, (seat + 1) * 100, quality) for seat, quality in enumerate(QUALITIES)]
    denied, *others = pay(budget(play), works)
    tx = finalise(play)
    assert amounts(tx, "Paid") == dict(enumerate(others, 1))
    assert amounts(tx, "Forfeited") == {0: denied}
