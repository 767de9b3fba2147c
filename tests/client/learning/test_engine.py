"""The engine: what a trainer process computes, for any number of workers."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from bcfl_client.errors import ConfigError
from bcfl_client.learning.datasets import load_dataset
from bcfl_client.learning.encoding import encode_model
from bcfl_client.learning.engine import Engine, open_engine
from bcfl_client.learning.manifest import Hyperparameters
from bcfl_client.learning.models import build_model
from bcfl_client.learning.partitions import partition
from bcfl_client.learning.torch_model import from_module
from bcfl_client.learning.training import LocalTrainer

CLIENTS = 5


def trainers(name: str = "2nn", rate: float = 0.1) -> tuple[list[LocalTrainer], NDArray[np.int32]]:
    data = load_dataset("digits")
    model = from_module(own_module()) if name == "own" else build_model(name, data.input_shape, data.classes)
    parts = partition(data.train_labels, CLIENTS, "shards:2", 0)
    hyper = Hyperparameters(learning_rate=rate, local_epochs=2)
    made = [
        LocalTrainer(model, data.train_images[part], data.train_labels[part], hyper, 7, number)
        for number, part in enumerate(parts)
    ]
    return made, encode_model(model)


def own_module() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 20), nn.Tanh(), nn.Dropout(0.2), nn.Linear(20, 10))


@pytest.mark.parametrize("model", ["2nn", "cnn", "own"])
def test_the_same_bytes_for_any_number_of_workers(model: str) -> None:
    """Each update is what its trainer alone computes, in the order of the clients, whatever ran beside it."""
    made, start = trainers(model)
    alone = [trainer.train(start, 3) for trainer in made]
    for workers in (1, 2, 5, 50):
        with Engine(made, workers) as engine:
            assert all(np.array_equal(one, two) for one, two in zip(alone, engine.train(start, 3), strict=True))
            (last,) = engine.train(start, 3, [4])
            assert np.array_equal(last, alone[4])


PROCESS = """
import hashlib, sys
from tests.client.learning.test_engine import trainers
made, start = trainers(sys.argv[1])
print(hashlib.sha256(made[2].train(start, 3).tobytes()).hexdigest())
"""


@pytest.mark.parametrize("model", ["2nn", "cnn", "own"])
def test_the_same_bytes_as_a_process_of_its_own(model: str) -> None:
    """Client 2 of the engine and a process that trains client 2 alone agree in every bit."""
    made, start = trainers(model)
    with Engine(made, 2) as engine:
        update = list(engine.train(start, 3))[2]
    done = subprocess.run([sys.executable, "-c", PROCESS, model], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == hashlib.sha256(update.tobytes()).hexdigest()


@pytest.mark.parametrize("device", [None, "cpu"])
def test_a_client_that_diverges_is_named_and_stops_the_round(device: str | None) -> None:
    """The error of the trainer itself, from cores and from a stack; the engine goes on working."""
    made, start = trainers(rate=100.0)
    with open_engine(made, 2, device) as engine:
        with pytest.raises(ConfigError, match="training diverged"):
            list(engine.train(start, 0))
        with pytest.raises(ConfigError, match="the model has"):
            list(engine.train(start[1:], 0))


def test_updates_wait_for_who_takes_them() -> None:
    """No more than two per worker are computed ahead, so memory does not grow with the number of clients."""
    made, start = trainers()
    started = []

    class Counting(LocalTrainer):
        def train(self, parameters: NDArray[np.int32], round_id: int) -> NDArray[np.int32]:
            started.append(self)
            return super().train(parameters, round_id)

    for trainer in made:
        trainer.__class__ = Counting
    with Engine(made * 10, 1) as engine:
        updates = engine.train(start, 0)
        next(updates)
        updates.close()
    assert len(started) <= 3
