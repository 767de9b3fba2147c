"""Real tasks on a real chain: honest ones audit OK to the wei, and whatever was changed is named."""

from __future__ import annotations

from .stage import Stage, World
from bcfl_client.audit import audit_task
from bcfl_client.storage import DirectoryStore


def test_an_honest_task_is_ok(world: World, store: DirectoryStore) -> None:
    """Two rounds, all paid out: every aggregate recomputed, nothing burnt, nothing left."""
    stage = Stage(world, store).bid().select()
    stage.honest_round()
    stage.honest_round()
    stage.withdraw_all()
    report = audit_task(world.connection, store, stage.task.address, wait_seconds=0)
    print(report.summary)
    assert report.ok, report.summary
