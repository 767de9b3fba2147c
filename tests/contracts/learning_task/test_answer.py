"""`LearningTask.answer`: what is below a node, for all to see."""

from __future__ import annotations

from typing import Any

import pytest

from ..support import chain
from ..support.disputes import LIE, SALT, Case, lied
from ..support.errors import reverts
from ..support.events import log, names, plain
from ..support.kinds import Phase
from ..support.terms import BASE

COUNT = 2100  # as in `test_question.py`
TOP = 7
RESPONSE = BASE["responseWindow"]


@pytest.fixture(scope="module")
def case(module_isolation: None, publish: Any, eve: Any) -> Case:
    """Seats 0 and 1 agree on a lie, and a block carries it; Eve has asked 0 for the top. Challenge runs."""
    case = lied(publish(parameterCount=COUNT), 0, 1)
    case.ask(eve)
    return case


def parts(case: Case, height: int = TOP, index: int = 0) -> bytes:
    return case.nodes().below(height, index)


# ---------------------------------------------------------------------- reverts


def test_nothing_asked(case: Case, mia: Any) -> None:
    with reverts("LearningTask_NoClaim", SALT):
        case.task.answer(SALT, parts(case), {"from": mia})


def test_no_question(case: Case, dave: Any, mia: Any) -> None:
    """A challenge cannot be answered: it is shown, or it is not."""
    claim = case.commit(dave)
    with reverts("LearningTask_NoClaim", claim):
        case.task.answer(claim, parts(case), {"from": mia})


def test_twice(case: Case, eve: Any, mia: Any) -> None:
    claim = case.asked(eve)
    case.task.answer(claim, parts(case), {"from": mia})
    with reverts("LearningTask_NoClaim", claim):
        case.task.answer(claim, parts(case), {"from": mia})


def test_too_late(case: Case, eve: Any, mia: Any) -> None:
    claim = case.asked(eve)
    deadline = case.task.questionOf(claim)["deadline"]
    chain.next_at(deadline)
    with reverts("LearningTask_TooLate", deadline, deadline):
        case.task.answer(claim, parts(case), {"from": mia})


def test_in_a_later_round(case: Case, dave: Any, mia: Any) -> None:
    """A question ends with its round: the window is not prolonged for ever."""
    for number in range(6):
        chain.next_at(case.play.status["deadline"] - 1)
        case.commit(dave, salt=bytes([number]) * 32)
    chain.next_at(case.play.status["deadline"] - 1)
    claim = case.ask(dave)
    case.play.let_pass(Phase.CHALLENGE)
    case.play.finalise()
    assert chain.now() < case.task.questionOf(claim)["deadline"]
    with reverts("LearningTask_NoClaim", claim):
        case.task.answer(claim, parts(case), {"from": mia})


@pytest.mark.parametrize("cut", [-32, -1, 1])
def test_wrong_length(case: Case, eve: Any, mia: Any, cut: int) -> None:
    """An answer is whole, and nothing but the answer: here all 33 nodes of height 1."""
    whole = parts(case)
    assert len(whole) == 33 * 32
    with reverts("LearningTask_WrongProof", len(whole) + cut, len(whole)):
        case.task.answer(case.asked(eve), whole[:cut] if cut < 0 else whole + bytes(cut), {"from": mia})


@pytest.mark.parametrize(("height", "index", "length"), [(6, 0, 64), (6, 1, 2), (2, 16, 2), (1, 32, 2), (0, 65, 1)])
def test_wrong_count_of_leaves(case: Case, eve: Any, mia: Any, height: int, index: int, length: int) -> None:
    """Six levels and fewer above the leaves it is all of them, as many as the tree has there."""
    whole = parts(case, height, index)
    assert len(whole) == length * 128
    claim = case.ask(eve, 0, height, index)
    with reverts("LearningTask_WrongProof", len(whole) - 128, len(whole)):
        case.task.answer(claim, whole[:-128], {"from": mia})


@pytest.mark.parametrize(("height", "index"), [(7, 0), (6, 1), (0, 0)])
def test_other_bytes(case: Case, dave: Any, mia: Any, height: int, index: int) -> None:
    """Every byte is bound by the node."""
    claim = case.ask(dave, 0, height, index)
    whole = parts(case, height, index)
    for at in (0, len(whole) - 1):
        changed = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        with reverts("LearningTask_WrongResult", 0):
            case.task.answer(claim, changed, {"from": mia})


def test_other_order(case: Case, eve: Any, mia: Any) -> None:
    """So is the order."""
    whole = parts(case)
    with reverts("LearningTask_WrongResult", 0):
        case.task.answer(case.asked(eve), whole[32:64] + whole[:32] + whole[64:], {"from": mia})


# ---------------------------------------------------------------------- successes


def test_top(case: Case, eve: Any, mia: Any) -> None:
    """The question is closed; its bond stays until the round is settled."""
    claim = case.asked(eve)
    tx = case.task.answer(claim, parts(case), {"from": mia})
    assert names(tx) == ["Answered"]
    assert log(tx, "Answered") == {"round": 1, "seat": 0, "claim": claim, "parts": parts(case)}
    assert plain(case.task.questionOf(claim)) == (b"\x00" * 32, 0, 0)
    assert case.task.stakeOf(claim)["challenger"] == eve
    assert case.task.miner(0)["stakes"] == 1
    assert case.play.round["lastDispute"] == tx.timestamp


@pytest.mark.parametrize(("height", "index"), [(6, 0), (6, 1), (1, 32), (0, 65)])
def test_leaves(case: Case, eve: Any, mia: Any, height: int, index: int) -> None:
    """Six levels and fewer above them the leaves themselves are the answer."""
    claim = case.ask(eve, 0, height, index)
    tx = case.task.answer(claim, parts(case, height, index), {"from": mia})
    assert log(tx, "Answered")["parts"] == parts(case, height, index)


@pytest.mark.parametrize("count", [1, 8, 32])
def test_smallest_tree(publish: Any, eve: Any, mia: Any, count: int) -> None:
    """A model of one leaf is asked for, and given, at once."""
    play = publish(parameterCount=count).until(Phase.SEAL)
    case = Case.of(play, {})
    case.seal()
    case.propose(0)
    claim = case.ask(eve)
    tx = case.task.answer(claim, parts(case, 0, 0), {"from": mia})
    assert log(tx, "Answered")["parts"] == case.made[0].ljust(128, b"\x00")


def test_by_anybody(case: Case, eve: Any, dave: Any) -> None:
    """Who has the bytes may show them, whatever the miner does."""
    assert log(case.task.answer(case.asked(eve), parts(case), {"from": dave}), "Answered")["seat"] == 0


def test_until_the_last_second(case: Case, eve: Any, mia: Any) -> None:
    claim = case.asked(eve)
    chain.next_at(case.task.questionOf(claim)["deadline"] - 1)
    assert log(case.task.answer(claim, parts(case), {"from": mia}), "Answered")["claim"] == claim


def test_leaves_the_window(case: Case, eve: Any, mia: Any) -> None:
    """The question has prolonged it, the answer does not: there is time for three more, and for a proof."""
    end = case.play.status["deadline"]
    case.task.answer(case.asked(eve), parts(case), {"from": mia})
    assert case.play.status["deadline"] == end


def test_down_to_the_lie(case: Case, eve: Any, mia: Any) -> None:
    """From the top down to the leaf that differs from one's own, and then the proof: no bytes but the answers."""
    nodes, own = case.nodes(), case.nodes(2)
    chain.send(mia, case.task.answer, case.asked(eve), parts(case))
    (first,) = [i for i, (theirs, mine) in enumerate(zip(nodes.rows[1], own.rows[1])) if theirs != mine]
    assert first == LIE // 64
    claim = case.ask(eve, 0, 1, first)
    leaves = log(case.task.answer(claim, parts(case, 1, first), {"from": mia}), "Answered")["parts"]
    assert leaves[:128] != own.leaves[2 * first]
    case.commit(eve)
    assert log(case.task.challenge(*case.proof(), {"from": eve}), "Refuted")["coordinate"] == LIE
