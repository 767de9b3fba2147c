"""Scores by counting correct predictions on the validation set: integers, so that two machines can agree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bcfl_client.errors import DataError
from bcfl_client.learning.encoding import load_parameters
from bcfl_client.learning.training import to_inputs
from bcfl_client.scoring.inputs import Contributions, Counted, ScoredRound

__all__ = ["Counted", "ValidationScorer", "validation_accuracy"]

_BATCH = 1000
_TIE = 1e-3  # of the largest logit: far above the rounding of sums of some thousand products


def validation_accuracy(played: ScoredRound, seats: Sequence[int]) -> Contributions:
    """Returns how many images each of `seats` gets right on its own; all of them are a full score."""
    counts = {seat: played.counted((seat,)) for seat in seats}
    return Contributions({seat: one.correct for seat, one in counts.items()}, counts[seats[0]].count, per_image=1)


class ValidationScorer:
    """Counts a model's correct predictions; keeps its images ready and its own copy of the model.

    A tie between two logits goes to the lower class. Float sums may differ in the last bits between machines, so the
    counts of two honest machines may differ by a few images whose two best logits are practically equal. `guessed`
    images are right for whoever always says the commonest label.
    """

    def __init__(self, model: nn.Module, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
        if not len(labels) or len(labels) != len(images):
            raise DataError(f"cannot score with {len(images)} images and {len(labels)} labels")
        torch.set_num_threads(1)
        self._model = model.eval()
        self._inputs = to_inputs(images)
        self._labels = torch.from_numpy(labels.astype(np.int64))
        self.guessed = int(np.bincount(labels).max())

    def count(self, parameters: NDArray[np.int32]) -> Counted:
        """Returns the count for int32 [parameters]. Raises ConfigError when the model has another number of them."""
        load_parameters(self._model, parameters)
        correct = unsure = 0
        with torch.inference_mode():
            for inputs, labels in zip(torch.split(self._inputs, _BATCH), torch.split(self._labels, _BATCH)):
                logits = self._model(inputs)
                correct += int((logits.argmax(1) == labels).sum())
                best = logits.topk(2, dim=1).values
                # Written so that NaN is unsure, too.
                unsure += len(best) - int((best[:, 0] - best[:, 1] > _TIE * logits.abs().amax(1)).sum())
        return Counted(correct, len(self._labels), unsure)
