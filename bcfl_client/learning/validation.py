"""The public validation set of a task: some training images and labels that everybody scores with, as one file.

Big-endian, nothing else in the file: 8 bytes `BCFLVAL1`, uint32 number of images n, uint16 height h, uint16 width w,
uint16 classes, then n * h * w bytes of images (row by row, 0..255) and n bytes of labels (below `classes`).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bcfl_client.errors import DataError

__all__ = ["ValidationSet", "decode_validation", "encode_validation", "validation_length"]

_MAGIC = b"BCFLVAL1"
_HEADER = struct.Struct(">8sIHHH")
_MAX_IMAGES, _MAX_SIDE, _MAX_CLASSES = 1_000_000, 1024, 256


@dataclass(frozen=True)
class ValidationSet:
    """Images uint8 [n, height, width] and labels uint8 [n] below `classes`. Raises DataError otherwise."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    classes: int

    def __post_init__(self) -> None:
        if self.images.dtype != np.uint8 or self.images.ndim != 3 or self.labels.dtype != np.uint8:
            raise DataError("validation set: images must be uint8 [n, height, width] and labels uint8 [n]")
        if self.labels.shape != self.images.shape[:1]:
            raise DataError(f"validation set: {len(self.images)} images with {len(self.labels)} labels")
        count, height, width = self.images.shape
        _check_sizes(count, height, width, self.classes)
        if int(self.labels.max()) >= self.classes:
            raise DataError(f"validation set: label {int(self.labels.max())} with only {self.classes} classes")

    @property
    def input_shape(self) -> tuple[int, int]:
        """(height, width) of one image."""
        return self.images.shape[1], self.images.shape[2]


def validation_length(count: int, input_shape: tuple[int, int]) -> int:
    """Returns the bytes of the file with `count` images."""
    return _HEADER.size + count * (input_shape[0] * input_shape[1] + 1)


def encode_validation(validation: ValidationSet) -> bytes:
    """Returns the file's bytes."""
    header = _HEADER.pack(_MAGIC, *validation.images.shape, validation.classes)
    return header + validation.images.tobytes() + validation.labels.tobytes()


def decode_validation(data: bytes) -> ValidationSet:
    """Returns the set in `data`, which may be hostile: it is checked before anything is allocated, and not copied.

    Raises DataError that says what is wrong.
    """
    if len(data) < _HEADER.size or not data.startswith(_MAGIC):
        raise DataError("validation set: the file does not start with BCFLVAL1 and a full header")
    _, count, height, width, classes = _HEADER.unpack_from(data)
    _check_sizes(count, height, width, classes)
    expected = validation_length(count, (height, width))
    if len(data) != expected:
        raise DataError(f"validation set: {len(data)} bytes, its header promises {expected}")
    pixels = count * height * width
    images = np.frombuffer(data, dtype=np.uint8, count=pixels, offset=_HEADER.size).reshape(count, height, width)
    labels = np.frombuffer(data, dtype=np.uint8, offset=_HEADER.size + pixels)
    return ValidationSet(images, labels, classes)


def _check_sizes(count: int, height: int, width: int, classes: int) -> None:
    for what, value, low, high in (
        ("images", count, 1, _MAX_IMAGES),
        ("rows", height, 1, _MAX_SIDE),
        ("columns", width, 1, _MAX_SIDE),
        ("classes", classes, 2, _MAX_CLASSES),
    ):
        if not low <= value <= high:
            raise DataError(f"validation set: {value} {what}, allowed are {low} to {high}")
