"""The validation set's file: round trip, exact form, and hostile files refused before they cost memory."""

from __future__ import annotations

import contextlib
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bcfl_client.errors import DataError
from bcfl_client.learning.validation import ValidationSet, decode_validation, encode_validation, validation_length


def small() -> ValidationSet:
    return ValidationSet(np.arange(12, dtype=np.uint8).reshape(2, 2, 3), np.array([1, 0], dtype=np.uint8), 2)


def test_has_the_documented_form() -> None:
    """Byte for byte as the module's description says."""
    data = encode_validation(small())
    assert data == b"BCFLVAL1" + bytes.fromhex("00000002 0002 0003 0002") + bytes(range(12)) + b"\1\0"
    assert len(data) == validation_length(2, (2, 3))


def test_round_trip(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
    """What was encoded is decoded."""
    decoded = decode_validation(encode_validation(ValidationSet(images, labels, 10)))
    assert np.array_equal(decoded.images, images) and np.array_equal(decoded.labels, labels)
    assert decoded.classes == 10 and decoded.input_shape == (28, 28)


HEADER = struct.Struct(">8sIHHH")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "does not start with"),
        (b"BCFLVAL1", "does not start with"),
        (b"\x80\x04\x95" + bytes(30), "does not start with"),
        (encode_validation(small())[:-1], "31 bytes, its header promises 32"),
        (encode_validation(small()) + b"\0", "33 bytes"),
        (encode_validation(small())[:-1] + b"\2", "label 2 with only 2 classes"),
        (HEADER.pack(b"BCFLVAL1", 0, 28, 28, 10), "0 images"),
        (HEADER.pack(b"BCFLVAL1", 2**32 - 1, 28, 28, 10), "4294967295 images"),
        (HEADER.pack(b"BCFLVAL1", 1000000, 1024, 1024, 10), "its header promises 1048577"),
        (HEADER.pack(b"BCFLVAL1", 1, 65535, 1, 10), "65535 rows"),
        (HEADER.pack(b"BCFLVAL1", 1, 1, 0, 10), "0 columns"),
        (HEADER.pack(b"BCFLVAL1", 1, 1, 1, 1) + b"\0\0", "1 classes"),
        (HEADER.pack(b"BCFLVAL1", 1, 1, 1, 257) + b"\0\0", "257 classes"),
    ],
)
def test_E02_refuses_hostile_files_without_allocating(data: bytes, message: str) -> None:
    """Wrong magic, lengths, sizes and labels: one error each, and no memory taken for what a header promises."""
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=message):
            decode_validation(data)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=64))
def test_E02_any_bytes_are_a_set_or_an_error(tail: bytes) -> None:
    """Random bytes after a good beginning never end in anything else."""
    with contextlib.suppress(DataError):
        decode_validation(b"BCFLVAL1" + tail)


def test_cannot_be_built_wrong(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
    """The dataclass checks what it is given."""
    for bad in (
        lambda: ValidationSet(images.astype(np.float32), labels, 10),
        lambda: ValidationSet(images[0], labels, 10),
        lambda: ValidationSet(images, labels[1:], 10),
        lambda: ValidationSet(images, labels, 5),
        lambda: ValidationSet(images[:0], labels[:0], 10),
    ):
        with pytest.raises(DataError):
            bad()
