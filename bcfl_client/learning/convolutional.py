"""The CNN of McMahan et al. 2017, section 3, compiled: two convolutions (see `convolution`) and two dense layers."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bcfl_client.errors import ConfigError
from bcfl_client.learning.convolution import (
    MARGIN,
    SIDE,
    change_first,
    change_second,
    convolve,
    convolve_image,
    pool,
    unpool,
)
from bcfl_client.learning.dense import aligned, backward, forward, read_only, scale, softmax_step, update
from bcfl_client.learning.manifest import Hyperparameters
from bcfl_client.learning.model import Model, Samples, TensorShape

__all__ = ["Convolutional", "convolutional_shapes"]

_CHANNELS, _HIDDEN = (32, 64), 512
_BATCH = 32  # images whose logits are computed together


class Convolutional(Model):
    """Convolutions to 32 and 64 channels, a hidden layer of 512: 1,663,370 parameters for 28 x 28 images and 10
    classes. Raises ConfigError for images below 4 x 4."""

    runs_in_threads = True

    def __init__(self, input_shape: tuple[int, int], classes: int, initial: NDArray[np.float32]) -> None:
        self.shapes = convolutional_shapes(input_shape, classes)
        self._initial = initial
        self._input_shape = input_shape
        self._order = _compiled_order(self.shapes)
        self._sizes = (*input_shape, *_CHANNELS, _HIDDEN, classes)

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
        images, labels = self._checked(samples.images), read_only(samples.labels)
        if labels.max(initial=0) >= self._sizes[-1]:
            raise ValueError(f"labels to {labels.max()} do not fit {self._sizes[-1]} classes")
        kind, turned = parameters.dtype.type, aligned(parameters[self._order])
        velocity = aligned(np.zeros_like(turned)) if hyper.momentum else turned
        steps = kind(rate), kind(hyper.momentum)
        _descend(turned, velocity, self._sizes, images, labels, epochs, hyper.batch_size, *steps)
        trained = np.empty_like(turned)
        trained[self._order] = turned
        return trained

    def logits(self, parameters: NDArray[np.float32], images: NDArray[np.uint8]) -> NDArray[np.float32]:
        logits = np.empty((len(images), self._sizes[-1]), dtype=np.float32)
        _logits(aligned(parameters[self._order]), self._sizes, self._checked(images), logits)
        return logits

    def _checked(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if images.shape[1:] != self._input_shape:
            raise ValueError(f"images {images.shape} do not fit a model for {self._input_shape}")
        return read_only(images)


def convolutional_shapes(input_shape: tuple[int, int], classes: int) -> tuple[TensorShape, ...]:
    """The tensors of torch's Sequential(Conv2d, ReLU, MaxPool2d, twice; Flatten, Linear, ReLU, Linear)."""
    height, width = input_shape
    if min(height, width) < 4:
        raise ConfigError(f"the model cnn needs images of at least 4 x 4, these are {height} x {width}")
    first, second = _CHANNELS
    weights = {
        0: (first, 1, SIDE, SIDE),
        3: (second, first, SIDE, SIDE),
        7: (_HIDDEN, second * (height // 4) * (width // 4)),
        9: (classes, _HIDDEN),
    }
    shapes = []
    for number, shape in weights.items():
        shapes += [TensorShape(f"{number}.weight", shape), TensorShape(f"{number}.bias", shape[:1])]
    return tuple(shapes)


def _compiled_order(shapes: tuple[TensorShape, ...]) -> NDArray[np.int64]:
    """Where in `state_dict` each parameter lies, in the order of `_descend`: channels beside each other."""
    ends = np.cumsum([shape.size for shape in shapes])
    parts = np.split(np.arange(ends[-1]), ends[:-1])
    first, b1, second, b2, hidden, b3, last, b4 = (part.reshape(one.shape) for part, one in zip(parts, shapes))
    ordered = [
        first[:, 0, ::-1, ::-1].transpose(1, 2, 0),  # turned: [row, column, channel]
        b1,
        second.transpose(2, 0, 3, 1),  # [row, channel, column, input]
        b2,
        hidden.reshape(_HIDDEN, _CHANNELS[1], -1).transpose(2, 1, 0),  # [cell, channel, out]
        b3,
        last.T,
        b4,
    ]
    return np.concatenate([part.reshape(-1) for part in ordered])


@njit(cache=True, nogil=True, error_model="numpy")
def _split(parameters, sizes):  # type: ignore[no-untyped-def]  # numba's
    """Views: both kernels with their biases, both dense layers."""
    height, width, c1, c2, hidden = sizes[:5]
    a = SIDE * SIDE * c1
    b = a + c1
    c = b + SIDE * c2 * SIDE * c1
    d = c + c2
    e = d + ((height // 4) * (width // 4) * c2 + 1) * hidden
    kernel1, bias1 = parameters[:a].reshape((SIDE, 1, SIDE * c1)), parameters[a:b]
    kernel2, bias2 = parameters[b:c].reshape((SIDE, c2, SIDE * c1)), parameters[c:d]
    return kernel1, bias1, kernel2, bias2, parameters[d:e], parameters[e:]


@njit(cache=True, nogil=True, error_model="numpy")
def _up(parameters, sizes, images, batch, pixels, below, where1, map1, map2, flat, where2, hidden, logits, active):  # type: ignore[no-untyped-def]  # numba's
    """Computes the outputs of all layers for a batch of images."""
    height, width = sizes[0], sizes[1]
    kernel1, bias1, kernel2, bias2, dense1, dense2 = _split(parameters, sizes)
    turned = _turn(kernel2)
    for b in range(len(batch)):
        scale(images[batch[b]].reshape(height * width), pixels[b].reshape(height * width))
        convolve_image(pixels[b], kernel1, bias1, map1)
        pool(map1, MARGIN, below[b], MARGIN, where1[b])
        convolve(below[b], MARGIN, True, turned, bias2, map2, active)
        pool(map2, MARGIN, flat[b].reshape(where2[b].shape), 0, where2[b])
    forward(dense1, flat, hidden, active, True)
    forward(dense2, hidden, logits, active, False)


@njit(cache=True, nogil=True, error_model="numpy")
def _turn(kernel):  # type: ignore[no-untyped-def]  # numba's
    """The kernel [row, channel, (column, input)] as [row, input, (column, channel)], turned by 180 degrees."""
    channels, inputs = kernel.shape[1], kernel.shape[2] // SIDE
    turned = np.empty((SIDE, inputs, SIDE * channels), kernel.dtype)
    for r in range(SIDE):
        for i in range(inputs):
            for s in range(SIDE):
                for o in range(channels):
                    turned[r, i, s * channels + o] = kernel[SIDE - 1 - r, o, (SIDE - 1 - s) * inputs + i]
    return turned


@njit(cache=True, nogil=True, error_model="numpy")
def _room(sizes, n, like):  # type: ignore[no-untyped-def]  # numba's
    """What `_up` writes to, for batches of n."""
    height, width, c1, c2, hidden, classes = sizes
    h1, w1, h2, w2 = height // 2, width // 2, height // 4, width // 4
    kind, edge = like.dtype, 2 * MARGIN
    pixels, below = np.empty((n, height, width), kind), np.zeros((n, h1 + edge, w1 + edge, c1), kind)
    map1, map2 = np.empty((height + edge, width + edge, c1), kind), np.empty((h1 + edge, w1 + edge, c2), kind)
    where1, where2 = np.empty((n, h1, w1, c1), np.int32), np.empty((n, h2, w2, c2), np.int32)
    outputs = np.empty((n, h2 * w2 * c2), kind), np.empty((n, hidden), kind), np.empty((n, classes), kind)
    active = np.empty(max(width, c1, c2, h2 * w2 * c2, hidden, n) + 1, np.int64)
    return pixels, below, where1, map1, map2, outputs[0], where2, outputs[1], outputs[2], active


@njit(cache=True, nogil=True, error_model="numpy")
def _logits(parameters, sizes, images, logits):  # type: ignore[no-untyped-def]  # numba's
    pixels, below, where1, map1, map2, flat, where2, hidden, out, active = _room(sizes, _BATCH, parameters)
    for first in range(0, len(images), _BATCH):
        batch = np.arange(first, min(first + _BATCH, len(images)))
        n = len(batch)
        _up(
            parameters, sizes, images, batch, pixels, below, where1, map1, map2, flat[:n], where2, hidden[:n], out[:n],
            active,
        )  # fmt: skip
        logits[first : first + n] = out[:n]


@njit(cache=True, nogil=True, error_model="numpy")
def _descend(parameters, velocity, sizes, images, labels, epochs, batch_size, rate, momentum):  # type: ignore[no-untyped-def]  # numba's
    _, bias1, kernel2, _, dense1, dense2 = _split(parameters, sizes)
    target1, target2 = _split(velocity, sizes)[4:]
    convolutions = parameters.size - dense1.size - dense2.size
    changes = np.zeros(parameters.size, parameters.dtype)
    change1, step1, change2, step2, _, _ = _split(changes, sizes)
    pixels, below, where1, map1, map2, flat, where2, hidden, logits, active = _room(sizes, batch_size, parameters)
    up_logits, up_hidden, up_flat = np.empty_like(logits), np.empty_like(hidden), np.empty_like(flat)
    steps2, nothing = np.empty((where1.shape[1], *map2.shape[1:]), parameters.dtype), np.zeros_like(bias1)
    gradient, masked = np.empty_like(below[0]), np.empty(where1[0].shape, parameters.dtype)
    for epoch in range(len(epochs)):
        for first in range(0, epochs.shape[1], batch_size):
            batch = epochs[epoch, first : first + batch_size]
            n = len(batch)
            _up(
                parameters, sizes, images, batch, pixels, below, where1, map1, map2, flat[:n], where2, hidden[:n],
                logits[:n], active,
            )  # fmt: skip
            for b in range(n):
                softmax_step(logits[b], labels[batch[b]], -rate / np.float32(n), up_logits[b])
            if momentum != 0:
                velocity *= momentum
            backward(dense2, up_logits[:n], hidden[:n], up_hidden[:n])
            update(target2, hidden[:n], up_logits[:n], active)
            backward(dense1, up_hidden[:n], flat[:n], up_flat[:n])
            update(target1, flat[:n], up_hidden[:n], active)
            changes[:convolutions] = 0
            for b in range(n):
                grads = up_flat[b].reshape(where2[b].shape)
                unpool(grads, where2[b], steps2, 0)
                change_second(below[b], grads, where2[b], steps2, change2, active)
                _add_cells(grads, step2)
                convolve(steps2, 0, False, kernel2, nothing, gradient, active)
                _cut(gradient, below[b], masked)
                _add_cells(masked, step1)
                unpool(masked, where1[b], map1, MARGIN)
                change_first(pixels[b], map1, change1, active)
            for i in range(convolutions):
                velocity[i] += changes[i]
            if momentum != 0:
                parameters += velocity


@njit(cache=True, nogil=True, error_model="numpy")
def _cut(gradient, outputs, inner):  # type: ignore[no-untyped-def]  # numba's
    """The gradient without its margin, zero where the outputs of ReLU are."""
    for y in range(inner.shape[0]):
        for x in range(inner.shape[1]):
            values, out = gradient[y + MARGIN, x + MARGIN], outputs[y + MARGIN, x + MARGIN]
            for j in range(len(values)):
                inner[y, x, j] = values[j] if out[j] != 0 else np.float32(0)


@njit(cache=True, nogil=True, error_model="numpy")
def _add_cells(cells, sums):  # type: ignore[no-untyped-def]  # numba's
    """Adds all cells [h, w, channels] to `sums` [channels]."""
    for y in range(cells.shape[0]):
        for x in range(cells.shape[1]):
            cell = cells[y, x]
            for j in range(len(sums)):
                sums[j] += cell[j]
