"""Where cells are played: processes of this machine, or tasks on a Ray cluster. Both give the same rows."""

from __future__ import annotations

import logging
import multiprocessing
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from bcfl_client.errors import BcflError, ConfigError, ConnectionFailed
from bcfl_client.experiments.cells import Cell, Row
from bcfl_client.learning.datasets import Dataset
from bcfl_client.learning.warmup import warm_up

__all__ = ["Play", "play_here", "play_on_ray"]

Play = Callable[[Mapping[str, Any], Dataset], list[Row]]

_WATCH_SECONDS = 1.0
_ANSWER_SECONDS = 5.0

_job: tuple[Play, Dataset] | None = None  # of a worker process


def play_here(
    play: Play, cells: Sequence[Cell], dataset: Dataset, workers: int | None = None
) -> Iterator[tuple[Cell, list[Row]]]:
    """Yields each cell with its rows as they come; by default with a process per core, which needs os.fork. A single
    worker is this process. Leaves no process behind, however it ends.
    """
    count = min(workers or os.cpu_count() or 1, len(cells))
    warm_up()  # once here instead of once in every child
    if count == 1:
        yield from ((cell, play(cell.values, dataset)) for cell in cells)
        return
    pool = ProcessPoolExecutor(count, multiprocessing.get_context("fork"), _inherit, (play, dataset))
    try:
        futures = {pool.submit(_play, cell.values): cell for cell in cells}
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BrokenProcessPool as error:
        raise BcflError("a worker process was killed, perhaps for want of memory: try fewer --workers") from error
    finally:
        for process in list((pool._processes or {}).values()):
            process.terminate()  # a cell may take minutes, and a finished one is in its file already
        pool.shutdown(cancel_futures=True)


def _inherit(play: Play, dataset: Dataset) -> None:
    global _job
    _job = play, dataset
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends its children
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()


def _end_with(parent: int) -> None:
    """A parent that was killed cannot end its children."""
    while os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
    os._exit(1)


def _play(values: Mapping[str, Any]) -> list[Row]:
    assert _job is not None
    play, dataset = _job
    return play(values, dataset)


def play_on_ray(play: Play, cells: Sequence[Cell], dataset: Dataset, address: str) -> Iterator[tuple[Cell, list[Row]]]:
    """Yields each cell with its rows as they come, one core of the cluster at `address` for each; "local" starts one.

    The machines of the cluster need this package. Raises ConfigError without Ray, ConnectionFailed when nothing
    answers, and the cell's own error.
    """
    try:
        import ray
    except ImportError as error:
        raise ConfigError('--ray-address needs Ray: pip install "ray"') from error
    _require_answer(address)
    place: dict[str, Any] = {"num_cpus": os.cpu_count()} if address == "local" else {}
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False, **place)
    except Exception as error:  # Ray raises a different one for every way of not answering
        raise ConnectionFailed(f"no Ray cluster at {address}: {error}") from error
    try:
        task = ray.remote(num_cpus=1, max_retries=0)(play)
        shared = ray.put(dataset)
        left = {task.remote(cell.values, shared): cell for cell in cells}
        while left:
            (done,), _ = ray.wait(list(left), num_returns=1)
            yield left.pop(done), _rows(ray, done)
    finally:
        ray.shutdown()


def _require_answer(address: str) -> None:
    """Ray itself tries for minutes. Raises ConnectionFailed."""
    match = re.fullmatch(r"(?:ray://)?(?:\[?)([^\[\]/]+?)(?:\]?):([0-9]{1,5})", address)
    if match is None:
        return  # local, auto: Ray finds it or not
    try:
        socket.create_connection((match[1], int(match[2])), timeout=_ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ConnectionFailed(f"no Ray cluster at {address}: {error}") from error


def _rows(ray: Any, done: Any) -> list[Row]:
    try:
        rows: list[Row] = ray.get(done)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        raise (cause if isinstance(cause, BcflError) else BcflError(f"a Ray task failed: {cause!r}")) from error
    return rows
