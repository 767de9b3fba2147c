"""Steps of training that all compiled models share: fully connected layers over the inputs that are not zero.

A layer is one vector: its weights [in, out], then its bias [out]. On the way up and in the update nothing multiplies
whole matrices: every input that is not zero adds its row, or is added to; only gradients by inputs are products of all,
in tiles. Rows are contiguous, stay in a core's cache and fill vector instructions. Every sum has one order.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bcfl_client.learning.vectors import ROWS, SAMPLES, exponential, fma, scalar_product, scalar_products

__all__ = [
    "add_rows",
    "add_rows_twice",
    "aligned",
    "backward",
    "find_either",
    "find_nonzero",
    "forward",
    "read_only",
    "scale",
    "softmax_step",
    "update",
]

_BLOCK = 2**17  # weights that stay in a second-level cache: 512 KiB
_LINE = 64  # bytes of a cache line
_SAMPLES = 8  # whose gradients stay in a first-level cache: 16 KiB for 512 units


def aligned(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """A copy of a vector that begins with a cache line: vector instructions that straddle two take half as long again,
    and NumPy's own arrays begin anywhere."""
    room = np.empty(values.nbytes + _LINE, dtype=np.uint8)
    start = -room.ctypes.data % _LINE
    copy = room[start : start + values.nbytes].view(values.dtype)
    copy[:] = values
    return copy


def read_only(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A contiguous view or copy: numba compiles for one kind of array."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


@njit(cache=True, nogil=True, error_model="numpy")
def scale(image, row):  # type: ignore[no-untyped-def]  # numba's
    """Bytes to values in [0, 1]."""
    for i in range(len(row)):
        row[i] = np.float32(image[i]) / np.float32(255)


@njit(cache=True, nogil=True, error_model="numpy")
def forward(layer, below, above, active, rectify):  # type: ignore[no-untyped-def]  # numba's
    """The outputs [n, out] of a layer with inputs [n, in], with ReLU if it is to `rectify`."""
    weights = layer[: below.shape[1] * above.shape[1]].reshape((below.shape[1], above.shape[1]))
    bias = layer[weights.size :]
    for b in range(len(below)):
        above[b] = bias
    # Rows that all samples read before the next ones are needed: a large layer is read once in a batch.
    block = max(_BLOCK // len(bias), 1)
    for first in range(0, len(weights), block):
        rows = layer[first * len(bias) : weights.size]
        for b in range(0, len(below) - 1, 2):
            one, two = below[b, first : first + block], below[b + 1, first : first + block]
            add_rows_twice(above[b], above[b + 1], rows, len(bias), one, two, active, find_either(one, two, active))
        if len(below) % 2:
            one = below[-1, first : first + block]
            add_rows(above[-1], rows, len(bias), one, active, find_nonzero(one, active))
    if rectify:
        for b in range(len(above)):
            row = above[b]
            for j in range(len(row)):
                row[j] = max(row[j], np.float32(0))


@njit(cache=True, nogil=True, error_model="numpy")
def softmax_step(logits, label, scale, step):  # type: ignore[no-untyped-def]  # numba's
    """scale * (softmax - one-hot), the gradient of the cross-entropy by the logits."""
    highest, total = logits.max(), np.float32(0)
    for j in range(len(logits)):
        step[j] = exponential(logits[j] - highest)
        total += step[j]
    for j in range(len(logits)):
        step[j] = scale * (step[j] / total)
    step[label] -= scale


@njit(cache=True, nogil=True, error_model="numpy")
def backward(layer, above, outputs, below):  # type: ignore[no-untyped-def]  # numba's
    """The gradient by a layer's inputs, which are the outputs of ReLU: zero where they are."""
    weights = layer[: below.shape[1] * above.shape[1]].reshape((below.shape[1], above.shape[1]))
    # Steps of a few samples stay in the first-level cache, a block of weights in the second.
    block = max(_BLOCK // above.shape[1], 1)
    for start in range(0, len(weights), block):
        end = min(start + block, len(weights))
        for first in range(0, len(below), _SAMPLES):
            last = min(first + _SAMPLES, len(below))
            lines, pairs = end - (end - start) % ROWS, last - (last - first) % SAMPLES
            for i in range(start, lines, ROWS):
                for b in range(first, pairs, SAMPLES):
                    scalar_products(weights, i, above, b, below)
            for b in range(first, last):
                for i in range(start if b >= pairs else lines, end):
                    scalar_product(weights, i, above, b, below)
    for b in range(len(below)):
        for i in range(len(weights)):
            below[b, i] = below[b, i] if outputs[b, i] != 0 else np.float32(0)


@njit(cache=True, nogil=True, error_model="numpy")
def update(layer, below, above, active):  # type: ignore[no-untyped-def]  # numba's
    """Two rows of the weights after the other, which stay in the first-level cache."""
    weights = layer[: below.shape[1] * above.shape[1]].reshape((below.shape[1], above.shape[1]))
    bias = layer[weights.size :]
    for b in range(len(above)):
        step = above[b]
        for j in range(len(bias)):
            bias[j] += step[j]
    steps = above.reshape(above.size)
    for i in range(0, len(weights) - 1, 2):
        one, two = below[:, i], below[:, i + 1]
        count = find_either(one, two, active)
        if count > 0:
            add_rows_twice(weights[i], weights[i + 1], steps, len(bias), one, two, active, count)
    if len(weights) % 2:
        one = below[:, len(weights) - 1]
        add_rows(weights[-1], steps, len(bias), one, active, find_nonzero(one, active))


@njit(cache=True, nogil=True, error_model="numpy")
def find_nonzero(values, active):  # type: ignore[no-untyped-def]  # numba's
    """Writes the indices of what is not zero; returns how many there are. `active` has room for one more than all."""
    count = 0
    for i in range(len(values)):
        active[count] = i
        count += values[i] != 0
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def find_either(one, two, active):  # type: ignore[no-untyped-def]  # numba's
    """As `find_nonzero`, where one of two vectors is not zero."""
    count = 0
    for i in range(len(one)):
        active[count] = i
        count += (one[i] != 0) | (two[i] != 0)
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def add_rows(target, values, pitch, factors, active, count):  # type: ignore[no-untyped-def]  # numba's
    """target += the sum of factors[i] * row i for the first `count` indices in `active`, four at a time.

    Row i is what `values` holds from i * pitch on, as much as `target`; rows may overlap.
    """
    whole, width = count // 4 * 4, len(target)
    for k in range(0, whole, 4):
        a, b, c, d = active[k], active[k + 1], active[k + 2], active[k + 3]
        fa, fb, fc, fd = factors[a], factors[b], factors[c], factors[d]
        ra, rb = values[a * pitch : a * pitch + width], values[b * pitch : b * pitch + width]
        rc, rd = values[c * pitch : c * pitch + width], values[d * pitch : d * pitch + width]
        for j in range(width):
            target[j] = fma(fd, rd[j], fma(fc, rc[j], fma(fb, rb[j], fma(fa, ra[j], target[j]))))
    for k in range(whole, count):
        at = active[k] * pitch
        factor, row = factors[active[k]], values[at : at + width]
        for j in range(width):
            target[j] = fma(factor, row[j], target[j])


@njit(cache=True, nogil=True, error_model="numpy")
def add_rows_twice(first, second, values, pitch, one, two, active, count):  # type: ignore[no-untyped-def]  # numba's
    """`add_rows` with the factors `one` to the target `first` and with `two` to `second`: each row is loaded once."""
    whole, width = count // 4 * 4, len(first)
    for k in range(0, whole, 4):
        a, b, c, d = active[k], active[k + 1], active[k + 2], active[k + 3]
        fa, fb, fc, fd = one[a], one[b], one[c], one[d]
        ga, gb, gc, gd = two[a], two[b], two[c], two[d]
        ra, rb = values[a * pitch : a * pitch + width], values[b * pitch : b * pitch + width]
        rc, rd = values[c * pitch : c * pitch + width], values[d * pitch : d * pitch + width]
        for j in range(width):
            first[j] = fma(fd, rd[j], fma(fc, rc[j], fma(fb, rb[j], fma(fa, ra[j], first[j]))))
            second[j] = fma(gd, rd[j], fma(gc, rc[j], fma(gb, rb[j], fma(ga, ra[j], second[j]))))
    for k in range(whole, count):
        at = active[k] * pitch
        f, g, row = one[active[k]], two[active[k]], values[at : at + width]
        for j in range(width):
            first[j] = fma(f, row[j], first[j])
            second[j] = fma(g, row[j], second[j])
