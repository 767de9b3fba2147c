"""What the commands say of a task that has just been published, and of one that was cancelled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from bcfl_client.chain.task import Task, TaskActor
from bcfl_client.cli import main
from bcfl_client.errors import ConfigError
from bcfl_client.files import write_whole
from bcfl_client.roles.publisher import publish
from bcfl_client.roles.task_config import TaskConfig
from bcfl_client.storage import ContentStore
from bcfl_client.terms import make_terms

if TYPE_CHECKING:
    from tests.integration.conftest import World


@pytest.fixture
def task(world: World, store: ContentStore, monkeypatch: pytest.MonkeyPatch) -> Task:
    """A task of digits, published by dev account 1; commands act for dev account 2, which has bid in it."""
    config = TaskConfig(dataset="digits", terms=make_terms(reward="0.5 ether", min_window=3, close_when_full=False))
    address = publish(world.connection, world.sender(1), store, world.contracts.factory, config, None)
    task = Task(world.connection, address)
    TaskActor(task, world.sender(2)).bid_as_trainer(100, 10**9, 1000)
    monkeypatch.setenv("BCFL_PRIVATE_KEY", world.chain.accounts[2])
    return task


def _said(capsys: pytest.CaptureFixture[str], task: Task, command: str, *options: str, code: int = 0) -> str:
    capsys.readouterr()
    assert main([command, task.address, "--rpc", task.connection.url, *options]) == code
    return capsys.readouterr().out


def test_status_of_a_task_that_takes_bids(task: Task, capsys: pytest.CaptureFixture[str]) -> None:
    """State, time left, bids, the initial model, the money; no warning where there is time to object."""
    said = _said(capsys, task, "status")
    assert "state     bidding, for " in said
    assert "bids      1 trainers, 0 miners" in said
    assert "no block yet, the initial model" in said
    assert "reward 0.5 ether, 0.5 ether of it left, 0 wei burnt" in said
    assert "min_window" not in said


def test_rewards_as_a_table_and_as_json(task: Task, capsys: pytest.CaptureFixture[str], world: World) -> None:
    """A line per participant, and the same in wei."""
    lines = _said(capsys, task, "rewards").splitlines()
    assert lines[0].split()[:5] == ["role", "account", "deposit", "samples", "rounds"]
    assert world.accounts[1].address in lines[1]
    assert "100,000 gwei" in lines[2]
    assert lines[3].startswith("paid in 0.5001 ether = paid out 0 wei")
    said = json.loads(_said(capsys, task, "rewards", "--json"))
    assert said["participants"][1]["deposit"] == 10**14


def test_withdrawing_nothing_is_no_failure(task: Task, capsys: pytest.CaptureFixture[str], world: World) -> None:
    """It says so, and why; after the end the deposit comes, also for somebody else, and then nothing is left."""
    assert "deposits stay until the task is closed" in _said(capsys, task, "withdraw")
    TaskActor(task, world.sender(1)).cancel()
    assert "100,000 gwei sent to" in _said(capsys, task, "withdraw")
    publisher = world.accounts[1].address
    assert f"0.5 ether sent to {publisher}" in _said(capsys, task, "withdraw", "--account", publisher)
    assert _said(capsys, task, "withdraw") == f"nothing to withdraw for {world.accounts[2].address}\n"
    assert "still in the contract 0 wei" in _said(capsys, task, "rewards")


def test_export_of_a_task_without_a_block(
    task: Task, store: ContentStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The initial model, and nothing half-written where bytes are wrong."""
    _said(capsys, task, "export", "--store", store.url, "--out", str(tmp_path / "out"))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "events.json", "manifest.json", "model.bin", "model.npz",
    ]  # fmt: skip
    assert np.load(tmp_path / "out" / "model.npz")["1.weight"].shape == (200, 64)
    for path in Path(store.url.removeprefix("dir:")).iterdir():
        path.write_bytes(b"x")
    _said(capsys, task, "export", "--store", store.url, "--out", str(tmp_path / "none"), code=2)
    assert not (tmp_path / "none").exists()


def test_audit_of_a_task_that_runs(task: Task, store: ContentStore, capsys: pytest.CaptureFixture[str]) -> None:
    """What there is so far is right."""
    assert _said(capsys, task, "audit", "--store", store.url).endswith("OK\n")


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    """When writing fails, neither the file nor a part of it is left, and an older one stays."""

    def fail(file: object) -> None:
        raise OSError(28, "No space left on device")

    path = write_whole(tmp_path / "a" / "file", lambda file: file.write(b"old"))
    with pytest.raises(ConfigError, match="No space left"):
        write_whole(path, fail)
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]
    assert path.read_bytes() == b"old"
