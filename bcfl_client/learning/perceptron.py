"""Training of multi-layer perceptrons, compiled by numba: one call for all batches of all epochs.

A sample of MNIST has 150 pixels that are not zero, and half of a hidden layer is zero after ReLU. So nothing here
multiplies whole matrices: a layer's weights lie as [in, out], and every input that is not zero adds its row, or is
added to. Rows are contiguous, stay in a core's cache and fill vector instructions. Every sum has one order, so the
result is the same in every thread and process of a machine, and no call holds the interpreter's lock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numba import njit
from numpy.typing import NDArray
from torch import nn

from bcfl_client.learning.manifest import Hyperparameters

__all__ = ["descend", "from_state", "to_state", "widths"]


def widths(model: nn.Module, hyper: Hyperparameters) -> tuple[int, ...]:
    """Returns the widths of the layers from the input on, or nothing for what `descend` cannot train.

    It trains Flatten, then Linear and ReLU in turn up to a Linear, none shared or frozen, without momentum.
    """
    if type(model) is not nn.Sequential or hyper.momentum:
        return ()
    kinds = [type(layer) for layer in model]
    flatten = next(iter(model), None)
    if not isinstance(flatten, nn.Flatten) or (flatten.start_dim, flatten.end_dim) != (1, -1):
        return ()
    if kinds != [nn.Flatten, *[nn.Linear, nn.ReLU] * (len(kinds) // 2 - 1), nn.Linear]:
        return ()
    parameters = list(model.parameters())  # each once
    if len(parameters) != len(kinds) or not all(parameter.requires_grad for parameter in parameters):
        return ()
    linear = [layer for layer in model if isinstance(layer, nn.Linear)]
    return (linear[0].in_features, *(layer.out_features for layer in linear))


def from_state(values: NDArray[np.float32], layers: Sequence[int]) -> NDArray[np.float32]:
    """Returns parameters in the order of `state_dict`, by layer [out, in] and bias, as `descend` takes them."""
    return _turned(values, layers, lambda below, above: (above, below))


def to_state(parameters: NDArray[np.float32], layers: Sequence[int]) -> NDArray[np.float32]:
    """Undoes `from_state`."""
    return _turned(parameters, layers, lambda below, above: (below, above))


def _turned(
    values: NDArray[np.float32], layers: Sequence[int], shape: Callable[[int, int], tuple[int, int]]
) -> NDArray[np.float32]:
    turned, at = values.copy(), 0
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
) -> None:
    """Stochastic gradient descent on the mean cross-entropy, in place (McMahan et al. 2017, ClientUpdate).

    `parameters` is float32 [count]: for each layer its weights [in, out], then its bias; `layers` are the widths.
    `images` is uint8 [n, layers[0]], seen as values in [0, 1], `labels` [n]; `epochs` [epochs, n] holds the order of
    the samples in each. Raises ValueError for images and labels that do not fit the layers.
    """
    if images.shape != (len(labels), layers[0]) or labels.max(initial=0) >= layers[-1]:
        raise ValueError(f"images {images.shape} with labels to {labels.max()} do not fit layers of {tuple(layers)}")
    _descend(parameters, np.array(layers), images, labels, epochs, batch_size, parameters.dtype.type(rate))


# Sums may be vectorised, which fixes their order when this is compiled; NaN must stay NaN.
_FAST = {"contract", "reassoc", "nsz"}


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def _descend(parameters, layers, images, labels, epochs, batch_size, rate):  # type: ignore[no-untyped-def]  # numba's
    depth = len(layers) - 1
    # Outputs of each layer, and the loss's gradients by them times -rate / batch, one sample after the other.
    outputs = np.empty((depth + 1, batch_size * layers.max()), parameters.dtype)
    steps = np.empty_like(outputs)
    active = np.empty(max(layers.max(), batch_size) + 1, np.int64)
    starts = np.zeros(depth + 1, np.int64)
    for k in range(depth):
        starts[k + 1] = starts[k] + (layers[k] + 1) * layers[k + 1]
    for epoch in range(len(epochs)):
        for first in range(0, epochs.shape[1], batch_size):
            batch = epochs[epoch, first : first + batch_size]
            n = len(batch)
            pixels = outputs[0, : n * layers[0]].reshape((n, layers[0]))
            for b in range(n):
                row, image = pixels[b], images[batch[b]]
                for i in range(len(row)):
                    row[i] = np.float32(image[i]) / np.float32(255)
            for k in range(depth):
                layer = parameters[starts[k] : starts[k + 1]]
                below = outputs[k, : n * layers[k]].reshape((n, layers[k]))
                above = outputs[k + 1, : n * layers[k + 1]].reshape((n, layers[k + 1]))
                _forward(layer, below, above, active, k + 1 < depth)
            logits = outputs[depth, : n * layers[depth]].reshape((n, layers[depth]))
            step = steps[depth, : n * layers[depth]].reshape((n, layers[depth]))
            for b in range(n):
                _softmax_step(logits[b], labels[batch[b]], -rate / np.float32(n), step[b])
            for k in range(depth - 1, -1, -1):
                layer = parameters[starts[k] : starts[k + 1]]
                below = outputs[k, : n * layers[k]].reshape((n, layers[k]))
                above = steps[k + 1, : n * layers[k + 1]].reshape((n, layers[k + 1]))
                if k > 0:  # before the weights change
                    _backward(layer, above, below, steps[k, : n * layers[k]].reshape((n, layers[k])))
                _update(layer, below, above, active)


@njit(cache=True, nogil=True, error_model="numpy")
def _forward(layer, below, above, active, rectify):  # type: ignore[no-untyped-def]  # numba's
    weights = layer[: below.shape[1] * above.shape[1]].reshape((below.shape[1], above.shape[1]))
    bias = layer[weights.size :]
    for b in range(len(below)):
        row = above[b]
        row[:] = bias
        _add_rows(row, weights, below[b], active, _find_nonzero(below[b], active))
        if rectify:
            for j in range(len(row)):
                row[j] = max(row[j], np.float32(0))


@njit(cache=True, nogil=True, error_model="numpy")
def _softmax_step(logits, label, scale, step):  # type: ignore[no-untyped-def]  # numba's
    """scale * (softmax - one-hot), the gradient of the cross-entropy by the logits."""
    highest, total = logits.max(), np.float32(0)
    for j in range(len(logits)):
        step[j] = np.exp(logits[j] - highest)
        total += step[j]
    for j in range(len(logits)):
        step[j] = scale * (step[j] / total)
    step[label] -= scale


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def _backward(layer, above, outputs, below):  # type: ignore[no-untyped-def]  # numba's
    """The gradient by a layer's inputs, which are the outputs of ReLU: zero where they are."""
    weights = layer[: below.shape[1] * above.shape[1]].reshape((below.shape[1], above.shape[1]))
    for b in range(len(below)):
        step, gradient, output = above[b], below[b], outputs[b]
        for i in range(len(gradient)):
            total, row = np.float32(0), weights[i]
            if output[i] != 0:
                for j in range(len(row)):
                    total += row[j] * step[j]
            gradient[i] = total


@njit(cache=True, nogil=True, error_model="numpy")
def _update(layer, below, above, active):  # type: ignore[no-untyped-def]  # numba's
    """One row of the weights after the other, which stays in the first-level cache."""
    weights = layer[: below.shape[1] * above.shape[1]].reshape((below.shape[1], above.shape[1]))
    bias = layer[weights.size :]
    for b in range(len(above)):
        step = above[b]
        for j in range(len(bias)):
            bias[j] += step[j]
    for i in range(len(weights)):
        column = below[:, i]
        count = _find_nonzero(column, active)
        if count > 0:
            _add_rows(weights[i], above, column, active, count)


@njit(cache=True, nogil=True, error_model="numpy")
def _find_nonzero(values, active):  # type: ignore[no-untyped-def]  # numba's
    """Writes the indices of what is not zero; returns how many there are. `active` has room for one more than all."""
    count = 0
    for i in range(len(values)):
        active[count] = i
        count += values[i] != 0
    return count


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def _add_rows(target, rows, factors, active, count):  # type: ignore[no-untyped-def]  # numba's
    """target += the sum of factors[i] * rows[i] for the first `count` indices in `active`, four at a time."""
    whole = count // 4 * 4
    for k in range(0, whole, 4):
        a, b, c, d = active[k], active[k + 1], active[k + 2], active[k + 3]
        fa, fb, fc, fd = factors[a], factors[b], factors[c], factors[d]
        ra, rb, rc, rd = rows[a], rows[b], rows[c], rows[d]
        for j in range(len(target)):
            target[j] += (fa * ra[j] + fb * rb[j]) + (fc * rc[j] + fd * rd[j])
    for k in range(whole, count):
        factor, row = factors[active[k]], rows[active[k]]
        for j in range(len(target)):
            target[j] += factor * row[j]
