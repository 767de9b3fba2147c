"""Scores by counting correct predictions on the validation set: integers, so that two machines can agree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bcfl_client.errors import DataError
from bcfl_client.learning.encoding import as_floats
from bcfl_client.learning.model import Model
from bcfl_client.scoring.inputs import Contributions, Counted, ScoredRound

__all__ = ["Counted", "ValidationScorer", "validation_accuracy"]

_TIE = 1e-3  # of the largest logit: far above the rounding of sums of some thousand products


def validation_accuracy(played: ScoredRound, seats: Sequence[int]) -> Contributions:
    """Returns how many images each of `seats` gets right on its own; all of them are a full score."""
    counts = {seat: played.counted((seat,)) for seat in seats}
    return Contributions({seat: one.correct for seat, one in counts.items()}, counts[seats[0]].count, per_image=1)


class ValidationScorer:
    """Counts a model's correct predictions; keeps its images.

    A tie between two logits goes to the lower class. Float sums may differ in the last bits between machines, so the
    counts of two honest machines may differ by a few images whose two best logits are practically equal. `guessed`
    images are right for whoever always says the commonest label.
    """

    def __init__(self, model: Model, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
        if not len(labels) or len(labels) != len(images):
            raise DataError(f"cannot score with {len(images)} images and {len(labels)} labels")
        self._model = model
        self._images = images
        self._labels = labels
        self.guessed = int(np.bincount(labels).max())

    def count(self, parameters: NDArray[np.int32]) -> Counted:
        """Returns the count for int32 [parameters]. Raises ConfigError when the model has another number of them."""
        logits = self._model.logits(as_floats(parameters, self._model.shapes), self._images)
        second, best = np.partition(logits, (-2, -1), axis=1)[:, -2:].T
        # Written so that NaN is unsure, too.
        with np.errstate(invalid="ignore"):
            sure = best - second > _TIE * np.abs(logits).max(axis=1)
        correct = logits.argmax(axis=1) == self._labels
        return Counted(int(correct.sum()), len(self._labels), int(len(sure) - sure.sum()))
