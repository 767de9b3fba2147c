"""`bcfl rewards` and `bcfl status` of tasks with disputes: who objected, what it brought, also without a seat."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from bcfl_client.audit import AuditReport, audit_task
from bcfl_client.cli import main
from bcfl_client.config import format_wei
from bcfl_client.storage import DirectoryStore

from .disputes import answer, ask, claim, refute, show
from .stage import Stage
from .world import BASE, World

WRONG = 41_000
BOND, BOUNTY = BASE["challengeBond"], BASE["minerDeposit"] // 2


def _said(capsys: pytest.CaptureFixture[str], stage: Stage, command: str, *options: str) -> str:
    capsys.readouterr()
    assert main([command, stage.task.address, "--rpc", stage.world.connection.url, *options]) == 0
    return capsys.readouterr().out


def _agrees(said: str, report: AuditReport) -> None:
    """The command and the audit count the same."""
    found = {one["address"]: one for one in json.loads(said)["disputes"]}
    for one in report.disputants:
        expected = {name.removesuffix("_wei"): value for name, value in asdict(one).items()}
        assert expected.items() - {("withdrawn", one.withdrawn_wei), ("account", one.account)} <= set(
            found[one.account].items()
        )
    assert len(found) == len(report.disputants)


@pytest.fixture
def disputed(running: Stage) -> Stage:
    """Miner 2 is refuted twice, by two watchers; a third watcher and trainer 0 lose bonds to miner 0."""
    running.commit()
    running.reveal()
    running.check()
    running.mine({2: running.false_result(WRONG)})
    first, second = claim(running, 16, 2, WRONG), claim(running, 17, 2, WRONG)
    show(running, second)
    show(running, first)
    answer(running, ask(running, 18, 0))
    claim(running, 2, 1, WRONG)
    return running


def test_rewards_name_watchers(disputed: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """A line each, with bounty and bonds; the totals hold the bonds."""
    disputed.finalise()
    text = _said(capsys, disputed, "rewards")
    lines = {line.split()[1]: line for line in text.partition("disputes:")[2].splitlines() if " 0x" in line}
    accounts = disputed.world.accounts
    bounty, bond = format_wei(BOUNTY), format_wei(BOND)
    cells = [cell.strip() for cell in lines[accounts[16].address].split("  ") if cell]
    assert cells == ["watcher", accounts[16].address, "1", "1", bounty, bond, bond, "0 wei", "0 wei"]
    assert "trainer" in next(line for line in text.splitlines() if accounts[2].address in line)
    said = _said(capsys, disputed, "rewards", "--json")
    report = audit_task(disputed.world.connection, disputed.store, disputed.task.address, wait_seconds=0)
    assert report.ok, report.summary
    _agrees(said, report)
    money = json.loads(said)["money"]
    assert money["paid_in"] == report.totals.paid_in_wei
    assert money["left"] == disputed.world.connection.balance(disputed.task.address)
    roles = {one["address"]: one["role"] for one in json.loads(said)["disputes"]}
    assert roles[disputed.miners[0].sender.address] == "miner 0"


def test_status_names_who_is_refuted_and_by_whom(disputed: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """In the running round already."""
    text = _said(capsys, disputed, "status")
    accounts = disputed.world.accounts
    assert f"refuted   1: {disputed.miners[2].sender.address}" in text
    shown = next(line for line in text.splitlines() if accounts[17].address in line and "watcher" in line)
    assert f"1 claims, 1 shown, bounties 0 wei, bonds {format_wei(BOND)}: {format_wei(BOND)} returned" in shown


def test_without_disputes_nothing_is_said_of_them(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """One table, no line."""
    assert "disputes" not in _said(capsys, stage, "rewards") + _said(capsys, stage, "status")


def test_rounds_without_votes_and_void_ones(
    world: World, store: DirectoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """A fast block that is refuted, and one that stands, which has no scores; blocks mined again."""
    terms = {"fastBlocks": 1, "fastRewards": 0, "rounds": 4, "maxStrikes": 5, "maxVoidRounds": 9}
    stage = Stage(world, store, terms=terms).bid().select()
    stage.honest_round()
    for number in range(2):
        stage.commit()
        stage.reveal()
        stage.check()
        stage.propose_fast(0, **(stage.false_result(WRONG) if number else {}))
        if stage.task.status().round.fast and stage.task.status().phase.name == "CHALLENGE":
            assert f"fast      block of {stage.miners[0].sender.address}" in _said(capsys, stage, "status")
            if number:
                refute(stage, 16, 0, WRONG)
        stage.finalise()
    report = audit_task(world.connection, store, stage.task.address, wait_seconds=0)
    assert report.ok, report.summary
    said = _said(capsys, stage, "rewards", "--json")
    _agrees(said, report)
    assert json.loads(said)["money"]["left"] == report.totals.left_wei
