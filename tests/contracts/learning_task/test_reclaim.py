"""`LearningTask.reclaim`: bonds against a lie that somebody else refuted."""

from __future__ import annotations

from typing import Any

import pytest

from ..support.disputes import BOND, LIE, SALT, Case
from ..support.errors import reverts
from ..support.events import log, names, plain
from ..support.kinds import Phase
from ..support.models import Models
from ..support.money import assert_balanced
from ..support.play import Play

OTHER = b"\x0c" * 32  # salt


@pytest.fixture(scope="module")
def case(module_isolation: None, publish: Any, dave: Any, eve: Any) -> Case:
    """Eve has refuted the lie of seats 0 and 1 through seat 0; Dave had the first bonds against all three, a second one
    against 1 and 2, and asked 1. The round is over: seat 2's block is the head."""
    play = publish(forkWindow=60).until(Phase.SEAL)
    case = Case.of(play, dict.fromkeys((0, 1), Models.of(play).lie(LIE)))
    case.seal()
    for seat in range(3):
        case.propose(seat)
    for seat in range(3):
        case.commit(dave, seat)
    for seat in (1, 2):
        case.commit(dave, seat, salt=OTHER)
    case.ask(dave, 1)
    case.refute(eve)
    play.let_pass(Phase.CHALLENGE)
    play.finalise()
    return case


@pytest.fixture(scope="module")
def play(case: Case) -> Play:
    return case.play


# ---------------------------------------------------------------------- reverts


def test_no_claim(case: Case, dave: Any) -> None:
    with reverts("LearningTask_NoClaim", SALT):
        case.task.reclaim(SALT, {"from": dave})


def test_twice(case: Case, dave: Any) -> None:
    claim = case.claim(dave)
    case.task.reclaim(claim, {"from": dave})
    with reverts("LearningTask_NoClaim", claim):
        case.task.reclaim(claim, {"from": dave})


def test_shown(case: Case, eve: Any) -> None:
    """The bond of the claim that was shown was paid with the bounty."""
    with reverts("LearningTask_NoClaim", case.claim(eve)):
        case.task.reclaim(case.claim(eve), {"from": eve})


def test_before_the_round_is_settled(publish: Any, dave: Any, eve: Any) -> None:
    """Though the lie is refuted: the claim may still be shown."""
    play = publish(forkWindow=60).until(Phase.SEAL)
    case = Case.of(play, {0: Models.of(play).lie(LIE)})
    case.seal()
    for seat in range(3):
        case.propose(seat)
    claim = case.commit(dave)
    case.refute(eve)
    with reverts("LearningTask_NotProven", claim):
        case.task.reclaim(claim, {"from": dave})


def test_result_stands(case: Case, dave: Any) -> None:
    """A bond against the truth is lost; the first one is not even kept."""
    for name, claim in (("NotProven", case.claim(dave, 2, salt=OTHER)), ("NoClaim", case.claim(dave, 2))):
        with reverts(f"LearningTask_{name}", claim):
            case.task.reclaim(claim, {"from": dave})


def test_refuted_in_a_later_round(publish: Any, dave: Any, eve: Any) -> None:
    """A bond that was lost in one round stays lost when the miner lies in another."""
    play = publish().until(Phase.SEAL)
    first = Case.of(play, {})
    first.seal()
    first.propose(0)
    first.open()
    first.commit(dave)
    claim = first.commit(dave, salt=OTHER)
    play.let_pass(Phase.CHALLENGE)
    play.finalise()
    second = Case.of(play.until(Phase.SEAL), dict.fromkeys(range(3), Models.of(play).lie(LIE)))
    second.seal()
    second.propose(0)
    second.open()
    second.refute(eve)
    play.finalise_unscored()
    assert play.task.miner(0)["provenRound"] == 2
    with reverts("LearningTask_NotProven", claim):
        play.task.reclaim(claim, {"from": dave})


# ---------------------------------------------------------------------- successes


@pytest.mark.parametrize(("seat", "salt"), [(0, SALT), (1, OTHER)], ids=["refuted", "guilty of the same"])
def test_reclaim(case: Case, dave: Any, eve: Any, everybody: list[Any], seat: int, salt: bytes) -> None:
    """Anybody may call; the bond is owed to its owner. It makes no difference through which miner the lie fell."""
    claim = case.claim(dave, seat, salt=salt)
    assert_balanced(case.task, everybody, bonds=3)
    before = [case.task.withdrawable(who) for who in (dave, eve)]
    tx = case.task.reclaim(claim, {"from": eve})
    assert names(tx) == ["BondReturned"]
    assert log(tx, "BondReturned") == {"round": 1, "seat": seat, "challenger": dave, "claim": claim}
    assert [case.task.withdrawable(who) for who in (dave, eve)] == [before[0] + BOND, before[1]]
    assert plain(case.task.stakeOf(claim))[1:] == (0, 0, 0, 0)
    assert_balanced(case.task, everybody, bonds=2)


def test_question(case: Case, dave: Any) -> None:
    """The bond of a question that nobody had to answer any more comes back as well."""
    claim, before = case.asked(dave, 1), case.task.withdrawable(dave)
    assert log(case.task.reclaim(claim, {"from": dave}), "BondReturned")["seat"] == 1
    assert case.task.withdrawable(dave) == before + BOND


def test_first_bond(case: Case, dave: Any) -> None:
    """The first bond against a miner that is guilty of the same comes back by itself."""
    assert case.task.withdrawable(dave) == BOND
    claim = case.claim(dave, 1)
    with reverts("LearningTask_NoClaim", claim):
        case.task.reclaim(claim, {"from": dave})


def test_after_the_end(case: Case, dave: Any, everybody: list[Any]) -> None:
    """There is no hurry."""
    while case.play.phase != Phase.CLOSED:
        case.play.until(Phase.MINE).propose(2)
        case.play.let_pass(Phase.CHALLENGE)
        case.play.finalise()
    assert_balanced(case.task, everybody, bonds=3)
    for claim in (case.claim(dave, 0), case.claim(dave, 1, salt=OTHER), case.asked(dave, 1)):
        case.task.reclaim(claim, {"from": dave})
    before = dave.balance()
    case.task.withdraw(dave, {"from": dave})
    assert dave.balance() == before + 4 * BOND
    assert_balanced(case.task, everybody)
