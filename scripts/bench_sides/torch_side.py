"""Plain PyTorch's side of `scripts.bench_engine`: a pool of processes. python torch_side.py FOLDER"""

from __future__ import annotations

import json
import multiprocessing
import sys
import time

import numpy as np
from plain import Task, held, train

task = Task(sys.argv[1])
options = task.options


def work(job: tuple[int, list[np.ndarray], int]) -> list[np.ndarray]:
    """A client's update."""
    client, parameters, round_id = job
    return train(held(sys.argv[1], client), parameters, round_id)


parameters = task.start
with multiprocessing.get_context("fork").Pool(options["cores"]) as pool:
    for round_id in range(options["rounds"]):
        if round_id == 1:
            start = time.perf_counter()
        updates = pool.map(work, [(client, parameters, round_id) for client in range(options["clients"])], chunksize=1)
        parameters = [np.mean(tensors, axis=0) for tensors in zip(*updates)]
    seconds = time.perf_counter() - start
print(json.dumps({"seconds": seconds, "accuracy": task.accuracy(parameters)}))
