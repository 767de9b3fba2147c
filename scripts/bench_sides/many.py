"""Many clients in one engine: python -m scripts.bench_sides.many FOLDER CLIENTS SAMPLES [DEVICE]"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

from bcfl_client.aggregation import streamed_mean
from bcfl_client.learning.encoding import encode_model
from bcfl_client.learning.engine import open_engine
from bcfl_client.learning.manifest import Hyperparameters
from bcfl_client.learning.models import build_model
from bcfl_client.learning.training import LocalTrainer

folder, clients, samples = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
task, data = json.loads((folder / "task.json").read_text()), np.load(folder / "task.npz")
images, labels = data["train_images"], data["train_labels"]
model = build_model(task["model"], (28, 28), 10)
hyper = Hyperparameters(learning_rate=task["rate"], batch_size=task["batch"])
order = np.concatenate([np.random.default_rng(seed).permutation(len(labels)) for seed in range(20)])
parts = [order[client * samples : (client + 1) * samples] for client in range(clients)]
trainers = [LocalTrainer(model, images, labels, hyper, 0, i, part) for i, part in enumerate(parts)]
parameters = encode_model(model)
with open_engine(trainers, task["cores"], *sys.argv[4:]) as engine:
    list(engine.train(parameters, 0, [0]))  # loads what was compiled
    start = time.perf_counter()
    streamed_mean(engine.train(parameters, 0), [samples] * clients)
    seconds = time.perf_counter() - start
print(json.dumps({"seconds": seconds, "accuracy": 0.0}))
