"""`LearningTask.finalise` in a round with a block: what each fault costs, and who is struck out."""

from __future__ import annotations

from typing import Any

import pytest

from ..support import digests
from ..support.events import log, logs
from ..support.kinds import Fault, Phase, Role, State, Verdict
from ..support.money import Work, assert_balanced, fees, pay
from ..support.play import Play
from ..support.terms import BASE

BUDGET = BASE["reward"] // 3 - 30_000
PENALTY = BASE["penalty"]
SCORES = [40_001, 40_101, 40_201]
PRICES = [10_000, 40_000, 90_000]


@pytest.fixture(scope="module")
def play(module_isolation: None, publish: Any) -> Play:
    return publish().until(Phase.COMMIT)


def finalise(play: Play, everybody: list[Any]) -> Any:
    tx = play.task.finalise(*play.medians(), {"from": play.publisher})
    assert len(logs(tx, "RoundFinalised")) == 1
    assert_balanced(play.task, everybody)
    return tx


def amounts(tx: Any, name: str, role: Role = Role.TRAINER) -> dict[int, int]:
    return {event["seat"]: event["amount"] for event in logs(tx, name) if event.get("role", role) == role}


def slashed(tx: Any) -> list[tuple[Role, int, Fault, int]]:
    return [(event["role"], event["seat"], event["fault"], event["amount"]) for event in logs(tx, "Slashed")]


def scored(play: Play, scores: tuple[int, ...]) -> Play:
    """The round up to Finalise with the same scores from all miners."""
    play.until(Phase.SEAL)
    results = {seat: play.said.opening(seat, scores=scores) for seat in range(3)}
    play.seal(results=results)
    play.propose(results=results)
    play.open(results=results)
    play.let_pass(Phase.CHALLENGE)
    return play


# ---------------------------------------------------------------------- trainers


def test_absent(play: Play, everybody: list[Any]) -> None:
    """Who does not commit is unpaid and struck, and keeps its deposit."""
    play.commit(0, 1)
    play.let_pass(Phase.COMMIT)
    play.until(Phase.FINALISE)
    tx = finalise(play, everybody)
    assert log(tx, "Struck") == {"round": 1, "role": Role.TRAINER, "seat": 2, "strikes": 1}
    assert not slashed(tx)
    assert play.task.trainer(2)["earned"] == 0
    works = [Work(100, 100, SCORES[0]), Work(200, 200, SCORES[1])]
    assert list(amounts(tx, "Paid").values()) == pay(BUDGET, works)


def test_not_revealed(play: Play, everybody: list[Any]) -> None:
    """Who commits and hides loses `slashShare` of its deposit, burnt."""
    play.commit()
    play.reveal(0, 1)
    play.let_pass(Phase.REVEAL)
    play.until(Phase.FINALISE)
    tx = finalise(play, everybody)
    assert slashed(tx) == [(Role.TRAINER, 2, Fault.NOT_REVEALED, 15_000)]
    assert play.task.trainer(2)["deposit"] == 15_000
    assert play.task.trainer(2)["quality"] == BASE["startQuality"]
    assert play.task.burnt() == 15_000


@pytest.mark.parametrize("verdict", [Verdict.UNAVAILABLE, Verdict.COPY])
def test_rejected(play: Play, everybody: list[Any], verdict: Verdict) -> None:
    """A condemned update costs its pay and the penalty, burnt; quality halves; the others gain nothing by it."""
    play.until(Phase.CHECK)
    play.check(verdicts=play.said.verdicts({0: verdict}))
    play.until(Phase.FINALISE)
    middle = play.medians()[1]
    tx = finalise(play, everybody)

    works = [Work(100, 100, middle), Work(200, 200, SCORES[1]), Work(300, 300, SCORES[2])]
    denied, *others = pay(BUDGET, works)
    assert amounts(tx, "Paid") == dict(enumerate(others, 1))
    assert amounts(tx, "Forfeited") == {0: denied}
    assert slashed(tx) == [(Role.TRAINER, 0, Fault.REJECTED, PENALTY)]
    assert play.task.burnt() == denied + PENALTY
    trainer = play.task.trainer(0)
    assert (trainer["deposit"], trainer["strikes"], trainer["paidRounds"]) == (10_000 - PENALTY, 1, 0)
    assert trainer["quality"] == BASE["startQuality"] // 2


def test_low_score(play: Play, everybody: list[Any]) -> None:
    """A score below `payScore` of the round's median costs the pay and the penalty."""
    scored(play, (19_999, 40_000, 40_000))
    tx = finalise(play, everybody)
    works = [Work(100, 100, 40_000), Work(200, 200, 40_000), Work(300, 300, 40_000)]
    denied, *others = pay(BUDGET, works)
    assert slashed(tx) == [(Role.TRAINER, 0, Fault.LOW_SCORE, PENALTY)]
    assert amounts(tx, "Forfeited") == {0: denied}
    assert amounts(tx, "Paid") == dict(enumerate(others, 1))


def test_just_enough(play: Play, everybody: list[Any]) -> None:
    """The share itself is enough."""
    scored(play, (20_000, 40_000, 40_000))
    tx = finalise(play, everybody)
    works = [Work(100, 100, 20_000), Work(200, 200, 40_000), Work(300, 300, 40_000)]
    assert amounts(tx, "Paid") == dict(enumerate(pay(BUDGET, works)))
    assert not slashed(tx)


def test_all_scores_zero(play: Play, everybody: list[Any]) -> None:
    """Without any score the prices are paid and the surplus stays."""
    scored(play, (0, 0, 0))
    tx = finalise(play, everybody)
    assert amounts(tx, "Paid") == dict(enumerate(PRICES))
    assert not slashed(tx)


# ---------------------------------------------------------------------- miners


def test_not_sealed(play: Play, everybody: list[Any]) -> None:
    """A miner without a seal loses `slashShare` of its deposit and its part of the fee."""
    play.until(Phase.SEAL)
    play.seal(0, 1)
    play.let_pass(Phase.SEAL)
    play.until(Phase.FINALISE)
    tx = finalise(play, everybody)
    assert slashed(tx) == [(Role.MINER, 2, Fault.NOT_SEALED, 20_000)]
    assert amounts(tx, "Paid", Role.MINER) == dict(enumerate(fees(10_000, 2)))
    assert play.task.miner(2)["deposit"] == 20_000
    assert play.task.burnt() == 20_000


def test_not_opened(play: Play, everybody: list[Any]) -> None:
    """So does one that hides its seal."""
    play.until(Phase.OPEN)
    play.open(1)
    play.let_pass(Phase.OPEN)
    tx = finalise(play, everybody)
    assert slashed(tx) == [(Role.MINER, 2, Fault.NOT_OPENED, 20_000)]
    assert amounts(tx, "Paid", Role.MINER) == dict(enumerate(fees(10_000, 2)))


def test_outvoted(play: Play, everybody: list[Any]) -> None:
    """Another result than the majority's costs the fee and the penalty: an opinion, until a proof says more."""
    play.until(Phase.SEAL)
    other = {2: play.said.opening(2, root=b"\x09" * 32)}
    play.seal(results=other)
    play.propose()
    play.open(results=other)
    play.let_pass(Phase.CHALLENGE)
    tx = finalise(play, everybody)
    assert slashed(tx) == [(Role.MINER, 2, Fault.OUTVOTED, PENALTY)]
    assert amounts(tx, "Paid", Role.MINER) == dict(enumerate(fees(10_000, 2)))


def test_same_bytes_elsewhere_is_another_result(play: Play, everybody: list[Any]) -> None:
    """A result is root and content id: openers of the truth name the bytes that are to be found."""
    play.until(Phase.SEAL)
    other = {2: play.said.opening(2, content_id=b"\x09" * 32)}
    play.seal(results=other)
    play.propose()
    play.open(results=other)
    play.let_pass(Phase.CHALLENGE)
    assert [event[2] for event in slashed(finalise(play, everybody))] == [Fault.OUTVOTED]


def test_not_checked(play: Play, everybody: list[Any]) -> None:
    """A miner that skipped Check is struck, and still paid for its vote."""
    play.until(Phase.CHECK)
    play.check(0, 1)
    play.let_pass(Phase.CHECK)
    play.until(Phase.FINALISE)
    tx = finalise(play, everybody)
    assert log(tx, "Struck") == {"round": 1, "role": Role.MINER, "seat": 2, "strikes": 1}
    assert not slashed(tx)
    assert set(amounts(tx, "Paid", Role.MINER)) == {0, 1, 2}


def test_one_strike_a_round(play: Play, everybody: list[Any]) -> None:
    """Several faults in one round are one strike, for the gravest."""
    play.until(Phase.CHECK)
    play.check(0, 1)
    play.let_pass(Phase.CHECK)
    play.seal(0, 1)
    play.let_pass(Phase.SEAL)
    play.until(Phase.FINALISE)
    tx = finalise(play, everybody)
    assert slashed(tx) == [(Role.MINER, 2, Fault.NOT_SEALED, 20_000)]
    assert len(logs(tx, "Struck")) == 1


# ---------------------------------------------------------------------- how much, how often


def test_rounded_against_the_offender(publish: Any, everybody: list[Any]) -> None:
    """A share of a deposit is rounded up."""
    play = publish(slashShare=3333, minerDeposit=40_001).until(Phase.SEAL)
    play.seal(0, 1)
    play.let_pass(Phase.SEAL)
    play.until(Phase.FINALISE)
    assert slashed(finalise(play, everybody)) == [(Role.MINER, 2, Fault.NOT_SEALED, 13_333)]  # 13,332.3


def test_never_more_than_is_left(publish: Any, everybody: list[Any]) -> None:
    """The last slash takes what is left; without a deposit a participant is struck out."""
    play = publish(slashShare=6000, maxStrikes=5).until(Phase.SEAL)
    amounts_taken = []
    for _ in range(2):
        play.until(Phase.SEAL)
        play.seal(0, 1)
        play.let_pass(Phase.SEAL)
        play.until(Phase.FINALISE)
        tx = finalise(play, everybody)
        amounts_taken += [event[3] for event in slashed(tx)]
    assert amounts_taken == [24_000, 16_000]
    assert log(tx, "Struck")["strikes"] == 5
    assert log(tx, "StruckOut") == {"round": 2, "role": Role.MINER, "seat": 2}
    assert play.round["activeMiners"] == 0b011


def test_struck_out(play: Play, everybody: list[Any]) -> None:
    """`maxStrikes` end a participant's part; the others go on without it, and it is struck no more."""
    for strikes in (1, 2):
        play.commit(0, 1)
        play.let_pass(Phase.COMMIT)
        play.until(Phase.FINALISE)
        tx = finalise(play, everybody)
        assert log(tx, "Struck")["strikes"] == strikes
    assert log(tx, "StruckOut") == {"round": 2, "role": Role.TRAINER, "seat": 2}
    assert play.round["activeTrainers"] == 2

    play.until(Phase.FINALISE)
    tx = finalise(play, everybody)
    assert not logs(tx, "Struck")
    assert play.task.trainer(2)["strikes"] == 2


@pytest.mark.parametrize("role", list(Role))
def test_too_few_are_left(publish: Any, everybody: list[Any], eve: Any, role: Role) -> None:
    """Without enough trainers, or any miner, the task aborts."""
    play = publish(maxStrikes=1).until(Phase.COMMIT)
    if role == Role.TRAINER:
        play.commit(0)
        play.let_pass(Phase.COMMIT)
        play.reveal(0)
    else:
        play.until(Phase.CHECK)
        play.let_pass(Phase.CHECK, Phase.SEAL)
    tx = play.task.finalise([], 0, {"from": eve})
    assert [event["role"] for event in logs(tx, "StruckOut")] == [role] * (2 if role == Role.TRAINER else 3)
    assert len(logs(tx, "TaskAborted")) == 1
    assert play.status["state"] == State.ABORTED
    assert_balanced(play.task, everybody)


def test_struck_out_miner_is_not_counted(publish: Any, eve: Any) -> None:
    """The majority is one of the miners that still have a part: two of two."""
    play = publish(maxStrikes=1).until(Phase.SEAL)
    play.seal(0, 1)
    play.let_pass(Phase.SEAL)
    play.play_round()
    play.until(Phase.SEAL)
    assert play.round["activeMiners"] == 0b011
    other = {1: play.said.opening(1, root=b"\x09" * 32)}
    play.seal(results=other)
    play.propose()
    play.open(results=other)
    tx = play.task.finalise([], 0, {"from": eve})
    assert len(logs(tx, "RoundVoided")) == 1


def test_only_opener_does_not_judge_itself(publish: Any, everybody: list[Any], mia: Any, alice: Any, bob: Any) -> None:
    """With one miner left that trains too, nobody scored its update: it gets its price and no surplus."""
    play = publish(minMiners=1, minerSlots=1)
    play.miners = [alice]
    play.until(Phase.FINALISE)
    lanes = digests.unpack(play.medians()[0], 3)
    assert lanes == (0, 40_100, 40_200)
    tx = finalise(play, everybody)
    assert amounts(tx, "Paid")[0] == PRICES[0]
    assert not slashed(tx)
    assert play.task.trainer(0)["quality"] == BASE["startQuality"]
