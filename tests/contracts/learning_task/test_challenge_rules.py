"""`LearningTask.challenge`: what is right and wrong by each aggregation rule, and after the last parameter."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ..support import chain
from ..support.disputes import LIE, Case, lied
from ..support.errors import reverts
from ..support.events import log
from ..support.kinds import Phase, Rule, Verdict
from ..support.models import Models, entry
from ..support.nodes import Nodes
from ..support.play import Play
from ..support.terms import BASE

COUNT = BASE["parameterCount"]
PADDED = 160  # with the padding: five leaves
RULES = [(Rule.WEIGHTED_MEAN, 0), (Rule.MEDIAN, 0), (Rule.TRIMMED_MEAN, 2500), (Rule.TRIMMED_MEAN, 0)]
RULE_NAMES = ["mean", "median", "trimmed mean", "nothing trimmed"]


def four_trainers(publish: Any, dave: Any, rule: Rule, share: int) -> Play:
    """A task with so many that the trimmed mean still weighs."""
    play = publish(aggregationRule=rule, trimShare=share)
    play.trainers = [*play.trainers, dave]
    return play


def stained(play: Play, value: int) -> tuple[Case, bytes]:
    """All agree on a result whose tree holds `value` at coordinate 155, after the last parameter; and the evidence."""
    models = Models.of(play.until(Phase.SEAL))
    leaves = Nodes.of(models.truth()).leaves
    leaf = leaves[4][: 4 * (155 - 128)] + value.to_bytes(4, "little") + leaves[4][4 * (156 - 128) :]
    root = Nodes(COUNT, [*leaves[:4], leaf]).root
    case = Case.of(play, {})
    case = replace(case, results={seat: replace(made, root=root) for seat, made in case.results.items()})
    case.seal()
    case.propose(0)
    case.open()
    return case, leaf + entry(models.truth(), 4)[128:]


# ---------------------------------------------------------------------- reverts


def test_wrong_order_by_value(publish: Any, eve: Any) -> None:
    """By value for the median."""
    case = lied(publish(aggregationRule=Rule.MEDIAN), 0, 1)
    case.commit(eve)
    first, second, third = case.models.order(LIE)
    assert [first, second, third] != [0, 1, 2]
    swapped = case.models.evidence(LIE, case.made[0], [second, first, third])
    with reverts("LearningTask_WrongProof", 1, 3):
        case.task.challenge(*case.proof(evidence=swapped), {"from": eve})


def test_no_input_that_was_rejected(publish: Any, eve: Any) -> None:
    """Nor one that the miners' verdicts left out: the result is of the other two."""
    play = publish().until(Phase.CHECK)
    play.check(verdicts=play.said.verdicts({1: Verdict.COPY}))
    case = lied(play, 0, 1)
    case.commit(eve)
    with reverts("LearningTask_WrongProof", 1, 2):
        case.task.challenge(*case.proof(evidence=case.models.evidence(LIE, case.made[0], [0, 1])), {"from": eve})
    assert log(case.task.challenge(*case.proof(), {"from": eve}), "Refuted")["seat"] == 0


@pytest.mark.parametrize(("rule", "share"), RULES, ids=RULE_NAMES)
def test_right_by_each_rule(publish: Any, dave: Any, eve: Any, rule: Rule, share: int) -> None:
    """Whatever the rule: sums below zero are rounded down too, and one leaf has a shorter path."""
    case = lied(four_trainers(publish, dave, rule, share), 0, 1)
    for coordinate in (0, 1, 2, 3, 31, 32, 64, 127, 128, COUNT - 1):
        claim = case.commit(eve, 2, coordinate)
        with reverts("LearningTask_NotProven", claim):
            case.task.challenge.call(*case.proof(2, coordinate), {"from": eve})


def test_clean_padding(publish: Any, eve: Any) -> None:
    """What is after the last parameter is zero."""
    case = lied(publish(), 0, 1)
    for coordinate in (COUNT, PADDED - 1):
        claim = case.commit(eve, 0, coordinate)
        with reverts("LearningTask_NotProven", claim):
            case.task.challenge(*case.proof(0, coordinate), {"from": eve})


def test_padding_takes_no_inputs(publish: Any, eve: Any) -> None:
    """Evidence of a stained padding is the result's leaf alone."""
    case, shown = stained(publish(), 1)
    case.commit(eve, 0, 155)
    inputs = b"".join(case.models.shown(seat, 4) for seat in range(3))
    with reverts("LearningTask_WrongProof", len(inputs + shown), len(shown)):
        case.task.challenge(*case.proof(0, 155, evidence=inputs + shown), {"from": eve})


# ---------------------------------------------------------------------- successes


@pytest.mark.parametrize("by", [-1, 1])
@pytest.mark.parametrize(("rule", "share"), RULES, ids=RULE_NAMES)
def test_each_rule(publish: Any, dave: Any, eve: Any, rule: Rule, share: int, by: int) -> None:
    """One unit too much or too little is a lie, whatever the rule."""
    play = four_trainers(publish, dave, rule, share).until(Phase.SEAL)
    case = Case.of(play, dict.fromkeys((0, 1), Models.of(play).lie(COUNT - 1, by)))
    case.seal()
    case.propose(0)
    case.open()
    case.commit(eve, 0, COUNT - 1)
    tx = case.task.challenge(*case.proof(0, COUNT - 1), {"from": eve})
    assert log(tx, "Refuted")["coordinate"] == COUNT - 1


@pytest.mark.parametrize("value", [1, 2**31])
def test_stained_padding(publish: Any, eve: Any, value: int) -> None:
    """A result may not carry anything after its last parameter: one leaf shows it."""
    case, shown = stained(publish(), value)
    case.commit(eve, 0, 155)
    tx = case.task.challenge(*case.proof(0, 155, evidence=shown), {"from": eve})
    assert log(tx, "Refuted")["coordinate"] == 155
    assert case.play.phase == Phase.FINALISE  # all agreed: nobody is left to mine again


def test_weights_of_a_later_round(publish: Any, eve: Any) -> None:
    """Weights follow the qualities that scores have moved, and samples only count up to the cap."""
    play = publish().until(Phase.COMMIT)
    play.play_round()
    boast = replace(play.said.update(0), samples=2**32 - 1)
    chain.send(play.trainers[0], play.task.commit, play.said.commitment(0, boast))
    play.commit(1, 2)
    chain.send(play.trainers[0], play.task.reveal, *boast.values())
    play.reveal(1, 2)
    case = lied(play, 0, 1)
    assert case.models.weights == {0: 51, 1: 102, 2: 154}  # 50, 100, 150 before
    claim = case.commit(eve, 2)
    with reverts("LearningTask_NotProven", claim):
        case.task.challenge(*case.proof(2), {"from": eve})
    case.commit(eve, 0)
    assert log(case.task.challenge(*case.proof(), {"from": eve}), "Refuted")["round"] == 2
