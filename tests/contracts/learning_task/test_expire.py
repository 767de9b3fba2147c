"""`LearningTask.expire`: silence on a question refutes a result."""

from __future__ import annotations

from typing import Any

import pytest

from ..support import chain
from ..support.disputes import BOND, SALT, WITHHELD, Case, lied
from ..support.errors import reverts
from ..support.events import log, logs, names, plain
from ..support.kinds import Fault, Phase
from ..support.money import assert_balanced
from ..support.terms import BASE

DEPOSIT = BASE["minerDeposit"]


@pytest.fixture(scope="module")
def case(module_isolation: None, publish: Any, eve: Any) -> Case:
    """Seats 0 and 1 agree on a lie, and a block carries it; Eve has asked 0 for the top. Challenge runs."""
    case = lied(publish(), 0, 1)
    case.ask(eve)
    return case


def wait(case: Case, claim: bytes) -> None:
    """Until the question's deadline."""
    chain.mine_at(case.task.questionOf(claim)["deadline"])


# ---------------------------------------------------------------------- reverts


def test_nothing_asked(case: Case, eve: Any) -> None:
    with reverts("LearningTask_NoClaim", SALT):
        case.task.expire(SALT, {"from": eve})


def test_no_question(case: Case, dave: Any) -> None:
    """A challenge does not show itself."""
    claim = case.commit(dave)
    with reverts("LearningTask_NoClaim", claim):
        case.task.expire(claim, {"from": dave})


def test_too_early(case: Case, eve: Any) -> None:
    claim = case.asked(eve)
    deadline = case.task.questionOf(claim)["deadline"]
    chain.next_at(deadline - 1)
    with reverts("LearningTask_TooEarly", deadline - 1, deadline):
        case.task.expire(claim, {"from": eve})


def test_answered(case: Case, eve: Any, mia: Any) -> None:
    claim = case.asked(eve)
    chain.send(mia, case.task.answer, claim, case.nodes().below(3, 0))
    chain.pass_time(BASE["responseWindow"])
    with reverts("LearningTask_NoClaim", claim):
        case.task.expire(claim, {"from": eve})


def test_twice(case: Case, eve: Any) -> None:
    claim = case.asked(eve)
    wait(case, claim)
    chain.send(eve, case.task.expire, claim)
    with reverts("LearningTask_NoClaim", claim):
        case.task.expire(claim, {"from": eve})


def test_after_the_window(case: Case, eve: Any) -> None:
    """What nobody has claimed in time does not count."""
    chain.next_at(case.play.status["deadline"])
    with reverts("LearningTask_WrongPhase", Phase.FINALISE, Phase.CHALLENGE):
        case.task.expire(case.asked(eve), {"from": eve})


def test_after_the_round(case: Case, eve: Any) -> None:
    case.play.let_pass(Phase.CHALLENGE)
    case.play.finalise()
    claim = case.asked(eve)
    case.play.until(Phase.CHALLENGE)
    with reverts("LearningTask_NoClaim", claim):
        case.task.expire(claim, {"from": eve})


def test_while_they_mine_again(case: Case, dave: Any, eve: Any) -> None:
    """After the refutation by somebody else there is no block to object to."""
    claim = case.asked(eve)
    case.refute(dave)
    wait(case, claim)
    with reverts("LearningTask_WrongPhase", Phase.MINE, Phase.CHALLENGE):
        case.task.expire(claim, {"from": eve})


# ---------------------------------------------------------------------- successes


def test_expire(case: Case, dave: Any, eve: Any) -> None:
    """Anybody may call; the result is refuted for who had asked."""
    claim = case.asked(eve)
    wait(case, claim)
    tx = case.task.expire(claim, {"from": dave})
    assert names(tx) == ["Refuted"]
    assert log(tx, "Refuted") == {
        "round": 1,
        "seat": 0,
        "challenger": eve,
        "claim": claim,
        "coordinate": WITHHELD,
    }
    assert plain(case.task.questionOf(claim)) == (b"\x00" * 32, 0, 0)
    assert case.task.stakeOf(claim)["challenger"] == chain.ZERO_ADDRESS
    assert case.task.miner(0)["accuser"] == eve
    assert (case.play.round["refuted"], case.play.round["lastDispute"]) == (0b001, tx.timestamp)
    assert (case.play.phase, case.play.status["attempt"]) == (Phase.MINE, 1)


def test_what_follows(case: Case, eve: Any, everybody: list[Any]) -> None:
    """All who opened what nobody can get lose all; half of it goes to who asked."""
    claim = case.asked(eve)
    wait(case, claim)
    chain.send(eve, case.task.expire, claim)
    case.propose(2)
    case.play.let_pass(Phase.CHALLENGE)
    tx = case.task.finalise(*case.play.medians(), {"from": eve})
    assert log(tx, "RoundFinalised")["seat"] == 2
    assert [(event["seat"], event["fault"], event["amount"]) for event in logs(tx, "Slashed")] == [
        (0, Fault.PROVEN_WRONG, DEPOSIT),
        (1, Fault.PROVEN_WRONG, DEPOSIT),
    ]
    assert tuple(log(tx, "BountyPaid").values()) == (1, 0, eve, DEPOSIT, BOND)
    assert case.task.withdrawable(eve) == DEPOSIT + BOND
    assert_balanced(case.task, everybody)


def test_right_but_withheld(publish: Any, eve: Any) -> None:
    """Whether the result is right does not matter: what nobody can get cannot be trained on."""
    case = Case.of(publish().until(Phase.SEAL), {})
    case.seal()
    case.propose(0)
    case.open(1)
    claim = case.ask(eve)
    case.open(2)
    wait(case, claim)
    assert log(case.task.expire(claim, {"from": eve}), "Refuted")["seat"] == 0
    assert case.play.phase == Phase.FINALISE  # all have the same result


def test_earlier_question_counts(publish: Any, dave: Any, eve: Any) -> None:
    """Of a question and a challenge that came first gets the bounty, by when each was posted."""
    play = publish(forkWindow=60).until(Phase.SEAL)
    case = Case.of(play, {0: play.said.model(0)})
    case.seal()
    for seat in range(3):
        case.propose(seat)
    claim = case.ask(eve)
    case.refute(dave)
    assert case.task.miner(0)["accuser"] == dave
    wait(case, claim)
    chain.send(eve, case.task.expire, claim)
    assert case.task.miner(0)["accuser"] == eve
    assert case.task.withdrawable(dave) == BOND


def test_fast_block(publish: Any, eve: Any) -> None:
    """A fast block whose bytes nobody can get gives way as one that was proven wrong."""
    play = publish(fastBlocks=1).until(Phase.COMMIT)
    play.play_round()
    case = Case.of(play.until(Phase.SEAL), {})
    play.propose_fast(0, case.results)
    claim = case.ask(eve)
    wait(case, claim)
    chain.send(eve, case.task.expire, claim)
    current = play.round
    assert (play.phase, current["fast"], current["activeMiners"]) == (Phase.SEAL, 0, 0b110)


def test_fast_block_after_256_blocks(publish: Any, eve: Any) -> None:
    """A fast block that is disputed stands until it is settled: silence must not turn it into a vote, in which the
    bond of who asked is lost and the miner keeps its deposit."""
    play = publish(fastBlocks=1, responseWindow=200).until(Phase.COMMIT)
    play.play_round()
    case = Case.of(play.until(Phase.SEAL), {})
    play.propose_fast(0, case.results)
    claim = case.ask(eve)
    chain.mine(300)
    tx = case.task.expire(claim, {"from": eve})
    assert log(tx, "Refuted")["seat"] == 0
