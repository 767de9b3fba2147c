"""How good a model is: mean cross-entropy and accuracy on images that nobody trained on, or on everybody's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bcfl_client.learning.encoding import as_floats
from bcfl_client.learning.model import Model

__all__ = ["Examples", "Measure"]


@dataclass(frozen=True)
class Measure:
    """Mean cross-entropy in nats and the share of correct predictions."""

    loss: float
    accuracy: float


@dataclass(frozen=True)
class Examples:
    """Images uint8 [n, height, width] with labels uint8 [n]; threads may share them."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    def measure(self, model: Model, parameters: NDArray[np.int32]) -> Measure:
        """Measures int32 [count] `parameters` of `model`."""
        logits = model.logits(as_floats(parameters, model.shapes), self.images).astype(np.float64)
        logits -= logits.max(axis=1, keepdims=True)
        of_label = logits[np.arange(len(logits)), self.labels]
        loss = np.log(np.exp(logits).sum(axis=1)) - of_label
        # A tie goes to the lower class.
        return Measure(float(loss.mean()), float((logits.argmax(axis=1) == self.labels).mean()))
