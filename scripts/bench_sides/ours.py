"""The engine's side of `scripts.bench_engine`: python -m scripts.bench_sides.ours FOLDER [DEVICE]"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

from bcfl_client.aggregation import weighted_mean
from bcfl_client.learning.encoding import encode_model
from bcfl_client.learning.engine import open_engine
from bcfl_client.learning.manifest import Hyperparameters
from bcfl_client.learning.models import build_model
from bcfl_client.learning.training import LocalTrainer
from bcfl_client.scoring.validation_accuracy import ValidationScorer

folder = Path(sys.argv[1])
task, data = json.loads((folder / "task.json").read_text()), np.load(folder / "task.npz")
images, labels = data["train_images"], data["train_labels"]
model = build_model(task["model"], (28, 28), 10)
hyper = Hyperparameters(learning_rate=task["rate"], batch_size=task["batch"])
parts = [data[f"part_{client}"] for client in range(task["clients"])]
trainers = [LocalTrainer(model, images, labels, hyper, 0, i, part) for i, part in enumerate(parts)]
weights = [len(part) for part in parts]
parameters = encode_model(model)
with open_engine(trainers, task["cores"], *sys.argv[2:]) as engine:
    for round_id in range(task["rounds"]):
        if round_id == 1:
            start = time.perf_counter()
        parameters = weighted_mean(list(engine.train(parameters, round_id)), weights)
    seconds = time.perf_counter() - start
counted = ValidationScorer(model, data["test_images"], data["test_labels"]).count(parameters)
print(json.dumps({"seconds": seconds, "accuracy": counted.correct / counted.count}))
