"""The federation that the paper's experiments share, and how a repetition of it is set up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bcfl_client.learning.datasets import Dataset
from bcfl_client.learning.manifest import Hyperparameters
from bcfl_client.learning.model import Model, Samples
from bcfl_client.learning.models import build_model
from bcfl_client.learning.partitions import partition

__all__ = ["Learning"]


@dataclass(frozen=True)
class Learning:
    """Who trains what. `samples` per node are drawn from the training images, None = all of them; a small data set
    gives each an equal part of what it has. `partition` divides them among the nodes, disjointly."""

    nodes: int = 10
    samples: int | None = 512
    model: str = "mlp:32"
    partition: str = "shards:4"
    learning_rate: float = 0.01
    batch_size: int = 32

    def __str__(self) -> str:
        """For captions."""
        samples = "all images divided" if self.samples is None else f"{self.samples} images each"
        return f"{self.nodes} nodes, {samples} ({self.partition}), model {self.model}, step {self.learning_rate:g}"

    def hyper(self, epochs: int) -> Hyperparameters:
        """With `epochs` of local training in each round."""
        return Hyperparameters(learning_rate=self.learning_rate, batch_size=self.batch_size, local_epochs=epochs)

    def parts(self, dataset: Dataset, seed: int) -> list[Samples]:
        """Each node's data. Raises ConfigError when there is too little of it."""
        total = len(dataset.train_labels)
        count = total if self.samples is None else min(total, self.nodes * self.samples)
        order = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 0x44524157]))).permutation(total)
        drawn = np.sort(order[:count])
        images, labels = dataset.train_images[drawn], dataset.train_labels[drawn]
        return [Samples(images[part], labels[part]) for part in partition(labels, self.nodes, self.partition, seed)]

    def build(self, dataset: Dataset, seed: int) -> Model:
        """The model before training."""
        return build_model(self.model, dataset.input_shape, dataset.classes, seed)
