"""Local training of one trainer: the same seed, trainer, round, data and model give the same bytes.

Plain stochastic gradient descent on the mean cross-entropy (McMahan et al. 2017, algorithm 1, ClientUpdate). The source
fixes how compiled models round (`vectors`), so these give the same on all machines; a user's own may differ between
machines in their last bits. Nothing depends on that, since only the trainer runs this.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bcfl_client.aggregation.clipping import clip_norm
from bcfl_client.errors import DataError
from bcfl_client.learning.encoding import FRACTIONAL_BITS, as_floats, encode_floats
from bcfl_client.learning.manifest import Hyperparameters
from bcfl_client.learning.model import Model, Samples

__all__ = ["LocalTrainer"]


class LocalTrainer:
    """One trainer's data, kept from round to round, and the model that it trains.

    Trainers may share the `model`, and the images and labels, of which each trains on its `part` (indices), or on all.
    """

    def __init__(
        self,
        model: Model,
        images: NDArray[np.uint8],
        labels: NDArray[np.uint8],
        hyper: Hyperparameters,
        seed: int,
        trainer_id: int = 0,
        part: NDArray[np.int64] | None = None,
    ) -> None:
        if not len(labels) or len(labels) != len(images):
            raise DataError(f"cannot train on {len(images)} images with {len(labels)} labels")
        self._part = np.arange(len(labels)) if part is None else part
        if not len(self._part) or self._part.min() < 0 or self._part.max() >= len(labels):
            raise DataError(f"cannot train on {len(self._part)} of {len(labels)} images: they must be some of them")
        self.model = model
        self.samples = Samples(images, labels)
        self.hyper = hyper
        self._entropy = (seed, trainer_id)

    @property
    def runs_in_threads(self) -> bool:
        """Whether `train` may run on many threads at once."""
        return self.model.runs_in_threads

    def epochs(self, round_id: int) -> NDArray[np.int64]:
        """Returns the indices of its samples in the order of each local epoch of a round, [epochs, n]."""
        order = np.random.Generator(np.random.PCG64(self._source(round_id)))
        return np.stack([self._part[order.permutation(len(self._part))] for _ in range(self.hyper.local_epochs)])

    def seed(self, round_id: int) -> int:
        """What a model's own randomness starts from in a round."""
        return int(self._source(round_id).generate_state(1)[0])

    def rate(self, round_id: int) -> float:
        """The step size of a round."""
        decay = math.prod([self.hyper.learning_rate_decay] * round_id)  # a power rounds as the C library likes
        return self.hyper.learning_rate * decay

    def train(self, parameters: NDArray[np.int32], round_id: int) -> NDArray[np.int32]:
        """Returns the update: all parameters, int32 [count], after local training from the global `parameters`, no
        farther from them than the task's `clipping_norm`.

        `round_id` counts from 0. Raises ConfigError when the model has another number of parameters, and when
        training diverged (naming the tensor).
        """
        start, rate, epochs = as_floats(parameters, self.model.shapes), self.rate(round_id), self.epochs(round_id)
        trained = self.model.train(start, self.samples, epochs, self.hyper, rate, self.seed(round_id))
        return self.finish(parameters, trained)

    def finish(self, parameters: NDArray[np.int32], trained: NDArray[np.float32]) -> NDArray[np.int32]:
        """Returns the update that `train` returns when training ended at `trained`, float32 [count]."""
        update = encode_floats(trained, self.model.shapes)
        most = self.hyper.clipping_norm
        return clip_norm(parameters, update, most, FRACTIONAL_BITS) if most else update

    def _source(self, round_id: int) -> np.random.SeedSequence:
        return np.random.SeedSequence([*self._entropy, round_id])
