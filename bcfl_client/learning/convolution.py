"""Two convolutions compiled by numba, each 5 x 5 with a margin of two, then ReLU, then the maxima of 2 x 2 cells.

As in `dense`, only what is not zero is multiplied: on the way up inputs, on the way down the one cell in four that was
a maximum, if it was positive. A map is [rows, columns, channels], with or without a margin of two cells around it. In
one with a margin a row of the 5 x 5 patch around a cell is one run of 5 * channels values.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from bcfl_client.learning.dense import add_rows, add_rows_twice, find_either, find_nonzero
from bcfl_client.learning.vectors import fma

__all__ = ["MARGIN", "SIDE", "change_first", "change_second", "convolve", "convolve_image", "pool", "unpool"]

SIDE = 5  # of a kernel
MARGIN = SIDE // 2


@njit(cache=True, nogil=True, error_model="numpy")
def convolve_image(image, kernel, bias, out):  # type: ignore[no-untyped-def]  # numba's
    """Writes the map `out`, with a margin, of an `image` [rows, columns]: as `convolve` for one input, of which a whole
    kernel stays in the first-level cache."""
    out[:] = bias
    pitch, channels = out.shape[1] * out.shape[2], out.shape[2]
    flat = out.reshape(out.size)
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            value = image[y, x]
            if value != 0:
                for r in range(SIDE):
                    row, start = kernel[r, 0], (y + r) * pitch + x * channels
                    target = flat[start : start + len(row)]
                    for j in range(len(row)):
                        target[j] = fma(value, row[j], target[j])


@njit(cache=True, nogil=True, error_model="numpy")
def convolve(below, margin, paired, kernel, bias, out, active):  # type: ignore[no-untyped-def]  # numba's
    """Writes the map `out`, with a margin, of a map `below`: every input adds its rows of the `kernel`.

    That is [5, inputs, 5 * channels]: turned by 180 degrees for the outputs, as it is for the gradient by inputs. The
    margin of `out` gets what falls on it, which has no meaning. `paired` takes two rows of the map at once: faster if
    what is not zero in one is mostly not in the other.
    """
    inputs, channels = below.shape[2], out.shape[2]
    height, width, run = out.shape[0] - 2 * MARGIN, out.shape[1] - 2 * MARGIN, SIDE * channels
    out[:] = bias
    pairs = height // 2 if paired else 0
    for r in range(SIDE):  # the outer loop: a row of the kernel stays in the first-level cache
        rows = kernel[r].reshape(inputs * run)
        for y in range(0, 2 * pairs, 2):
            upper = out[y + r].reshape(out.shape[1] * channels)
            lower = out[y + r + 1].reshape(out.shape[1] * channels)
            for x in range(width):
                one, two = below[y + margin, x + margin], below[y + margin + 1, x + margin]
                count = find_either(one, two, active)
                if count > 0:
                    first, second = upper[x * channels : x * channels + run], lower[x * channels : x * channels + run]
                    add_rows_twice(first, second, rows, run, one, two, active, count)
        for y in range(2 * pairs, height):
            line = out[y + r].reshape(out.shape[1] * channels)
            for x in range(width):
                one = below[y + margin, x + margin]
                count = find_nonzero(one, active)
                if count > 0:
                    add_rows(line[x * channels : x * channels + run], rows, run, one, active, count)


@njit(cache=True, nogil=True, error_model="numpy")
def change_first(image, steps, changes, active):  # type: ignore[no-untyped-def]  # numba's
    """Adds to the turned kernel's `changes` [5, 1, 5 * channels] what `steps`, a map with a margin, make of it."""
    channels = steps.shape[2]
    for y in range(image.shape[0]):
        count = find_nonzero(image[y], active)
        if count > 0:
            for r in range(SIDE):
                line = steps[y + r].reshape(steps.shape[1] * channels)
                add_rows(changes[r, 0], line, channels, image[y], active, count)


@njit(cache=True, nogil=True, error_model="numpy")
def change_second(below, grads, where, steps, changes, active):  # type: ignore[no-untyped-def]  # numba's
    """Adds to the second kernel's `changes` [5, channels, 5 * inputs] what the map `below`, with a margin, and `steps`
    [rows, columns with the margin, channels] make of it: `grads` of maxima, unpooled."""
    columns, inputs = below.shape[1], below.shape[2]
    of_cell = steps.reshape(steps.shape[0] * columns, steps.shape[2])
    flat = below.reshape(below.size)
    for o in range(steps.shape[2]):
        count = 0
        for y in range(grads.shape[0]):
            for x in range(grads.shape[1]):
                at = where[y, x, o]
                active[count] = (2 * y + at // 2) * columns + 2 * x + at % 2
                count += grads[y, x, o] != 0
        if count > 0:
            for r in range(SIDE):
                add_rows(changes[r, o], flat[r * columns * inputs :], inputs, of_cell[:, o], active, count)


@njit(cache=True, nogil=True, error_model="numpy")
def pool(values, margin, pooled, pooled_margin, where):  # type: ignore[no-untyped-def]  # numba's
    """Writes the maxima of 2 x 2 cells, zero if none is positive, and `where` [h, w, channels] they were: 0 to 3."""
    for y in range(where.shape[0]):
        for x in range(where.shape[1]):
            row, column = 2 * y + margin, 2 * x + margin
            a, b = values[row, column], values[row, column + 1]
            c, d = values[row + 1, column], values[row + 1, column + 1]
            out, at = pooled[y + pooled_margin, x + pooled_margin], where[y, x]
            for j in range(len(out)):
                upper, lower = max(a[j], b[j]), max(c[j], d[j])
                in_upper = np.int32(1) if b[j] > a[j] else np.int32(0)
                in_lower = np.int32(3) if d[j] > c[j] else np.int32(2)
                at[j] = in_lower if lower > upper else in_upper
                out[j] = max(max(upper, lower), np.float32(0))


@njit(cache=True, nogil=True, error_model="numpy")
def unpool(grads, where, steps, margin):  # type: ignore[no-untyped-def]  # numba's
    """Writes a map of zeros and, at the maxima, their gradients `grads` [h, w, channels]."""
    steps[:] = 0
    for y in range(where.shape[0]):
        for x in range(where.shape[1]):
            values, at = grads[y, x], where[y, x]
            for k in range(4):
                cell = steps[2 * y + margin + k // 2, 2 * x + margin + k % 2]
                for j in range(len(cell)):
                    cell[j] = values[j] if at[j] == k else np.float32(0)
