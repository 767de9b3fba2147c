"""A user's own torch.nn.Module as a model, trained by autograd; plain perceptrons among them take the compiled path."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bcfl_client.errors import ConfigError
from bcfl_client.learning.manifest import Hyperparameters
from bcfl_client.learning.model import Model, Samples, TensorShape
from bcfl_client.learning.perceptron import Perceptron

__all__ = ["TorchModel", "from_module", "take_step", "to_inputs"]

_BATCH = 1000  # images whose logits are computed together


def from_module(module: nn.Module) -> Model:
    """Returns the model of a module. Raises ConfigError for one with state that cannot be averaged, and without any."""
    model = TorchModel(module)
    return Perceptron(model.shapes, model.initial()) if is_perceptron(module) else model


def is_perceptron(module: nn.Module) -> bool:
    """Whether it is Flatten, then Linear and ReLU in turn up to a Linear, none shared or frozen, without buffers."""
    if type(module) is not nn.Sequential:
        return False
    kinds = [type(layer) for layer in module]
    flatten = next(iter(module), None)
    if not isinstance(flatten, nn.Flatten) or (flatten.start_dim, flatten.end_dim) != (1, -1):
        return False
    if kinds != [nn.Flatten, *[nn.Linear, nn.ReLU] * (len(kinds) // 2 - 1), nn.Linear]:
        return False
    parameters = list(module.parameters())  # each once
    same = len(parameters) == len(kinds) == len(module.state_dict())
    return same and all(parameter.requires_grad for parameter in parameters)


def to_inputs(images: NDArray[np.uint8]) -> torch.Tensor:
    """Returns what a module sees: uint8 [n, height, width] as float32 [n, 1, height, width] in [0, 1]."""
    return torch.from_numpy(images.astype(np.float32)).unsqueeze(1).div_(255.0)


class TorchModel(Model):
    """A `module`, whose parameters are overwritten by every call.

    All floating tensors of `state_dict` count, buffers too. Uses one thread of torch for the whole process: more would
    only slow down the neighbours, and sums of another order would be other bytes.
    """

    runs_in_threads = False

    def __init__(self, module: nn.Module) -> None:
        torch.set_num_threads(1)
        for name, tensor in module.state_dict().items():
            if tensor.dtype != torch.float32:
                kind = str(tensor.dtype).removeprefix("torch.")
                raise ConfigError(
                    f"the model's tensor {name!r} is {kind}, only float32 can be averaged: for batch normalisation use "
                    "GroupNorm, LayerNorm or track_running_stats=False"
                )
        self.shapes = tuple(TensorShape(name, tuple(tensor.shape)) for name, tensor in module.state_dict().items())
        if not sum(shape.size for shape in self.shapes):
            raise ConfigError("the model has no parameters")
        self.module = module
        self._initial = self._stored()

    def initial(self) -> NDArray[np.float32]:
        return self._initial

    def train(
        self,
        parameters: NDArray[np.float32],
        samples: Samples,
        epochs: NDArray[np.int64],
        hyper: Hyperparameters,
        rate: float,
        seed: int,
    ) -> NDArray[np.float32]:
        self._load(parameters)
        used, places = np.unique(epochs, return_inverse=True)
        inputs, order = to_inputs(samples.images[used]), torch.from_numpy(places.reshape(epochs.shape))
        targets = torch.from_numpy(samples.labels[used].astype(np.int64))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)  # for dropout and its like
            descend(self.module, inputs, targets, order, hyper, rate)
        return self._stored()

    def logits(self, parameters: NDArray[np.float32], images: NDArray[np.uint8]) -> NDArray[np.float32]:
        self._load(parameters)
        self.module.eval()
        with torch.inference_mode():
            parts = [self.module(to_inputs(images[i : i + _BATCH])) for i in range(0, len(images), _BATCH)]
            return np.asarray(torch.cat(parts).numpy())

    def _load(self, parameters: NDArray[np.float32]) -> None:
        values, offset = torch.from_numpy(parameters), 0
        with torch.no_grad():
            for shape, tensor in zip(self.shapes, self.module.state_dict().values()):
                tensor.copy_(values[offset : offset + shape.size].view(shape.shape))
                offset += shape.size

    def _stored(self) -> NDArray[np.float32]:
        return np.concatenate([tensor.detach().numpy().reshape(-1) for tensor in self.module.state_dict().values()])


def descend(
    module: nn.Module,
    inputs: torch.Tensor,
    labels: torch.Tensor,
    epochs: torch.Tensor,
    hyper: Hyperparameters,
    rate: float,
) -> None:
    """Gradient descent for any module, by autograd, in place. `epochs` holds the order of the samples in each."""
    module.train()
    parameters: list[torch.Tensor] = [parameter for parameter in module.parameters() if parameter.requires_grad]
    velocity = [torch.zeros_like(parameter) for parameter in parameters] if hyper.momentum else []
    for batch in (batch for order in epochs for batch in torch.split(order, hyper.batch_size)):
        loss = nn.functional.cross_entropy(module(inputs[batch]), labels[batch])
        take_step(parameters, velocity, torch.autograd.grad(loss, parameters), hyper.momentum, rate)


def take_step(
    parameters: list[torch.Tensor],
    velocity: list[torch.Tensor],
    gradients: tuple[torch.Tensor, ...],
    momentum: float,
    rate: float,
) -> None:
    """One step down the `gradients`, in place; `velocity` is empty without momentum."""
    # By hand: torch.optim costs a second to import its compiler and more per step than this.
    with torch.no_grad():
        if velocity:
            torch._foreach_mul_(velocity, momentum)
            torch._foreach_add_(velocity, gradients)
        torch._foreach_add_(parameters, velocity or gradients, alpha=-rate)
