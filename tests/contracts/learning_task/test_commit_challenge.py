"""`LearningTask.commitChallenge`: a bond on the claim that a miner's result is false."""

from __future__ import annotations

from typing import Any

import pytest

from ..support import chain
from ..support.disputes import BOND, SALT, Case, lied
from ..support.errors import reverts
from ..support.events import log, logs, names, plain
from ..support.kinds import Phase
from ..support.money import assert_balanced
from ..support.play import Play
from ..support.terms import BASE

RESPONSE = BASE["responseWindow"]
NOBODY = (chain.ZERO_ADDRESS, 0, 0, 0, 0)


@pytest.fixture(scope="module")
def case(module_isolation: None, publish: Any) -> Case:
    """Seats 0 and 1 agree on a lie, and a block carries it; seat 2 opened the truth. Challenge runs."""
    return lied(publish(), 0, 1)


@pytest.fixture(scope="module")
def play(case: Case) -> Play:
    return case.play


def commit(case: Case, who: Any, seat: int = 0, value: int = BOND, salt: bytes = SALT) -> Any:
    return case.task.commitChallenge(seat, case.digest(who, seat, salt=salt), {"from": who, "value": value})


# ---------------------------------------------------------------------- reverts


@pytest.mark.parametrize("phase", [Phase.BIDDING, Phase.COMMIT, Phase.SEAL, Phase.MINE])
def test_before_the_first_block(publish: Any, eve: Any, phase: Phase) -> None:
    """Before there is a block nobody knows a result."""
    play = publish().until(phase)
    with reverts("LearningTask_WrongPhase", phase, Phase.CHALLENGE):
        play.task.commitChallenge(0, SALT, {"from": eve, "value": BOND})


def test_after_the_window(case: Case, eve: Any) -> None:
    chain.next_at(case.play.status["deadline"])
    with reverts("LearningTask_WrongPhase", Phase.FINALISE, Phase.CHALLENGE):
        commit(case, eve)


def test_while_they_mine_again(publish: Any, eve: Any) -> None:
    """A result that no block carries is not final: there is nothing to object to."""
    case = lied(publish(), 0)
    with reverts("LearningTask_WrongPhase", Phase.MINE, Phase.CHALLENGE):
        commit(case, eve, 1)


def test_after_the_end(publish: Any, eve: Any) -> None:
    play = publish(rounds=1).until(Phase.CLOSED)
    with reverts("LearningTask_WrongPhase", Phase.CLOSED, Phase.CHALLENGE):
        play.task.commitChallenge(0, SALT, {"from": eve, "value": BOND})


@pytest.mark.parametrize("seat", [1, 3], ids=["sealed only", "nobody"])
def test_not_opened(publish: Any, eve: Any, seat: int) -> None:
    """A result that nobody has seen cannot be wrong."""
    play = publish().until(Phase.OPEN)
    with reverts("LearningTask_NotOpened", seat):
        play.task.commitChallenge(seat, SALT, {"from": eve, "value": BOND})


def test_fast_block_of_this_very_block(publish: Any, eve: Any) -> None:
    """Until it is known whether a fast block gives way to a vote, a bond against it might be lost for nothing."""
    play = publish(fastBlocks=1).until(Phase.COMMIT)
    play.play_round()
    play.until(Phase.SEAL)
    opening = play.said.opening(0)
    chain.send(play.miners[0], play.task.proposeFast, 0, opening.values(), play.fast_work(0, opening)[0])
    number = play.round["fastBlock"]
    with reverts("LearningTask_TooEarly", number, number + 1):
        play.task.commitChallenge.call(0, SALT, {"from": eve, "value": BOND})


@pytest.mark.parametrize("wrong", [-BOND, -1, 1])
def test_wrong_bond(case: Case, eve: Any, wrong: int) -> None:
    """The bond is a term, to the wei."""
    with reverts("LearningTask_WrongBond", BOND + wrong, BOND):
        commit(case, eve, value=BOND + wrong)


def test_twice(case: Case, eve: Any) -> None:
    """One bond per claim."""
    claim = case.commit(eve)
    with reverts("LearningTask_AlreadyClaimed", claim):
        commit(case, eve)


# ---------------------------------------------------------------------- successes


def test_commit(case: Case, eve: Any) -> None:
    """The claim is kept with its owner and its place; the bond stays in the task."""
    before = case.task.balance()
    assert plain(case.task.stakeOf(case.claim(eve))) == NOBODY
    tx = commit(case, eve)
    assert names(tx) == ["ChallengeCommitted"]
    assert log(tx, "ChallengeCommitted") == {"round": 1, "seat": 0, "challenger": eve, "claim": case.claim(eve)}
    assert plain(case.task.stakeOf(case.claim(eve))) == (eve, tx.block_number, 1, 0, 0)
    assert [case.task.miner(seat)["stakes"] for seat in range(3)] == [1, 0, 0]
    assert case.play.round["lastDispute"] == tx.timestamp
    assert case.task.balance() == before + BOND
    assert case.task.withdrawable(eve) == 0


def test_several(case: Case, dave: Any, eve: Any, everybody: list[Any]) -> None:
    """All disputes run side by side: against several miners, from several people, several from one."""
    commit(case, eve)
    commit(case, eve, salt=b"\x0c" * 32)
    commit(case, dave)
    commit(case, dave, 2)
    assert [case.task.miner(seat)["stakes"] for seat in range(3)] == [3, 0, 1]
    assert_balanced(case.task, everybody, bonds=4)


def test_copied(case: Case, dave: Any, eve: Any) -> None:
    """Who copies a claim on its way does not keep its owner from it: nobody can copy what binds its sender."""
    chain.send(dave, case.task.commitChallenge, 0, case.digest(eve), value=BOND)
    assert log(commit(case, eve), "ChallengeCommitted")["challenger"] == eve


def test_while_others_still_propose(publish: Any, eve: Any) -> None:
    """The window opens with the first block."""
    play = publish(forkWindow=60).until(Phase.SEAL)
    case = Case.of(play, {})
    case.seal()
    case.propose(1)
    assert play.phase == Phase.MINE
    assert log(commit(case, eve, 1), "ChallengeCommitted")["seat"] == 1


def test_while_others_still_open(publish: Any, eve: Any) -> None:
    case = Case.of(publish().until(Phase.SEAL), {})
    case.seal()
    case.propose(0)
    case.open(2)
    assert case.play.phase == Phase.OPEN
    assert log(commit(case, eve, 2), "ChallengeCommitted")["seat"] == 2


def test_prolonged_once(case: Case, eve: Any) -> None:
    """However many disputes there are, and when, the window ends six response windows after its regular end."""
    end = case.play.status["deadline"]
    commit(case, eve)
    for number, second in enumerate([end - 1, end, end + 6 * RESPONSE - 1]):
        assert case.play.status["deadline"] == end + 6 * RESPONSE
        chain.next_at(second)
        case.commit(eve, salt=bytes([number]) * 32)
    chain.next_at(end + 6 * RESPONSE)
    with reverts("LearningTask_WrongPhase", Phase.FINALISE, Phase.CHALLENGE):
        commit(case, eve)


# ---------------------------------------------------------------------- lost bonds


@pytest.mark.parametrize("bond", [BOND, 9_999])
def test_lost(publish: Any, eve: Any, everybody: list[Any], bond: int) -> None:
    """Bonds against results that stand: half burnt, rounded up, half to the block's miner."""
    case = lied(publish(challengeBond=bond), 0, 1)
    case.commit(eve, 0)
    case.commit(eve, 1)
    case.commit(eve, 1, salt=b"\x0c" * 32)
    case.play.let_pass(Phase.CHALLENGE)
    burnt = case.task.burnt()
    tx = case.task.finalise(*case.play.medians(), {"from": eve})

    assert [tuple(event.values()) for event in logs(tx, "BondsLost")] == [(1, 0, bond), (1, 1, 2 * bond)]
    halves = bond // 2 + bond
    assert case.task.burnt() == burnt + 3 * bond - halves + BASE["penalty"]  # and the outvoted seat 2's
    miner = case.task.miner(0)
    assert case.task.withdrawable(case.play.miners[0]) == miner["earned"] + halves
    assert case.task.withdrawable(eve) == 0
    assert [case.task.miner(seat)["stakes"] for seat in range(3)] == [0, 0, 0]
    assert_balanced(case.task, everybody)


def test_lost_in_a_void_round(publish: Any, eve: Any, everybody: list[Any]) -> None:
    """Without a block half of it goes to the pool."""
    play = publish().until(Phase.SEAL)
    made = {seat: play.said.model(seat) for seat in range(3)}
    case = Case.of(play, made)
    case.seal()
    case.propose(0)
    case.commit(eve)
    case.open()
    assert play.phase == Phase.FINALISE
    before = case.task.pool(), case.task.burnt()
    tx = case.task.finalise([], 0, {"from": eve})
    paid = sum(event["amount"] for event in logs(tx, "Paid"))
    assert (case.task.pool(), case.task.burnt()) == (before[0] - paid + BOND // 2, before[1] + BOND // 2)
    assert_balanced(case.task, everybody)


def test_no_bonds_without_disputes(publish: Any, eve: Any) -> None:
    """The stakes of a round are settled in it: the next one knows nothing of them."""
    case = lied(publish(), 0, 1)
    case.commit(eve)
    case.play.let_pass(Phase.CHALLENGE)
    case.play.finalise()
    case.play.until(Phase.FINALISE)
    tx = case.task.finalise(*case.play.medians(), {"from": eve})
    assert "BondsLost" not in names(tx)
    assert case.play.round["lastDispute"] == 0
