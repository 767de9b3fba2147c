"""Scores by counting correct predictions on the validation set: integers, so that two machines can agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bcfl_client.errors import DataError
from bcfl_client.learning.encoding import load_parameters
from bcfl_client.learning.training import to_inputs

__all__ = ["Counted", "ValidationScorer"]

_BATCH = 1000


@dataclass(frozen=True)
class Counted:
    """How many of `count` images a model classified correctly."""

    correct: int
    count: int

    @property
    def score(self) -> int:
        """The share as unsigned 16 bit, rounded down: 65535 means all."""
        return self.correct * 65535 // self.count

    @property
    def accuracy_bps(self) -> int:
        """The share in hundredths of a percent, rounded down."""
        return self.correct * 10_000 // self.count


class ValidationScorer:
    """Counts a model's correct predictions; keeps its images ready and its own copy of the model.

    A tie between two logits goes to the lower class. Float sums may differ in the last bits between machines, so the
    counts of two honest machines may differ by a few images whose two best logits are practically equal.
    """

    def __init__(self, model: nn.Module, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
        if not len(labels) or len(labels) != len(images):
            raise DataError(f"cannot score with {len(images)} images and {len(labels)} labels")
        torch.set_num_threads(1)
        self._model = model.eval()
        self._inputs = to_inputs(images)
        self._labels = torch.from_numpy(labels.astype(np.int64))

    def count(self, parameters: NDArray[np.int32]) -> Counted:
        """Returns the count for int32 [parameters]. Raises ConfigError when the model has another number of them."""
        load_parameters(self._model, parameters)
        correct = 0
        with torch.inference_mode():
            for inputs, labels in zip(torch.split(self._inputs, _BATCH), torch.split(self._labels, _BATCH)):
                correct += int((self._model(inputs).argmax(1) == labels).sum())
        return Counted(correct, len(self._labels))
