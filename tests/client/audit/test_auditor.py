"""An honest task audits OK, and whatever was changed is named: bytes, scores, models, events, terms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bcfl_client.audit import AuditReport, audit_task
from bcfl_client.chain.contracts import artifact
from bcfl_client.chain.history import find_tasks
from bcfl_client.chain.sender import Sender
from bcfl_client.errors import ChainMismatch, ConfigError
from bcfl_client.scoring.rules import ScoringRule
from bcfl_client.storage import Content, DirectoryStore
from bcfl_client.types import pack_scores, unpack_scores

from .lies import lied
from .stage import Stage
from .world import World


def _audit(stage: Stage, **options: Any) -> AuditReport:
    return audit_task(stage.world.connection, stage.store, stage.task.address, wait_seconds=0, **options)


def _path(store: DirectoryStore, content: Content) -> Path:
    return Path(store.url.removeprefix("dir:")) / content.cid


def test_an_honest_task_is_ok(stage: Stage) -> None:
    """All paid out: every aggregate and score recomputed, nothing burnt, nothing left; progress is told."""
    stage.honest_round()
    stage.withdraw_all()
    lines: list[str] = []
    report = _audit(stage, progress=lines.append)
    assert (report.ok, report.exit_code, report.state) == (True, 0, "completed")
    assert all("minWindow is 50 s: so long, at least, anybody could object" in note for note in report.notes)
    assert [(one.aggregate, one.inputs, one.scores) for one in report.rounds] == [("recomputed", 3, 9)] * 2
    assert all(one.accuracy == one.recomputed_accuracy for one in report.rounds)
    assert report.rounds[-1].root == "0x" + stage.task.status().head.root.hex()
    assert (report.totals.burnt_wei, report.totals.left_wei, report.totals.forced_wei) == (0, 0, 0)
    assert report.summary.endswith("OK")
    assert any("round 2" in line for line in lines)


def test_a_running_task_is_audited_as_far_as_it_has_come(stage: Stage) -> None:
    """In the middle of a round: the finished one is checked, what is left is what the contract holds."""
    stage.commit()
    report = _audit(stage)
    assert (report.ok, report.state, len(report.rounds)) == (True, "running", 1)
    assert report.totals.left_wei == stage.world.connection.balance(stage.task.address)


def test_tasks_are_found_from_the_factory_alone(stage: Stage) -> None:
    """Address, publisher and all terms of a task are in the factory's logs."""
    (found,) = find_tasks(stage.world.connection, stage.world.contracts.factory)
    assert (found.task, found.publisher) == (stage.task.address, stage.publisher.sender.address)
    assert found.terms == stage.task.terms


# ------------------------------------------------------------------ bytes


def test_one_changed_byte_of_an_update_is_named(stage: Stage) -> None:
    """Which round, which trainer, which content id; nothing else is different."""
    seat, values = 1, stage.updates[1, 1]
    content = stage.content(values)
    path = _path(stage.store, content)
    data = bytearray(path.read_bytes())
    data[12_345] ^= 1
    path.write_bytes(data)
    report = _audit(stage)
    assert report.exit_code == 1
    (difference,) = report.differences
    account = stage.trainers[seat].sender.address
    assert difference.where == f"round 1, trainer {seat} ({account})"
    assert content.cid in str(difference) and "update" in difference.what
    assert report.rounds[0].aggregate == "served"  # its inputs are not all there to recompute it


@pytest.mark.parametrize("length", [-4, 4])
def test_another_length_is_named(stage: Stage, length: int) -> None:
    """A stored update that is cut or has a tail."""
    path = _path(stage.store, stage.content(stage.updates[1, 0]))
    data = path.read_bytes()
    path.write_bytes(data[:length] if length < 0 else data + bytes(length))
    (difference,) = _audit(stage).differences
    assert "trainer 0" in difference.where


def test_missing_bytes_are_unavailable_not_different(stage: Stage) -> None:
    """An update and the aggregate that nobody serves any more: exit code 3, each named with its content id."""
    update = stage.content(stage.updates[1, 2])
    aggregate = Content(stage.task.status().head.content_digest, 4 * len(stage.base))
    _path(stage.store, update).unlink()
    report = _audit(stage)
    assert (report.ok, report.exit_code, report.differences) == (False, 3, ())
    assert [(one.content_id, one.what) for one in report.unavailable] == [(update.cid, "update")]
    assert report.rounds[0].aggregate == "served"
    _path(stage.store, aggregate).unlink()
    report = _audit(stage)
    assert [one.content_id for one in report.unavailable] == [update.cid, aggregate.cid]
    assert report.rounds[0].aggregate == "missing"


def test_an_aggregate_nobody_serves_is_still_recomputed(stage: Stage) -> None:
    """Root and content id follow from the inputs."""
    _path(stage.store, Content(stage.task.status().head.content_digest, 4 * len(stage.base))).unlink()
    report = _audit(stage)
    assert (report.exit_code, report.rounds[0].aggregate, report.differences) == (3, "recomputed", ())


@pytest.mark.parametrize("name", ["manifest", "validation"])
def test_public_parts(stage: Stage, name: str) -> None:
    """Manifest and validation set: missing ones are unavailable, changed ones a difference; scores need both."""
    terms = stage.task.terms
    path = _path(stage.store, Content(terms[f"{name}Content"], terms[f"{name}Size"]))
    data = path.read_bytes()
    path.write_bytes(data[:-1] + b"?")
    (difference,) = _audit(stage).differences
    assert name in str(difference)
    path.unlink()
    report = _audit(stage)
    assert (report.exit_code, report.rounds[0].scores) == (3, 0)
    assert any("scores not recomputed" in note for note in report.notes)


# ------------------------------------------------------------------ what miners said


def test_a_false_aggregate_of_the_majority_is_named(world: World, store: DirectoryStore) -> None:
    """All miners open a model that is off by one in one parameter: the contract cannot see it, the audit does; and
    with minWindow 0 the report says who had to be trusted."""
    stage = Stage(world, store, terms={"minWindow": 0}).bid().select()
    stage.commit()
    stage.reveal()
    stage.check()
    honest = stage.result(0)
    values = stage.parameters(honest.content_digest)
    values[77] += 1
    false = {"root": stage.root(values), "content_digest": stage.put(values).digest}
    stage.mine(dict.fromkeys(stage.miners, false))
    stage.finalise()
    report = _audit(stage)
    (difference,) = report.differences
    assert difference.where == "round 1, block of miner 0" and difference.what == "root of the aggregate"
    assert (difference.expected, difference.found) == ("0x" + honest.root.hex(), "0x" + stage.root(values).hex())
    assert any("minWindow is 0" in note for note in report.notes)


def test_a_false_score_and_a_false_accuracy_are_named(stage: Stage) -> None:
    """One of three miners makes up a score, another the accuracy: who, whose, how many images are right."""
    stage.commit()
    stage.reveal()
    stage.check()
    honest = stage.result(0)
    made_up = pack_scores({0: honest.scores[0] & 0xFFFF, 1: 65_535, 2: honest.scores[0] >> 32 & 0xFFFF}, 3)
    stage.mine({1: {"scores": made_up}, 2: {"accuracy": 9999}})
    stage.finalise()
    score, accuracy = _audit(stage).differences
    assert score.where.startswith("round 2, trainer 1") and "by miner 1" in score.where and score.found == "65535"
    assert accuracy.where.startswith("round 2, miner 2") and accuracy.found == "9999"


def test_scores_within_the_tolerance_are_fine(stage: Stage) -> None:
    """Three images more or less may be another machine's rounding."""
    stage.commit()
    stage.reveal()
    stage.check()
    right = stage.scorer.count(stage.update(0)).correct
    near = pack_scores({i: stage.score(stage.update(i), 3 if i == 0 and right < 50 else 0) for i in range(3)}, 3)
    stage.mine({1: {"scores": near}})
    stage.finalise()
    assert _audit(stage).ok


@pytest.mark.parametrize("rule", list(ScoringRule)[1:])
@pytest.mark.parametrize("aggregation", [0, 2])
def test_scores_are_checked_by_the_tasks_own_rule(
    world: World, store: DirectoryStore, rule: ScoringRule, aggregation: int
) -> None:
    """Two rounds, the second from another start and with other qualities: right scores pass, one that no rounding
    explains is named, with the miner that said it."""
    terms = {"scoringRule": int(rule), "aggregationRule": aggregation, "trimShare": 3400}
    stage = Stage(world, store, terms=terms).bid().select()
    stage.honest_round()
    stage.commit()
    stage.reveal()
    stage.check()
    right = unpack_scores(stage.result(0).scores, 3)
    said = {0: right[0], 1: right[1], 2: right[2] - 1 if right[2] == 65_535 else 65_535}
    stage.mine({1: {"scores": pack_scores(said, 3)}})
    stage.finalise()
    report = _audit(stage)
    assert [one.scores for one in report.rounds] == [9, 9]
    (difference,) = report.differences
    assert difference.where.startswith("round 2, trainer 2") and "by miner 1" in difference.where
    assert (difference.what, difference.found) == ("score", str(said[2]))


def test_an_update_that_is_not_what_its_root_says(stage: Stage) -> None:
    """Content id of one update, root of another: miners should have rejected it, the audit names it."""
    stage.commit(contents={0: stage.updates[1, 1]})
    stage.reveal(contents={0: stage.updates[1, 1]})
    stage.check()
    stage.mine()
    stage.finalise()
    (difference,) = _audit(stage).differences
    assert difference.where.startswith("round 2, trainer 0") and "root" in difference.what


# ------------------------------------------------------------------ models


def test_a_users_auditors_model_is_never_imported(
    world: World, store: DirectoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name in a manifest opens nothing; named by the auditor, the model scores; another one is refused."""
    (tmp_path / "hostile_model.py").write_text("raise SystemExit('imported')")
    source = "from torch import nn\ndef make():\n    return nn.Sequential(nn.Flatten(), nn.Linear(4, 3))\n"
    (tmp_path / "auditors_model.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    stage = Stage(world, store, model="hostile_model:make", builds="auditors_model:make").bid().select()
    stage.honest_round()
    report = _audit(stage)
    assert (report.ok, report.rounds[0].scores, report.rounds[0].aggregate) == (True, 0, "recomputed")
    assert any("scores not recomputed" in note and "hostile_model" in note for note in report.notes)
    assert _audit(stage, model="auditors_model:make").rounds[0].scores == 9
    with pytest.raises(ConfigError, match="tensors"):
        _audit(stage, model="2nn")


# ------------------------------------------------------------------ chain


def test_a_payment_of_another_amount_is_named(stage: Stage) -> None:
    """One wei too much in one event: round, trainer, both amounts."""

    def one_more(log: dict[str, Any]) -> dict[str, Any]:
        return log | {"data": f"0x{int(log['data'], 16) + 1:064x}"}

    (difference,) = lied(stage, "Paid", one_more).differences
    assert difference.where == f"round 1, trainer 0 ({stage.trainers[0].sender.address})"
    assert difference.what == "Paid, amount in wei"
    assert int(difference.found) == int(difference.expected) + 1


@pytest.mark.parametrize("name", ["Revealed", "QualityChanged", "RoundStarted", "Selected", "BidPlaced", "Opened"])
def test_an_event_left_out_is_a_difference(stage: Stage, name: str) -> None:
    """Without any one of its events the task does not add up, and the audit says so instead of failing."""
    report = lied(stage, name, lambda log: None)
    assert report.exit_code == 1 and report.summary


def test_foreign_code_is_named(world: World, store: DirectoryStore) -> None:
    """A factory of other contracts: what happened is checked, but the report says that the code is not ours."""
    sender, task_code = world.sender(0), artifact("LearningTask")
    pieces = (world.contracts.pieces | {"TaskSettlement": world.contracts.factory}).values()
    elsewhere = deploy_code(sender, task_code.bytecode + task_code.codec.constructor(*pieces))
    factory = artifact("TaskFactory")
    made = deploy_code(sender, factory.bytecode + factory.codec.constructor(0, elsewhere))
    stage = Stage(replace(world, contracts=replace(world.contracts, factory=made)), store)
    report = _audit(stage)
    assert report.ok
    assert any(note.startswith(f"the code of TaskSettlement at {world.contracts.factory}") for note in report.notes)


def deploy_code(sender: Sender, code: bytes) -> str:
    """Address of a new contract."""
    address = sender.wait(sender.send(None, code)).contract
    assert address is not None
    return address


def test_no_task_at_the_address(world: World, store: DirectoryStore) -> None:
    """An account without code, and a contract that is no task."""
    with pytest.raises(ChainMismatch, match="no contract"):
        audit_task(world.connection, store, world.accounts[5].address)
    with pytest.raises(ChainMismatch, match="not a learning task"):
        audit_task(world.connection, store, world.contracts.factory)
