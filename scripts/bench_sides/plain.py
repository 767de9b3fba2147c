"""What PyTorch's side and Flower's share: the task, the model, a client's epoch, as a user of PyTorch writes them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn


@dataclass(frozen=True)
class Held:
    """A client: the task's options, a model, inputs, labels, and the order of samples in each round."""

    options: dict[str, Any]
    model: nn.Module
    inputs: torch.Tensor
    labels: torch.Tensor
    orders: list[torch.Tensor]


class Task:
    """The task of `scripts.bench_engine` in the folder."""

    def __init__(self, folder: str) -> None:
        self.options = json.loads((Path(folder) / "task.json").read_text())
        self._data = np.load(Path(folder) / "task.npz")
        self.start = [self._data[f"start_{i}"] for i in range(sum(name.startswith("start_") for name in self._data))]

    def part(self, client: int) -> tuple[torch.Tensor, torch.Tensor]:
        """A client's inputs and labels."""
        part = self._data[f"part_{client}"]
        return _inputs(self._data["train_images"][part]), torch.from_numpy(self._data["train_labels"][part].astype(int))

    def order(self, client: int, round_id: int) -> torch.Tensor:
        """A client's samples in the order of its epoch."""
        return torch.from_numpy(self._data[f"order_{client}_{round_id}"])

    def accuracy(self, parameters: list[np.ndarray]) -> float:
        """Of the model on the test images."""
        model = build(self.options["model"])
        load(model, parameters)
        labels = torch.from_numpy(self._data["test_labels"].astype(int))
        with torch.no_grad():
            logits = [model(inputs) for inputs in _inputs(self._data["test_images"]).split(1000)]
            return float((torch.cat(logits).argmax(1) == labels).float().mean())


def build(name: str) -> nn.Module:
    """The models of McMahan et al. 2017."""
    if name == "2nn":
        layers = [nn.Flatten(), nn.Linear(784, 200), nn.ReLU(), nn.Linear(200, 200), nn.ReLU(), nn.Linear(200, 10)]
        return nn.Sequential(*layers)
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(3136, 512), nn.ReLU(), nn.Linear(512, 10)),
    )


@cache
def held(folder: str, client: int) -> Held:
    """What a worker keeps of a client."""
    torch.set_num_threads(1)
    task = Task(folder)
    orders = [task.order(client, round_id) for round_id in range(task.options["rounds"])]
    return Held(task.options, build(task.options["model"]), *task.part(client), orders)


def load(model: nn.Module, parameters: list[np.ndarray]) -> None:
    """Writes the parameters into the model."""
    with torch.no_grad():
        for tensor, values in zip(model.parameters(), parameters):
            tensor.copy_(torch.from_numpy(values))


def train(client: Held, parameters: list[np.ndarray], round_id: int) -> list[np.ndarray]:
    """One local epoch."""
    model, options = client.model, client.options
    load(model, parameters)
    optimizer = torch.optim.SGD(model.parameters(), lr=options["rate"])
    for indices in client.orders[round_id].split(options["batch"]):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(client.inputs[indices]), client.labels[indices]).backward()
        optimizer.step()
    return [parameter.detach().numpy().copy() for parameter in model.parameters()]


def _inputs(images: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(images.astype(np.float32)).unsqueeze(1).div_(255)
