"""Every role started by hand: real commands as processes of their own against one chain."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from bcfl_client.chain.devchain import dev_key

TASK = """
[learning]
dataset = "digits"
description = "by hand"
[terms]
rounds = 2
trainer_slots = 2
miner_slots = 1
difficulty = 1000
"""
Bcfl = Callable[..., str]


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "bcfl_client.cli", *arguments]


def _start(folder: Path, *arguments: str, key: int = 0) -> subprocess.Popen[str]:
    pipe, environment = subprocess.PIPE, _environment(key)
    return subprocess.Popen(
        _command(*arguments), cwd=folder, stdout=pipe, stderr=subprocess.STDOUT, text=True, env=environment
    )


def _environment(key: int) -> dict[str, str]:
    """What a command of the dev account `key` sees."""
    repository = str(Path(__file__).resolve().parents[2])
    own = {"BCFL_PRIVATE_KEY": dev_key(key), "BCFL_PASSWORD": "secret", "PYTHONPATH": repository}
    return {**os.environ, **own}


def _first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def rpc(tmp_path: Path) -> Iterator[str]:
    """A chain as `bcfl chain` runs it."""
    port = _free_port()
    process = _start(tmp_path, "chain", "--port", str(port))
    try:
        assert "chain id 31337" in _first_line(process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)


@pytest.fixture
def bcfl(tmp_path: Path) -> Bcfl:
    """Runs a command of the first dev account to its end; returns what it printed."""

    def run(*arguments: str) -> str:
        done = subprocess.run(
            _command(*arguments), cwd=tmp_path, capture_output=True, text=True, timeout=120, env=_environment(0)
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_a_task_from_key_to_audit(rpc: str, bcfl: Bcfl, tmp_path: Path) -> None:
    """Contracts, a task from a file, two trainers and a miner in processes of their own, one of them interrupted and
    started again; then status, rewards, withdrawal, export and audit: nothing but commands and what they print."""
    deployed = bcfl("deploy", "--rpc", rpc, "--out", "contracts.json")
    factory = json.loads((tmp_path / "contracts.json").read_text())["factory"]
    assert factory in deployed
    (tmp_path / "task.toml").write_text(TASK)
    published = bcfl("publish", "task.toml", "--factory", factory, "--rpc", rpc)
    task = re.search("^task +(0x[0-9a-fA-F]{40})$", published, re.M)[1]  # type: ignore[index]
    assert "1 ether in escrow, for 2 rounds" in published

    join = ("train", "--task", task, "--rpc", rpc, "--dataset", "digits", "--price", "500 gwei", "--part")
    impatient = _start(tmp_path, *join, "1/2", key=1)
    assert "at work on task" in _first_line(impatient)
    assert "price=500 gwei" in _first_line(impatient)
    impatient.send_signal(signal.SIGINT)
    output, _ = impatient.communicate(timeout=10)
    assert (impatient.returncode, output) == (130, "")
    status = bcfl("status", task, "--rpc", rpc)
    assert "bids      1 trainers, 0 miners" in status
    assert "min_window is 0" in status

    (tmp_path / "miner.toml").write_text(f"task = '{task}'\nrpc = '{rpc}'\nfee = '0.01 ether'\nkey = 'miner.json'\n")
    bcfl("key", "miner.json", "--dev", "3")
    workers = [_start(tmp_path, "mine", "--config", "miner.toml")]
    workers += [_start(tmp_path, *join, f"{number}/2", key=number) for number in (1, 2)]
    for worker in workers:
        output, _ = worker.communicate(timeout=120)
        assert worker.returncode == 0, output
        assert "withdrew" in output

    assert "state     completed" in bcfl("status", task, "--rpc", rpc)
    assert "sent to" in bcfl("withdraw", task, "--rpc", rpc)
    rewards = json.loads(bcfl("rewards", task, "--rpc", rpc, "--json"))
    money, people = rewards["money"], rewards["participants"]
    assert [person["role"] for person in people] == ["publisher", "trainer", "trainer", "miner"]
    assert money["paid_in"] == money["paid_out"] == sum(person["withdrawn"] for person in people)
    assert (money["burnt"], money["left"]) == (0, 0)
    assert all(person["rounds"] == 2 for person in people[1:])

    bcfl("export", task, "--rpc", rpc, "--out", "result")
    record = json.loads((tmp_path / "result" / "events.json").read_text())
    assert record["terms"]["rounds"] == 2
    model = np.load(tmp_path / "result" / "model.npz")
    integers = np.fromfile(tmp_path / "result" / "model.bin", "<i4")
    flat = np.concatenate([model[name].ravel() for name in model.files])
    assert np.array_equal(flat, (integers.astype(np.float32) * np.float32(2.0**-24)))

    audit = bcfl("audit", task, "--rpc", rpc, "--report", "audit.json")
    assert audit.endswith("OK\n")
    assert json.loads((tmp_path / "audit.json").read_text())["ok"] is True


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_chain_ends_with_its_command(tmp_path: Path, number: signal.Signals, code: int) -> None:
    """Ctrl-C or TERM: the exit code shells expect, no process left on the port, the state saved."""
    port = _free_port()
    process = _start(tmp_path, "chain", "--port", str(port), "--state", "chain.json")
    assert f"http://127.0.0.1:{port}" in _first_line(process)
    process.send_signal(number)
    output, _ = process.communicate(timeout=10)
    assert process.returncode == code
    assert "Traceback" not in output
    socket.create_server(("127.0.0.1", port)).close()
    assert (tmp_path / "chain.json").exists()
