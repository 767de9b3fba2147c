"""Real processes, as a user starts them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

BCFL = [sys.executable, "-m", "bcfl_client.cli"]


class Processes:
    """Starts `bcfl` commands; ends what is left of them, process groups and all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, *arguments: str, key: str | None = None) -> subprocess.Popen[bytes]:
        """Starts `bcfl ARGUMENTS` for the account of `key`, its output in a file."""
        environment = {**os.environ, **({"BCFL_PRIVATE_KEY": key} if key else {})}
        with open(self._folder / f"{len(self._running)}-{arguments[0]}.log", "wb") as log:
            process = subprocess.Popen(
                [*BCFL, *arguments], cwd=self._folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        self._running.append(process)
        return process

    def logs(self) -> str:
        """All output so far, for a failing test's message."""
        return "\n".join(f"== {path.name}\n{path.read_text()}" for path in sorted(self._folder.glob("*.log")))

    def end(self) -> None:
        for process in self._running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    started = Processes(tmp_path)
    yield started
    started.end()


def run_demo(folder: Path, *arguments: str) -> dict[str, Any]:
    """Runs `bcfl demo` to its end and returns its report."""
    report = folder / "report.json"
    done = subprocess.run(
        [*BCFL, "demo", "--report", str(report), *arguments], cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(report.read_text()), output=done.stdout)


def until(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Waits for `condition`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds:.0f} s"
        time.sleep(0.05)
