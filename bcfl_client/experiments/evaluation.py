"""How good a model is: mean cross-entropy and accuracy on images that nobody trained on, or on everybody's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bcfl_client.learning.encoding import load_parameters
from bcfl_client.learning.training import to_inputs

__all__ = ["Examples", "Measure"]

_BATCH = 2000


@dataclass(frozen=True)
class Measure:
    """Mean cross-entropy in nats and the share of correct predictions."""

    loss: float
    accuracy: float


class Examples:
    """Images uint8 [n, height, width] with labels uint8 [n], converted once; threads may share them."""

    def __init__(self, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
        torch.set_num_threads(1)
        self._inputs = to_inputs(images)
        self._labels = torch.from_numpy(labels.astype(np.int64))

    def measure(self, model: nn.Module, parameters: NDArray[np.int32]) -> Measure:
        """Measures int32 [count] `parameters` of `model`, which is the caller's own: they are written into it."""
        load_parameters(model.eval(), parameters)
        loss, correct = 0.0, 0
        with torch.inference_mode():
            for inputs, labels in zip(torch.split(self._inputs, _BATCH), torch.split(self._labels, _BATCH)):
                logits = model(inputs)
                loss += float(nn.functional.cross_entropy(logits, labels, reduction="sum"))
                correct += int((logits.argmax(1) == labels).sum())
        return Measure(loss / len(self._labels), correct / len(self._labels))
