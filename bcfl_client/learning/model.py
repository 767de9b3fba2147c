"""What the rest knows of a model: its tensors, how it starts, how it learns, what it says."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bcfl_client.learning.manifest import Hyperparameters

__all__ = ["Model", "Samples", "TensorShape", "draw_like_torch"]


@dataclass(frozen=True)
class TensorShape:
    """One tensor of a model: its name in `state_dict` and its shape."""

    name: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Number of values."""
        return int(np.prod(self.shape, dtype=np.int64))


@dataclass(frozen=True)
class Samples:
    """Images uint8 [n, height, width], which a model sees as values in [0, 1], and their labels uint8 [n]."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]


class Model(ABC):
    """A model without parameters of its own: they are given to it, float32 [count], tensors as `shapes` says.

    With `runs_in_threads` its methods may run on many threads at once, and leave the interpreter's lock to others.
    """

    shapes: tuple[TensorShape, ...]
    runs_in_threads: bool

    @abstractmethod
    def initial(self) -> NDArray[np.float32]:
        """Returns the parameters that training starts from."""

    @abstractmethod
    def train(
        self,
        parameters: NDArray[np.float32],
        samples: Samples,
        epochs: NDArray[np.int64],
        hyper: Hyperparameters,
        rate: float,
        seed: int,
    ) -> NDArray[np.float32]:
        """Returns the parameters after gradient descent on the mean cross-entropy (McMahan et al. 2017, ClientUpdate).

        `epochs` [epochs, n] holds the samples of each in their order, `rate` is the step size; batch size and momentum
        are in `hyper`, `seed` is for a model's own randomness. The same arguments give the same bytes, with a
        module of torch on one machine.
        """

    @abstractmethod
    def logits(self, parameters: NDArray[np.float32], images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Returns one logit per class of images uint8 [n, height, width]: [n, classes]."""


def draw_like_torch(shapes: tuple[TensorShape, ...], seed: int) -> NDArray[np.float32]:
    """Returns initial parameters of linear and convolutional layers, each a weight [out, ...] and then a bias [out].

    Uniform within 1 / sqrt(inputs of an output), to the same numbers as torch's own layers after manual_seed(seed).
    """
    raw = np.random.RandomState(seed)  # Mersenne Twister, as torch's
    parts, bound = [], 0.0
    for shape in shapes:
        if len(shape.shape) > 1:
            bound = float(np.float32(1 / np.sqrt(shape.size // shape.shape[0])))
        draws = raw.randint(0, 2**32, shape.size, dtype=np.uint32) & 0xFFFFFF
        parts.append((draws * (2**-23 * bound) - bound).astype(np.float32))
    return np.concatenate(parts)
