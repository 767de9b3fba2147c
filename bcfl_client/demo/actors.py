"""The demo's actors: one process and one key each, forked from a process that has imported everything already."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType

from bcfl_client.chain.keys import LocalAccount, dev_account
from bcfl_client.demo.settings import BAD_MINERS, BAD_TRAINERS, DemoSettings
from bcfl_client.errors import BcflError

__all__ = ["Actor", "Crew", "Message", "cast"]

_STOP_SECONDS = 5.0


@dataclass(frozen=True)
class Actor:
    """Somebody in the demo. The key follows from the demo's seed: for a development chain only."""

    role: str  # publisher, trainer, miner, outsider, watcher, or a kind of adversary
    index: int
    account: LocalAccount

    @property
    def name(self) -> str:
        """For example trainer-3."""
        return self.role if self.role == "publisher" else f"{self.role}-{self.index}"

    @property
    def trains(self) -> bool:
        """Whether it has a trainer's seat."""
        return self.role in ("trainer", *BAD_TRAINERS)

    @property
    def honest(self) -> bool:
        """Whether it keeps the rules."""
        return self.role not in (*BAD_TRAINERS, *BAD_MINERS, "outsider")


@dataclass(frozen=True)
class Message:
    """What an actor reported, and when (seconds of the wall clock)."""

    actor: str
    verb: str
    facts: dict[str, object]
    at: float


def cast(settings: DemoSettings) -> list[Actor]:
    """The actors of a demo: publisher first, then trainers, then miners, then who is there because of adversaries; the
    same keys for the same seed."""
    counts = {"publisher": 1, "trainer": settings.trainers, "miner": settings.miners}
    counts |= {kind: settings.count((kind,)) for kind in BAD_TRAINERS + BAD_MINERS}
    # A thief has a second account, and a liar is a reason to watch.
    counts |= {"outsider": settings.count(("thief",)), "watcher": min(1, settings.count(("liar",)))}
    roles = [(role, i) for role, count in counts.items() for i in range(count)]
    return [Actor(role, i, dev_account(f"BC-FL demo {settings.seed} {role} {i}")) for role, i in roles]


class Crew:
    """Runs actors as processes; on exit none of them is left."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: dict[str, BaseProcess] = {}
        self._read, self._write = os.pipe()
        self._buffer = b""

    def start(self, actor: Actor, work: Callable[[Callable[[str, dict[str, object]], None]], None]) -> None:
        """Forks a process that runs `work` with a function to report by; its log goes to a file of its own."""
        process = multiprocessing.get_context("fork").Process(target=self._run, args=(actor, work), name=actor.name)
        with _signals_later():
            process.start()
            self._processes[actor.name] = process

    def messages(self, timeout_seconds: float) -> Iterator[Message]:
        """What has been reported, after waiting for it up to `timeout_seconds`. Raises BcflError if an actor failed."""
        if select.select([self._read], [], [], timeout_seconds)[0]:
            self._buffer += os.read(self._read, 1 << 16)
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            actor, verb, facts, at = json.loads(line)
            if verb == "failed":
                raise BcflError(f"{actor}: {facts['error']} (see {self._folder / actor}.log)")
            yield Message(actor, verb, facts, at)
        for name, process in self._processes.items():
            if process.exitcode not in (None, 0):
                raise BcflError(f"{name} ended with status {process.exitcode} (see {self._folder / name}.log)")

    def busy(self) -> bool:
        """Whether an actor still works."""
        return any(process.is_alive() for process in self._processes.values())

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes.values():
            process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for process in self._processes.values():
            process.join(max(0.0, deadline - time.monotonic()))
            process.kill()
            process.join()
        os.close(self._read)
        os.close(self._write)

    def _run(self, actor: Actor, work: Callable[[Callable[[str, dict[str, object]], None]], None]) -> None:
        # A terminal's Ctrl-C reaches every process of the group: only the first one decides what it means.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        log = self._folder / f"{actor.name}.log"
        logging.basicConfig(filename=log, level=logging.INFO, format="%(asctime)s %(name)s %(message)s", force=True)

        def report(verb: str, facts: dict[str, object]) -> None:
            logging.getLogger("bcfl").info("%s %s", verb, " ".join(f"{key}={value}" for key, value in facts.items()))
            line = json.dumps([actor.name, verb, facts, time.time()]) + "\n"
            os.write(self._write, line.encode())  # one short write: lines of several actors do not mix

        try:
            work(report)
        except Exception as error:
            logging.getLogger("bcfl").exception("failed")
            report("failed", {"error": f"{type(error).__name__}: {error}"[:500]})
            sys.exit(1)


@contextmanager
def _signals_later() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait until the end of the block: Python swallows what they raise in the midst of a fork."""
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda caught, frame: came.append(caught))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for caught in came:
        signal.raise_signal(caught)
