"""Small federations on the embedded digits: seconds, no network, no files."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bcfl_client.experiments.federation import Client, Federation, Rules
from bcfl_client.learning.datasets import Dataset, load_dataset
from bcfl_client.learning.manifest import Hyperparameters
from bcfl_client.learning.models import build_model
from bcfl_client.learning.partitions import partition

Made = Callable[..., Federation]


@pytest.fixture(scope="session")
def digits() -> Dataset:
    return load_dataset("digits")


@pytest.fixture(scope="session")
def honest(digits: Dataset) -> list[Client]:
    """Five clients with two shards each."""
    parts = partition(digits.train_labels, 5, "shards:2", 0)
    return [Client(digits.train_images[part], digits.train_labels[part]) for part in parts]


@pytest.fixture
def federation(digits: Dataset) -> Made:
    """Makes a federation of the given clients and rules."""

    def make(
        clients: list[Client], rules: Rules | None = None, seed: int = 3, workers: int = 1, clipping_norm: float = 0.0
    ) -> Federation:
        model = build_model("mlp:128", digits.input_shape, digits.classes, seed)
        hyper = Hyperparameters(local_epochs=2, clipping_norm=clipping_norm)
        return Federation(model, clients, hyper, rules or Rules(), seed, workers)

    return make
