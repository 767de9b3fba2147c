"""What disputes do to the phases of a round: a window may get longer, but what the clock has ended stays ended."""

from __future__ import annotations

from typing import Any

import pytest

from ..support import chain
from ..support.disputes import LIE, Case, lied
from ..support.kinds import Phase
from ..support.models import Models
from ..support.terms import BASE

LONG = 3000  # seconds: an answer may come after everything else


@pytest.fixture
def again(fn_isolation: None, publish: Any, dave: Any, eve: Any) -> Case:
    """Eve has refuted the lie of seats 0 and 1, so that seat 2 may mine again. Dave has asked, and committed to
    the same proof."""
    case = lied(publish(responseWindow=LONG), 0, 1)
    case.ask(dave)
    case.commit(dave)
    case.refute(eve)
    return case


@pytest.fixture
def fast(fn_isolation: None, publish: Any, dave: Any, eve: Any) -> Case:
    """The same of a fast block of seat 0; the round goes on with Seal, and seat 1 has sealed."""
    play = publish(fastBlocks=1, responseWindow=LONG).until(Phase.COMMIT)
    play.play_round()
    case = Case.of(play.until(Phase.SEAL), {0: Models.of(play).lie(LIE)})
    play.propose_fast(0, case.results)
    case.ask(dave)
    case.commit(dave)
    case.refute(eve)
    play.seal(1, results=case.results)
    return case


def act(case: Case, dave: Any, name: str) -> None:
    """What Dave began comes to its end, if the contract still takes it."""
    if name == "answer":
        top = case.nodes().height
        chain.attempt(dave, case.task.answer, case.asked(dave), case.nodes().below(top, 0))
    else:
        chain.attempt(dave, case.task.challenge, *case.proof())


BOTH = pytest.mark.parametrize("name", ["answer", "challenge"])


@BOTH
def test_mine_does_not_reopen(again: Case, dave: Any, name: str) -> None:
    """When nobody did in time, the round is void."""
    again.play.let_pass(Phase.MINE)
    act(again, dave, name)
    assert again.play.phase == Phase.FINALISE


@BOTH
def test_seal_does_not_reopen(fast: Case, dave: Any, name: str) -> None:
    """The work of those who mine is bound to all seals: no seal comes later."""
    fast.play.let_pass(Phase.SEAL)
    assert fast.play.phase == Phase.MINE
    act(fast, dave, name)
    assert fast.play.phase == Phase.MINE


def test_no_stall_by_bonds(publish: Any, dave: Any, eve: Any) -> None:
    """Bonds come back as soon as a second proof is shown: they must not buy more time one after the other."""
    case = lied(publish(), 0, 1)
    salts = [bytes([number]) * 32 for number in range(5)]
    for salt in salts:
        case.commit(dave, salt=salt)
    refuted = case.refute(eve) and chain.now()
    for salt in salts:
        chain.pass_time(BASE["mineWindow"] - 100)
        chain.attempt(dave, case.task.challenge, *case.proof(salt=salt))
    assert case.play.phase == Phase.FINALISE
    assert chain.now() < refuted + 5 * BASE["mineWindow"]
