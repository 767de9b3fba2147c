"""Local training of many clients at once: a core for each client, and the same bytes for any number of workers.

Stacking clients' weights into larger products loses on a CPU: a single client's weights stay in its core's cache.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bcfl_client.learning.training import LocalTrainer

if TYPE_CHECKING:
    from bcfl_client.learning.stacked import StackedEngine

__all__ = ["Engine", "open_engine"]

_AHEAD = 2  # updates per worker that wait for who takes them: memory does not grow with the number of clients

_trainers: Sequence[LocalTrainer] = ()  # of a worker process


class Engine:
    """Trains `trainers`, of which each is what a trainer process has. A context manager: ends its workers.

    Models that run in threads use those of this process, any other has processes, which need os.fork.
    """

    def __init__(self, trainers: Sequence[LocalTrainer], workers: int | None = None) -> None:
        self._trainers = trainers
        self._workers = min(workers or os.cpu_count() or 1, len(trainers))
        self._pool: Executor
        if all(trainer.runs_in_threads for trainer in trainers):
            self._pool = ThreadPoolExecutor(self._workers)
            self._train = self._train_here
        else:
            context = multiprocessing.get_context("fork")
            self._pool = ProcessPoolExecutor(self._workers, context, _inherit, (trainers,))
            self._train = _train_there

    def train(
        self, parameters: NDArray[np.int32], round_id: int, clients: Iterable[int] | None = None
    ) -> Iterator[NDArray[np.int32]]:
        """Yields the updates of `clients`, by default all, in their order: each int32 [count], trained from the global
        `parameters` as `LocalTrainer.train` does."""
        left = iter(range(len(self._trainers)) if clients is None else clients)
        pending: list[Future[NDArray[np.int32]]] = []
        try:
            while True:
                for client in islice(left, _AHEAD * self._workers - len(pending)):
                    pending.append(self._pool.submit(self._train, client, parameters, round_id))
                if not pending:
                    return
                yield pending.pop(0).result()
        finally:
            for future in pending:
                future.cancel()

    def _train_here(self, client: int, parameters: NDArray[np.int32], round_id: int) -> NDArray[np.int32]:
        return self._trainers[client].train(parameters, round_id)

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)


def open_engine(
    trainers: Sequence[LocalTrainer], workers: int | None = None, device: str | None = None
) -> Engine | StackedEngine:
    """Returns the engine for this machine's cores, or for a device of torch."""
    if device is None:
        return Engine(trainers, workers)
    # Imported here: torch takes longer than a round.
    from bcfl_client.learning.stacked import StackedEngine

    return StackedEngine(trainers, device)


def _inherit(trainers: Sequence[LocalTrainer]) -> None:
    global _trainers
    _trainers = trainers


def _train_there(client: int, parameters: NDArray[np.int32], round_id: int) -> NDArray[np.int32]:
    return _trainers[client].train(parameters, round_id)
