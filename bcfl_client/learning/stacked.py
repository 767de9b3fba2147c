"""Local training of many clients on a GPU: their weights in one stack, so that each step is one product for all.

What `Engine` does with a core for each client, for a device that one client's products leave idle. The same samples in
the same order, but sums of another order: updates differ from the trainer processes' by rounding.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bcfl_client.errors import BcflError, ConfigError
from bcfl_client.learning.encoding import as_floats
from bcfl_client.learning.model import Samples
from bcfl_client.learning.modules import as_module
from bcfl_client.learning.torch_model import take_step
from bcfl_client.learning.training import LocalTrainer

__all__ = ["StackedEngine"]

_STACK = 2**26  # parameters trained at once: with gradients and outputs some gigabytes

_Loss = Callable[[dict[str, torch.Tensor], torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


class StackedEngine:
    """Trains `trainers`, which share one model and its hyperparameters, on a `device` of torch: cuda, cuda:1, mps, cpu.

    A context manager, as `Engine` is. The same stack of a model without operations that torch calls nondeterministic
    gives the same bytes on one device; on cpu torch then has one thread in the whole process. A module's own randomness
    (dropout) is not that of a trainer process. Raises ConfigError when there is no such device, and for a model with
    buffers, shared or frozen tensors; BcflError when the device's memory is full.
    """

    def __init__(self, trainers: Sequence[LocalTrainer], device: str) -> None:
        self._device = _existing(device)
        if self._device.type == "cpu":
            torch.set_num_threads(1)  # sums of another order would be other bytes
        self._trainers = trainers
        self._model, self._hyper = trainers[0].model, trainers[0].hyper
        if any(one.hyper != self._hyper or one.model is not self._model for one in trainers):
            raise ValueError("a stack has one model and one set of hyperparameters")
        module = copy.deepcopy(as_module(self._model)).train()
        if [name for name, one in module.named_parameters() if one.requires_grad] != [*module.state_dict()]:
            raise ConfigError(f"on {device} only models without buffers, shared and frozen tensors can be trained")
        # Trainers may share samples: these are on the device once.
        held = {_identity(one.samples): one.samples for one in trainers}
        self._offsets = dict(zip(held, np.cumsum([0, *(len(samples.labels) for samples in held.values())])))
        with self._enough_memory():
            self._loss = _stacked_loss(module.to(self._device))
            self._images = self._there(np.concatenate([samples.images for samples in held.values()]))
            self._labels = self._there(np.concatenate([samples.labels for samples in held.values()]))

    def train(
        self, parameters: NDArray[np.int32], round_id: int, clients: Iterable[int] | None = None
    ) -> Iterator[NDArray[np.int32]]:
        """Yields the updates of `clients`, by default all, in their order: each int32 [count], trained from the global
        `parameters`. Raises ConfigError as `LocalTrainer.train` does, BcflError when the device's memory is full.
        """
        chosen = list(range(len(self._trainers)) if clients is None else clients)
        most = max(1, _STACK // len(parameters))
        for first in range(0, len(chosen), most):
            trainers = [self._trainers[client] for client in chosen[first : first + most]]
            start = as_floats(parameters, self._model.shapes)
            with self._enough_memory(), _whole_floats(), torch.random.fork_rng(self._generators()):
                torch.manual_seed(trainers[0].seed(round_id))  # for dropout and its like
                trained = self._train_stack(trainers, start, round_id)
            yield from (trainer.finish(parameters, one) for trainer, one in zip(trainers, trained))

    def _train_stack(
        self, trainers: Sequence[LocalTrainer], start: NDArray[np.float32], round_id: int
    ) -> NDArray[np.float32]:
        """Returns what each ends at, [clients, count]."""
        rate = trainers[0].rate(round_id)
        orders = [one.epochs(round_id) + self._offsets[_identity(one.samples)] for one in trainers]
        # Who has most samples, and steps, comes first, so that those who still train are the first ones at any time.
        ranks = sorted(range(len(orders)), key=lambda i: -orders[i].size)
        batches = _batches([orders[i] for i in ranks], self._hyper.batch_size)
        taking_part = (batches[:, :, 0] >= 0).sum(1).tolist()
        stack = self._stack(start, len(trainers))
        velocity = {name: torch.zeros_like(tensor) for name, tensor in stack.items()} if self._hyper.momentum else {}
        for clients, batch in zip(taking_part, self._there(batches)):
            self._step(_first(stack, clients), _first(velocity, clients), batch[:clients], rate)
        trained = np.empty((len(trainers), len(start)), dtype=np.float32)
        trained[ranks] = torch.cat([tensor.flatten(1) for tensor in stack.values()], 1).cpu().numpy()
        return trained

    def _stack(self, start: NDArray[np.float32], clients: int) -> dict[str, torch.Tensor]:
        """Every tensor of the model, [clients, ...], by name."""
        shapes = self._model.shapes
        parts = torch.split(self._there(start), [shape.size for shape in shapes])
        return {
            one.name: part.view(one.shape).repeat(clients, *[1] * len(one.shape)) for one, part in zip(shapes, parts)
        }

    def _step(
        self, stack: dict[str, torch.Tensor], velocity: dict[str, torch.Tensor], batch: torch.Tensor, rate: float
    ) -> None:
        """A step of each client, in place, by its samples in `batch` [clients, size]; -1 fills short ones."""
        counted = batch >= 0
        weights = counted / counted.sum(1, keepdim=True)
        images = self._images[batch.clamp(0)].unsqueeze(2).float().div_(255.0)
        labels = self._labels[batch.clamp(0)].long()
        parameters = list(stack.values())
        for tensor in parameters:
            tensor.requires_grad_()
        gradients = torch.autograd.grad(self._loss(stack, images, labels, weights), parameters)
        take_step(parameters, list(velocity.values()), gradients, self._hyper.momentum, rate)

    def _there(self, values: NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(values).to(self._device)

    def _generators(self) -> list[torch.device]:
        """The generators of random numbers that training may use, beside the processor's."""
        return [self._device] if self._device.type == "cuda" else []

    @contextmanager
    def _enough_memory(self) -> Iterator[None]:
        try:
            yield
        except torch.OutOfMemoryError as error:
            raise BcflError(f"the memory of {self._device} is full: train on the cores instead") from error

    def __enter__(self) -> StackedEngine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing of it runs between two calls."""


def _existing(name: str) -> torch.device:
    try:
        torch.zeros(1, device=name).tolist()
    except (RuntimeError, AssertionError, NotImplementedError, ImportError) as error:  # torch raises all of these
        raise ConfigError(f"torch cannot use the device {name!r}: {str(error).splitlines()[0]}") from error
    return torch.device(name)


@contextmanager
def _whole_floats() -> Iterator[None]:
    """Products of all 24 bits of a float32, by the same algorithm every time."""
    products, before = torch.backends.cuda.matmul, torch.backends.cuda.matmul.fp32_precision
    products.fp32_precision = "ieee"
    try:
        with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            yield
    finally:
        products.fp32_precision = before


def _identity(samples: Samples) -> tuple[int, int]:
    return id(samples.images), id(samples.labels)


def _first(stack: dict[str, torch.Tensor], clients: int) -> dict[str, torch.Tensor]:
    """Views of the first clients' part."""
    return {name: tensor[:clients] for name, tensor in stack.items()}


def _stacked_loss(module: nn.Module) -> _Loss:
    """The sum of all clients' losses: their gradients are those of each."""

    def one(
        tensors: dict[str, torch.Tensor], images: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor
    ) -> torch.Tensor:
        logits = torch.func.functional_call(module, tensors, (images,))
        return (nn.functional.cross_entropy(logits, labels, reduction="none") * weights).sum()

    stacked = torch.func.vmap(one, randomness="different")
    return lambda *arguments: stacked(*arguments).sum()


def _batches(orders: Sequence[NDArray[np.int64]], batch_size: int) -> NDArray[np.int64]:
    """Returns every client's samples in each of its steps, [steps, clients, batch], -1 where there are no more. The
    first of the `orders` [epochs, n] is the longest."""
    size = min(batch_size, orders[0].shape[1])
    batches = np.full((_steps(orders[0], size), len(orders), size), -1, dtype=np.int64)
    for client, order in enumerate(orders):
        steps = _steps(order, size)
        padded = np.full((len(order), steps // len(order) * size), -1, dtype=np.int64)
        padded[:, : order.shape[1]] = order
        batches[:steps, client] = padded.reshape(steps, size)
    return batches


def _steps(order: NDArray[np.int64], batch_size: int) -> int:
    epochs, samples = order.shape
    return int(epochs * -(-samples // batch_size))
