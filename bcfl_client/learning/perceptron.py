"""Multi-layer perceptrons, compiled by numba: one call for all batches of all epochs.

A sample of MNIST has 150 pixels that are not zero, and half of a hidden layer is zero after ReLU: what is zero costs
nothing. The result is the same in every thread and process of a machine, and no call holds the interpreter's lock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bcfl_client.learning.dense import aligned, backward, forward, read_only, scale, softmax_step, update
from bcfl_client.learning.manifest import Hyperparameters
from bcfl_client.learning.model import Model, Samples, TensorShape

__all__ = ["Perceptron", "descend", "from_state", "perceptron_shapes", "to_state"]

_BATCH = 64  # images whose logits are computed together


class Perceptron(Model):
    """Linear layers with ReLU in between. `shapes` are those of each layer's weight [out, in] and bias [out]."""

    runs_in_threads = True

    def __init__(self, shapes: tuple[TensorShape, ...], initial: NDArray[np.float32]) -> None:
        self.shapes = shapes
        self._initial = initial
        self._layers = (shapes[0].shape[1], *(weight.shape[0] for weight in shapes[::2]))

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
        turned = from_state(parameters, self._layers)
        images = samples.images.reshape(len(samples.images), -1)
        descend(turned, self._layers, images, samples.labels, epochs, hyper.batch_size, rate, hyper.momentum)
        return to_state(turned, self._layers)

    def logits(self, parameters: NDArray[np.float32], images: NDArray[np.uint8]) -> NDArray[np.float32]:
        pixels = read_only(images.reshape(len(images), images.shape[1] * images.shape[2]))
        if pixels.shape[1] != self._layers[0]:
            raise ValueError(f"images {images.shape} do not fit layers of {self._layers}")
        logits = np.empty((len(images), self._layers[-1]), dtype=np.float32)
        _logits(from_state(parameters, self._layers), np.array(self._layers), pixels, logits)
        return logits


def perceptron_shapes(layers: Sequence[int]) -> tuple[TensorShape, ...]:
    """The tensors of torch's Sequential(Flatten, Linear, ReLU, ..., Linear) with layers of these widths."""
    shapes = []
    for number, (below, above) in enumerate(pairwise(layers)):
        shapes += [TensorShape(f"{2 * number + 1}.weight", (above, below))]
        shapes += [TensorShape(f"{2 * number + 1}.bias", (above,))]
    return tuple(shapes)


def from_state(values: NDArray[np.float32], layers: Sequence[int]) -> NDArray[np.float32]:
    """Returns parameters in the order of `state_dict`, by layer [out, in] and bias, as `descend` takes them."""
    return _turned(values, layers, lambda below, above: (above, below))


def to_state(parameters: NDArray[np.float32], layers: Sequence[int]) -> NDArray[np.float32]:
    """Undoes `from_state`."""
    return _turned(parameters, layers, lambda below, above: (below, above))


def _turned(
    values: NDArray[np.float32], layers: Sequence[int], shape: Callable[[int, int], tuple[int, int]]
) -> NDArray[np.float32]:
    turned, at = aligned(values), 0
    for below, above in pairwise(layers):
        end = at + below * above
        turned[at:end] = values[at:end].reshape(shape(below, above)).T.reshape(-1)
        at = end + above
    return turned


def descend(
    parameters: NDArray[np.float32],
    layers: Sequence[int],
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    epochs: NDArray[np.int64],
    batch_size: int,
    rate: float,
    momentum: float = 0.0,
) -> None:
    """Stochastic gradient descent on the mean cross-entropy, in place (McMahan et al. 2017, ClientUpdate).

    `parameters` is float32 [count]: for each layer its weights [in, out], then its bias; `layers` are the widths.
    `images` is uint8 [n, layers[0]], seen as values in [0, 1], `labels` [n]; `epochs` [epochs, n] holds the order of
    the samples in each. Raises ValueError for images and labels that do not fit the layers.
    """
    if images.shape != (len(labels), layers[0]) or labels.max(initial=0) >= layers[-1]:
        raise ValueError(f"images {images.shape} with labels to {labels.max()} do not fit layers of {tuple(layers)}")
    kind, images, labels = parameters.dtype.type, read_only(images), read_only(labels)
    # Without momentum steps go straight into the parameters.
    velocity = aligned(np.zeros_like(parameters)) if momentum else parameters
    _descend(parameters, velocity, np.array(layers), images, labels, epochs, batch_size, kind(rate), kind(momentum))


@njit(cache=True, nogil=True, error_model="numpy")
def _descend(parameters, velocity, layers, images, labels, epochs, batch_size, rate, momentum):  # type: ignore[no-untyped-def]  # numba's
    depth = len(layers) - 1
    # Outputs of each layer, and the loss's gradients by them times -rate / batch, one sample after the other.
    outputs = np.empty((depth + 1, batch_size * layers.max()), parameters.dtype)
    steps = np.empty_like(outputs)
    active = np.empty(max(layers.max(), batch_size) + 1, np.int64)
    starts = _starts(layers)
    for epoch in range(len(epochs)):
        for first in range(0, epochs.shape[1], batch_size):
            batch = epochs[epoch, first : first + batch_size]
            n = len(batch)
            _up(parameters, layers, starts, images, batch, outputs, active)
            logits = outputs[depth, : n * layers[depth]].reshape((n, layers[depth]))
            step = steps[depth, : n * layers[depth]].reshape((n, layers[depth]))
            for b in range(n):
                softmax_step(logits[b], labels[batch[b]], -rate / np.float32(n), step[b])
            if momentum != 0:
                velocity *= momentum
            for k in range(depth - 1, -1, -1):
                layer = parameters[starts[k] : starts[k + 1]]
                below = outputs[k, : n * layers[k]].reshape((n, layers[k]))
                above = steps[k + 1, : n * layers[k + 1]].reshape((n, layers[k + 1]))
                if k > 0:  # before the weights change
                    backward(layer, above, below, steps[k, : n * layers[k]].reshape((n, layers[k])))
                update(velocity[starts[k] : starts[k + 1]], below, above, active)
            if momentum != 0:
                parameters += velocity


@njit(cache=True, nogil=True, error_model="numpy")
def _starts(layers):  # type: ignore[no-untyped-def]  # numba's
    """Where each layer's parameters begin, and the last ones end."""
    starts = np.zeros(len(layers), np.int64)
    for k in range(len(layers) - 1):
        starts[k + 1] = starts[k] + (layers[k] + 1) * layers[k + 1]
    return starts


@njit(cache=True, nogil=True, error_model="numpy")
def _up(parameters, layers, starts, images, batch, outputs, active):  # type: ignore[no-untyped-def]  # numba's
    """Computes the outputs of all layers for a batch of images."""
    depth, n = len(layers) - 1, len(batch)
    pixels = outputs[0, : n * layers[0]].reshape((n, layers[0]))
    for b in range(n):
        scale(images[batch[b]], pixels[b])
    for k in range(depth):
        layer = parameters[starts[k] : starts[k + 1]]
        below = outputs[k, : n * layers[k]].reshape((n, layers[k]))
        above = outputs[k + 1, : n * layers[k + 1]].reshape((n, layers[k + 1]))
        forward(layer, below, above, active, k + 1 < depth)


@njit(cache=True, nogil=True, error_model="numpy")
def _logits(parameters, layers, images, logits):  # type: ignore[no-untyped-def]  # numba's
    """The outputs [n, classes] for images uint8 [n, pixels]."""
    outputs = np.empty((len(layers), _BATCH * layers.max()), parameters.dtype)
    active = np.empty(layers.max() + 1, np.int64)
    starts = _starts(layers)
    for first in range(0, len(images), _BATCH):
        batch = np.arange(first, min(first + _BATCH, len(images)))
        n = len(batch)
        _up(parameters, layers, starts, images, batch, outputs, active)
        logits[first : first + n] = outputs[-1, : n * layers[-1]].reshape((n, layers[-1]))
