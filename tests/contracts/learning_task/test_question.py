"""`LearningTask.question`: asks a miner for bytes that nobody can get."""

from __future__ import annotations

from typing import Any

import pytest

from ..support import chain
from ..support.disputes import BOND, SALT, Case, lied
from ..support.errors import reverts
from ..support.events import log, names, plain
from ..support.kinds import Phase
from ..support.money import assert_balanced
from ..support.terms import BASE

COUNT = 2100  # 66 leaves: seven levels above them, of 33, 17, 9, 5, 3, 2 and 1 nodes
TOP = 7
RESPONSE = BASE["responseWindow"]


@pytest.fixture(scope="module")
def case(module_isolation: None, publish: Any) -> Case:
    """Seats 0 and 1 agree on a lie, and a block carries it. Challenge runs."""
    return lied(publish(parameterCount=COUNT), 0, 1)


def question(case: Case, who: Any, seat: int = 0, value: int = BOND, **asked: Any) -> Any:
    return case.task.question(*case.asking(seat, **asked), {"from": who, "value": value})


# ---------------------------------------------------------------------- reverts


def test_before_the_first_block(publish: Any, eve: Any) -> None:
    case = Case.of(publish().until(Phase.SEAL), {})
    case.seal()
    with reverts("LearningTask_WrongPhase", Phase.MINE, Phase.CHALLENGE):
        question(case, eve)


def test_after_the_window(case: Case, eve: Any) -> None:
    chain.next_at(case.play.status["deadline"])
    with reverts("LearningTask_WrongPhase", Phase.FINALISE, Phase.CHALLENGE):
        question(case, eve)


def test_not_opened(publish: Any, eve: Any) -> None:
    case = Case.of(publish().until(Phase.SEAL), {})
    case.seal()
    case.propose(0)
    with reverts("LearningTask_NotOpened", 1):
        question(case, eve, 1)


def test_fast_block_of_this_very_block(publish: Any, eve: Any) -> None:
    """As with a challenge: it may still give way to a vote."""
    play = publish(fastBlocks=1).until(Phase.COMMIT)
    play.play_round()
    case = Case.of(play.until(Phase.SEAL), {})
    nonce, _ = play.fast_work(0, case.results[0])
    chain.send(play.miners[0], play.task.proposeFast, 0, case.results[0].values(), nonce)
    number = play.round["fastBlock"]
    with reverts("LearningTask_TooEarly", number, number + 1):
        play.task.question.call(*case.asking(), {"from": eve, "value": BOND})


@pytest.mark.parametrize("part", ["root", "content_id"])
def test_not_that_miners_result(case: Case, eve: Any, part: str) -> None:
    with reverts("LearningTask_WrongResult", 0):
        question(case, eve, **{part: b"\x09" * 32})


def test_above_the_top(case: Case, eve: Any) -> None:
    values = case.asking()
    with reverts("LearningTask_WrongProof", TOP + 1, TOP):
        case.task.question(*values[:3], TOP + 1, *values[4:], {"from": eve, "value": BOND})


@pytest.mark.parametrize(("height", "width"), [(0, 66), (1, 33), (6, 2), (7, 1)])
def test_beside_the_last(case: Case, eve: Any, height: int, width: int) -> None:
    """Nodes are counted as the tree has them."""
    values = case.asking(height=height)
    with reverts("LearningTask_WrongProof", width, width - 1):
        case.task.question(*values[:4], width, *values[5:], {"from": eve, "value": BOND})


@pytest.mark.parametrize(("height", "index", "length"), [(0, 0, 7), (0, 65, 2), (1, 32, 1), (2, 16, 1), (6, 1, 1)])
def test_wrong_length_of_path(case: Case, eve: Any, height: int, index: int, length: int) -> None:
    """A node has one sibling per level, and none where it moves up alone."""
    path = case.nodes().path(height, index)
    assert len(path) == length
    for wrong in (path[:-1], [*path, b"\x00" * 32]):
        with reverts("LearningTask_WrongProof", len(wrong), length):
            question(case, eve, height=height, index=index, path=wrong)


def test_not_the_root(case: Case, eve: Any) -> None:
    """The top is named by the root itself: nobody has to know what is under it."""
    nodes = case.nodes()
    for wrong in (nodes.rows[TOP][0], SALT):
        with reverts("LearningTask_WrongProof", int.from_bytes(wrong, "big"), int.from_bytes(nodes.root, "big")):
            question(case, eve, node=wrong)


@pytest.mark.parametrize(("height", "index"), [(6, 1), (1, 32), (0, 0)])
def test_no_node_of_the_tree(case: Case, eve: Any, height: int, index: int) -> None:
    """What is asked for is bound by the root."""
    nodes = case.nodes()
    found = nodes.climb(height, index, SALT, nodes.path(height, index))
    with reverts("LearningTask_WrongProof", int.from_bytes(found, "big"), int.from_bytes(nodes.root, "big")):
        question(case, eve, height=height, index=index, node=SALT)


def test_node_at_another_place(case: Case, eve: Any) -> None:
    """So is its place."""
    nodes = case.nodes()
    node, path = nodes.rows[1][0], nodes.path(1, 1)
    found = nodes.climb(1, 1, node, path)
    with reverts("LearningTask_WrongProof", int.from_bytes(found, "big"), int.from_bytes(nodes.root, "big")):
        question(case, eve, height=1, index=1, node=node)


@pytest.mark.parametrize("wrong", [-BOND, -1, 1])
def test_wrong_bond(case: Case, eve: Any, wrong: int) -> None:
    """A question costs as much as a challenge."""
    with reverts("LearningTask_WrongBond", BOND + wrong, BOND):
        question(case, eve, value=BOND + wrong)


def test_twice(case: Case, eve: Any) -> None:
    """Nobody asks the same twice."""
    claim = case.ask(eve)
    with reverts("LearningTask_AlreadyClaimed", claim):
        question(case, eve)


def test_twice_after_the_answer(case: Case, eve: Any) -> None:
    """Answered or not."""
    claim = case.ask(eve)
    chain.send(eve, case.task.answer, claim, case.nodes().below(TOP, 0))
    with reverts("LearningTask_AlreadyClaimed", claim):
        question(case, eve)


# ---------------------------------------------------------------------- successes


def test_top(case: Case, eve: Any, everybody: list[Any]) -> None:
    """The first time the top is asked for, by the root, which needs no path."""
    tx = question(case, eve)
    claim, deadline = case.asked(eve), tx.timestamp + RESPONSE
    assert names(tx) == ["Questioned"]
    assert log(tx, "Questioned") == {
        "round": 1,
        "seat": 0,
        "challenger": eve,
        "claim": claim,
        "height": TOP,
        "index": 0,
        "deadline": deadline,
    }
    assert plain(case.task.questionOf(claim)) == (case.results[0].root, 0, deadline)
    assert plain(case.task.stakeOf(claim)) == (eve, tx.block_number, 1, 0, TOP + 1)
    assert case.task.miner(0)["stakes"] == 1
    assert case.play.round["lastDispute"] == tx.timestamp
    assert_balanced(case.task, everybody, bonds=1)


@pytest.mark.parametrize(("height", "index"), [(6, 0), (6, 1), (1, 0), (1, 32), (2, 16), (0, 0), (0, 65)])
def test_below_the_top(case: Case, eve: Any, height: int, index: int) -> None:
    """Any node may be asked for, also one that moved up alone, and a leaf itself."""
    tx = question(case, eve, height=height, index=index)
    event = log(tx, "Questioned")
    assert (event["height"], event["index"]) == (height, index)
    asked = case.task.questionOf(case.asked(eve, height=height, index=index))
    assert (bytes(asked["node"]), asked["index"]) == (case.nodes().rows[height][index], index)


def test_smallest_tree(publish: Any, eve: Any) -> None:
    """In a model of one leaf that is the top."""
    case = lied(publish(parameterCount=8), 0, 1)
    question(case, eve)
    assert plain(case.task.stakeOf(case.asked(eve)))[-1] == 1


def test_several(case: Case, dave: Any, eve: Any, everybody: list[Any]) -> None:
    """Several may ask the same; one may ask several miners."""
    for who, seat in ((eve, 0), (dave, 0), (eve, 1), (eve, 2)):
        question(case, who, seat)
    assert [case.task.miner(seat)["stakes"] for seat in range(3)] == [2, 1, 1]
    assert_balanced(case.task, everybody, bonds=4)


def test_in_spite_of_a_squatter(case: Case, mia: Any, eve: Any) -> None:
    """Who is asked cannot block the question by a bond on its claim, which everybody can work out."""
    chain.send(mia, case.task.commitChallenge, 0, case.asked(eve), value=BOND)
    assert log(question(case, eve), "Questioned")["challenger"] == eve


def test_prolongs_the_window(case: Case, eve: Any) -> None:
    """There is time for the answer, and for what follows from it."""
    end = case.play.status["deadline"]
    chain.next_at(end - 1)
    question(case, eve)
    assert case.play.status["deadline"] == end + 6 * RESPONSE


def test_bond_is_lost(case: Case, eve: Any, everybody: list[Any]) -> None:
    """Who asks for what anybody can get, or does not use the answer, has lost its bond."""
    claim = case.ask(eve, 2)
    chain.send(eve, case.task.answer, claim, case.nodes(2).below(TOP, 0))
    case.play.let_pass(Phase.CHALLENGE)
    tx = case.task.finalise(*case.play.medians(), {"from": eve})
    assert log(tx, "BondsLost") == {"round": 1, "seat": 2, "amount": BOND}
    assert_balanced(case.task, everybody)
