"""Local training of one trainer: the same seed, trainer, round, data and model give the same bytes on one machine.

Plain stochastic gradient descent on the mean cross-entropy (McMahan et al. 2017, algorithm 1, ClientUpdate). Across
machines float sums may differ in their last bits; nothing depends on that, since only the trainer runs this.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bcfl_client.errors import DataError
from bcfl_client.learning import perceptron
from bcfl_client.learning.encoding import as_floats, encode_floats, encode_model, load_parameters, tensor_shapes
from bcfl_client.learning.manifest import Hyperparameters

__all__ = ["LocalTrainer", "to_inputs"]


def to_inputs(images: NDArray[np.uint8]) -> torch.Tensor:
    """Returns what every model sees: uint8 [n, height, width] as float32 [n, 1, height, width] in [0, 1]."""
    return torch.from_numpy(images.astype(np.float32)).unsqueeze(1).div_(255.0)


class LocalTrainer:
    """One trainer's data, ready for training, and its copy of the model; kept from round to round.

    Uses one thread of torch for the whole process: more would only slow down the neighbours, and sums of another
    order would be other bytes.
    """

    def __init__(
        self,
        model: nn.Module,
        images: NDArray[np.uint8],
        labels: NDArray[np.uint8],
        hyper: Hyperparameters,
        seed: int,
        trainer_id: int = 0,
    ) -> None:
        if not len(labels) or len(labels) != len(images):
            raise DataError(f"cannot train on {len(images)} images with {len(labels)} labels")
        torch.set_num_threads(1)
        self._model = model
        self._shapes = tensor_shapes(model)
        self._images = images
        self._labels = labels
        self._hyper = hyper
        self._entropy = (seed, trainer_id)
        self._layers = perceptron.widths(model, hyper)
        if not self._layers:
            self._inputs, self._targets = to_inputs(images), torch.from_numpy(labels.astype(np.int64))

    @property
    def is_compiled(self) -> bool:
        """Whether `train` may run on many threads at once: it then neither uses the model nor torch."""
        return bool(self._layers)

    def train(self, parameters: NDArray[np.int32], round_id: int) -> NDArray[np.int32]:
        """Returns the update: all parameters, int32 [count], after local training from the global `parameters`.

        `round_id` counts from 0. Raises ConfigError when the model has another number of parameters, and when
        training diverged (naming the tensor).
        """
        rate = self._hyper.learning_rate * self._hyper.learning_rate_decay**round_id
        source = np.random.SeedSequence([*self._entropy, round_id])
        order = np.random.Generator(np.random.PCG64(source))
        epochs = np.stack([order.permutation(len(self._labels)) for _ in range(self._hyper.local_epochs)])
        if self._layers:
            return self._train_perceptron(parameters, epochs, rate)
        load_parameters(self._model, parameters)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(source.generate_state(1)[0]))  # for dropout and its like
            _descend(self._model, self._inputs, self._targets, torch.from_numpy(epochs), self._hyper, rate)
        return encode_model(self._model)

    def _train_perceptron(
        self, parameters: NDArray[np.int32], epochs: NDArray[np.int64], rate: float
    ) -> NDArray[np.int32]:
        """Leaves the interpreter's lock to others, and the model alone: trainers may share it, on any threads."""
        weights = perceptron.from_state(as_floats(parameters, self._shapes), self._layers)
        images = self._images.reshape(len(self._images), -1)
        perceptron.descend(weights, self._layers, images, self._labels, epochs, self._hyper.batch_size, rate)
        return encode_floats(perceptron.to_state(weights, self._layers), self._shapes)


def _descend(
    model: nn.Module,
    inputs: torch.Tensor,
    labels: torch.Tensor,
    epochs: torch.Tensor,
    hyper: Hyperparameters,
    rate: float,
) -> None:
    """Gradient descent for any module, by autograd, in place. `epochs` holds the order of the samples in each."""
    model.train()
    parameters: list[torch.Tensor] = [parameter for parameter in model.parameters() if parameter.requires_grad]
    velocity = [torch.zeros_like(parameter) for parameter in parameters] if hyper.momentum else []
    for batch in (batch for order in epochs for batch in torch.split(order, hyper.batch_size)):
        loss = nn.functional.cross_entropy(model(inputs[batch]), labels[batch])
        gradients = torch.autograd.grad(loss, parameters)
        # By hand: torch.optim costs a second to import its compiler and more per step than this.
        with torch.no_grad():
            if velocity:
                torch._foreach_mul_(velocity, hyper.momentum)
                torch._foreach_add_(velocity, gradients)
            torch._foreach_add_(parameters, velocity or gradients, alpha=-rate)
