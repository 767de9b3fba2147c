"""Refuted results, lost bonds, questions, blocks mined again: auditor and contract agree to the wei."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bcfl_client.audit import AuditReport, DisputantAudit, audit_task
from bcfl_client.chain.digests import challenge_digest, claim_id
from bcfl_client.errors import ContractReverted
from bcfl_client.learning.tree import ParameterTree, root_hash
from bcfl_client.storage import DirectoryStore
from bcfl_client.types import Fault, Phase, State

from .dice import check_clock
from .disputes import answer, ask, claim, refute, show
from .lies import lied, word
from .stage import Stage
from .world import BASE, World

WRONG = 41_000  # the coordinate at which false results are wrong
BOND, DEPOSIT = BASE["challengeBond"], BASE["minerDeposit"]


def _to_seal(stage: Stage) -> None:
    stage.commit()
    stage.reveal()
    stage.check()


def _audited(stage: Stage) -> AuditReport:
    """The report after everybody took out what there was: OK, with all bonds and bounties accounted for."""
    stage.withdraw_all()
    report = audit_task(stage.world.connection, stage.store, stage.task.address, wait_seconds=0)
    assert report.ok, report.summary
    if report.state in ("completed", "aborted"):
        assert report.totals.left_wei == 0
    return report


def _disputant(report: AuditReport, stage: Stage, account: int) -> DisputantAudit:
    address = stage.world.accounts[account].address
    return next(one for one in report.disputants if one.account == address)


def test_one_watcher_against_all_miners(running: Stage) -> None:
    """All agree on a false model: without a result the round is void, all deposits are gone, half of them to a watcher
    that has no part in the task. Nothing is different: what is wrong was refuted."""
    _to_seal(running)
    running.mine(dict.fromkeys(running.miners, running.false_result(WRONG)))
    assert running.task.status().phase == Phase.CHALLENGE
    refute(running, 16, 1, WRONG)
    running.finalise()
    report = _audited(running)
    (played,) = report.rounds
    assert (report.state, played.accepted, played.refuted, played.claims) == ("aborted", False, (0, 1, 2), 1)
    watcher = _disputant(report, running, 16)
    assert (watcher.refutations, watcher.bounties_wei) == (1, 3 * (DEPOSIT // 2))
    assert (watcher.posted_wei, watcher.returned_wei) == (BOND, BOND)
    assert watcher.withdrawn_wei == watcher.bounties_wei + BOND
    assert [one.slashed_wei for one in report.participants if one.role == "miner"] == [DEPOSIT] * 3


def test_the_rest_mine_again(running: Stage) -> None:
    """Two of three are refuted: the third's result is the truth, and it makes the block, in attempt 1."""
    _to_seal(running)
    running.mine(dict.fromkeys((0, 1), running.false_result(WRONG)))
    refute(running, 16, 0, WRONG)
    check_clock(running)
    assert running.task.status().phase == Phase.MINE
    running.propose(2)
    check_clock(running)
    running.finalise()
    _to_seal(running)
    running.mine(proposers=[2])
    running.finalise()
    report = _audited(running)
    first, second = report.rounds
    assert (first.miner, first.attempt, first.aggregate, first.refuted) == (2, 1, "recomputed", (0, 1))
    assert (second.miner, second.attempt) == (2, 0)


def test_a_majority_without_a_block_mines_again(running: Stage) -> None:
    """The liar was first; nobody challenges it, and still its block does not count."""
    _to_seal(running)
    running.mine({0: running.false_result(WRONG)})
    running.propose(1)
    running.finalise()
    running.honest_round()
    report = _audited(running)
    assert (report.rounds[0].miner, report.rounds[0].attempt) == (1, 1)
    faults = [Fault(e.args["fault"]) for e in running.task.events() if e.name == "Slashed"]  # type: ignore[arg-type]
    assert faults == [Fault.OUTVOTED]


def test_nobody_mines_again(running: Stage) -> None:
    """Then the round is void after `mineWindow`."""
    _to_seal(running)
    running.mine(dict.fromkeys((0, 1), running.false_result(WRONG)))
    refute(running, 16, 0, WRONG)
    running.finalise()
    assert not _audited(running).rounds[0].accepted


def test_the_earliest_commitment_gets_the_bounty(running: Stage) -> None:
    """Who committed later has its bond back, in whatever order they show; so has who named a liar and never showed."""
    _to_seal(running)
    running.mine({2: running.false_result(WRONG)})
    first, second, silent = (claim(running, watcher, 2, WRONG) for watcher in (16, 17, 18))
    show(running, second)
    show(running, first)
    with pytest.raises(ContractReverted):
        running.actor(18).reclaim(silent.id)
    running.finalise()
    running.actor(19).reclaim(silent.id)
    report = _audited(running)
    assert [_disputant(report, running, who).bounties_wei for who in (16, 17, 18)] == [DEPOSIT // 2, 0, 0]
    assert [_disputant(report, running, who).returned_wei for who in (16, 17, 18)] == [BOND] * 3


def test_who_copies_a_claim_gains_nothing(running: Stage) -> None:
    """Its owner posts the same digest after it and shows it; the copy is worth its bond."""
    _to_seal(running)
    running.mine({2: running.false_result(WRONG)})
    place = running.task.place(running.round_id, 0, running.world.accounts[16].address)
    copied = challenge_digest(place, 2, WRONG, (1).to_bytes(32, "big"))
    running.actor(17).commit_challenge(2, copied)
    show(running, claim(running, 16, 2, WRONG))
    running.finalise()
    running.actor(19).reclaim(claim_id(2, copied, running.world.accounts[17].address))
    report = _audited(running)
    assert [_disputant(report, running, who).bounties_wei for who in (16, 17)] == [DEPOSIT // 2, 0]
    assert [_disputant(report, running, who).returned_wei for who in (16, 17)] == [BOND] * 2


def test_wrong_padding(running: Stage) -> None:
    """What comes after the last parameter must be zero: the result's own leaf is enough."""
    _to_seal(running)
    count = len(running.base)
    values = np.concatenate([running.aggregate(), np.ones(-count % 32, dtype=np.int32)])
    tree = ParameterTree(values)
    root = root_hash(count, tree.node(tree.height, 0))
    running.known[root] = values
    running.mine({2: {"root": root}})
    refute(running, 16, 2, count + 3)
    running.finalise()
    assert _audited(running).rounds[0].refuted == (2,)


def test_a_refuted_miner_stays_refuted_when_others_are_challenged(running: Stage) -> None:
    """Bonds against it are settled once: those of a later round are another matter."""
    _to_seal(running)
    running.mine({2: running.false_result(WRONG)})
    refute(running, 16, 2, WRONG)
    running.finalise()
    _to_seal(running)
    running.mine()
    claim(running, 17, 0, WRONG)
    running.finalise()
    report = _audited(running)
    assert (_disputant(report, running, 16).lost_wei, _disputant(report, running, 17).lost_wei) == (0, BOND)


def test_bonds_against_what_stands_are_lost(running: Stage) -> None:
    """Half is burnt, half is the block's miner's."""
    _to_seal(running)
    running.mine()
    one = claim(running, 2, 0, WRONG)  # a trainer's
    with pytest.raises(ContractReverted):
        show(running, one)
    claim(running, 17, 1, 5)
    running.finalise()
    running.honest_round()
    report = _audited(running)
    winner = running.miners[0].sender.address
    assert [one.received_wei for one in report.disputants if one.account == winner] == [BOND]
    assert report.totals.burnt_wei == BOND
    assert _disputant(report, running, 2).lost_wei == BOND
    assert "disputes: 2 claims, 0 shown" in report.summary


def test_bonds_in_a_void_round_go_to_the_pool(running: Stage) -> None:
    """Half of them; nobody won."""
    _to_seal(running)
    bonds: list[object] = []

    def object_once() -> None:
        if not bonds:
            bonds.append(claim(running, 17, 0, 5))

    running.mine({0: {"root": b"\6" * 32}, 1: {"root": b"\7" * 32}}, meanwhile=object_once)
    running.finalise()
    running.honest_round()
    report = _audited(running)
    assert (report.rounds[0].accepted, _disputant(report, running, 17).lost_wei) == (False, BOND)
    assert report.totals.burnt_wei == BOND // 2


def test_questions_answered_and_not(running: Stage) -> None:
    """Two levels of answers; then one question too many, and silence refutes."""
    _to_seal(running)
    running.mine({2: running.false_result(WRONG)})
    for height, index in ((None, 0), (5, WRONG // 32 >> 5)):
        answer(running, ask(running, 16, 2, height, index))
        check_clock(running)
    late = ask(running, 17, 2, 0, 3)
    with pytest.raises(ContractReverted):
        running.actor(17).expire(late.digest)
    running.world.later(BASE["responseWindow"])
    with pytest.raises(ContractReverted):
        answer(running, late)
    running.actor(18).expire(late.digest)
    running.finalise()
    for one in running.task.events():
        if one.name == "Questioned" and one.args["claim"] != late.digest:
            running.actor(16).reclaim(one.args["claim"])  # type: ignore[arg-type]
    running.honest_round()
    report = _audited(running)
    assert report.rounds[0].refuted == (2,)
    assert (_disputant(report, running, 16).returned_wei, _disputant(report, running, 17).refutations) == (2 * BOND, 1)
    assert not any("left a question" in note for note in report.notes)


def test_silence_about_what_is_right(running: Stage) -> None:
    """It is refuted all the same; the report tells that the result was right."""
    _to_seal(running)
    running.mine({1: {"accuracy": 1}})
    question = ask(running, 16, 0)
    running.world.later(BASE["responseWindow"])
    running.actor(16).expire(question.digest)
    running.finalise()
    running.withdraw_all()
    report = audit_task(running.world.connection, running.store, running.task.address, wait_seconds=0)
    assert not report.differences
    assert any("miner 0" in note and "left a question without an answer" in note for note in report.notes)


def test_disputes_prolong_the_window(running: Stage) -> None:
    """Once, by six response windows."""
    _to_seal(running)
    running.mine()
    last = running.task.status().round.window_from + BASE["minWindow"] + 6 * BASE["responseWindow"]
    for number in range(3):
        running.world.later(max(0, running.task.status().deadline - running.world.now()[0] - 5))
        claim(running, 16, 0, WRONG, number)
        check_clock(running)
        status = running.task.status()
        assert (status.phase, status.deadline) == (Phase.CHALLENGE, last)
    running.finalise()
    report = _audited(running)
    assert (report.rounds[0].exposed or 0) >= BASE["minWindow"] + 6 * BASE["responseWindow"]


@pytest.mark.parametrize("rule", [0, 1, 2])
def test_fork_rules(world: World, store: DirectoryStore, rule: int) -> None:
    """The earliest block, the miner with the best record, the lowest hash; the others share the fee as openers."""
    stage = Stage(world, store, terms={"forkRule": rule, "forkWindow": 100, "rounds": 3}).bid().select()
    for proposers in ([2], [0, 1, 2], [1, 2, 0]):
        _to_seal(stage)
        stage.mine(proposers=proposers)
        stage.finalise()
    report = _audited(stage)
    blocks: list[Any] = [e.args for e in stage.task.events() if e.name == "Proposed"]
    lowest = [min((b["blockHash"], b["seat"]) for b in blocks if b["round"] == i)[1] for i in (1, 2, 3)]
    assert [one.miner for one in report.rounds] == [[2, 0, 1], [2, 2, 2], lowest][rule]


@pytest.mark.parametrize("rule", [0, 1, 2])
def test_aggregation_rules(world: World, store: DirectoryStore, rule: int) -> None:
    """Each is recomputed bit for bit, and one false coordinate refuted, with relayed updates."""
    stage = Stage(world, store, terms={"aggregationRule": rule, "trimShare": 3334}).bid().select()
    stage.commit(relayed=[0, 2])
    stage.reveal(relayed=[1, 2])
    stage.check()
    stage.mine({2: stage.false_result(WRONG, -1)})
    refute(stage, 16, 2, WRONG)
    stage.finalise()
    stage.commit(but=[0], relayed=[1, 2])
    stage.reveal(relayed=[1, 2])
    stage.check()
    stage.mine()
    stage.finalise()
    report = _audited(stage)
    assert [(one.aggregate, one.refuted) for one in report.rounds] == [("recomputed", (2,)), ("recomputed", ())]
    assert stage.task.status().state == State.COMPLETED


# ------------------------------------------------------------------ what is not as it must be


@pytest.fixture
def disputed(running: Stage) -> Stage:
    """A round with a refuted result, a question and a lost bond."""
    _to_seal(running)
    running.mine({2: running.false_result(WRONG)})
    refute(running, 16, 2, WRONG)
    answer(running, ask(running, 17, 0))
    running.finalise()
    return running


def test_a_refutation_of_what_is_right_is_named(disputed: Stage) -> None:
    """The event says another coordinate than that which is wrong: both values are the same there."""
    (difference,) = lied(disputed, "Refuted", word(1, lambda coordinate: coordinate - 1)).differences
    assert difference.where.startswith("round 1, miner 2")
    assert difference.what.endswith(f"refuted at coordinate {WRONG - 1}") and "another than" in difference.expected


@pytest.mark.parametrize(
    ("name", "index", "what"),
    [
        ("BountyPaid", 0, "BountyPaid, bounty in wei"),
        ("BondsLost", 0, "BondsLost, amount in wei"),
        ("Questioned", 3, "deadline of the answer"),
        ("Questioned", 2, "claim of the question"),
        ("Answered", 2, "root of the answered nodes"),
        ("ChallengeCommitted", 0, "bond behind the claim"),
    ],
)
def test_another_value_is_named(disputed: Stage, name: str, index: int, what: str) -> None:
    """One more, in one word of one event."""
    report = lied(disputed, name, word(index, lambda value: value + 1))
    assert any(what in one.what for one in report.differences), report.summary


@pytest.mark.parametrize("name", ["ChallengeCommitted", "Refuted", "Questioned", "BountyPaid", "BondsLost"])
def test_a_dispute_left_out_is_named(disputed: Stage, name: str) -> None:
    """Without any one of its events the money does not add up."""
    assert lied(disputed, name, lambda log: None).exit_code == 1
