"""A model as a vector of fixed-point numbers: what is hashed, stored, averaged and loaded.

All floating tensors of `state_dict` in its order (parameters and floating buffers), flattened, each value x as the
int32 nearest to x * 2^24 (ties to even, computed in float64), little-endian, nothing else. Two to the 24th keeps seven
decimals and leaves room for values from -128 to 128. Integer buffers have no meaning as an average and are refused.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bcfl_client.errors import ConfigError, ContentMismatch
from bcfl_client.learning.model import Model, TensorShape

__all__ = [
    "FRACTIONAL_BITS",
    "as_floats",
    "decode_parameters",
    "encode_floats",
    "encode_model",
    "encode_parameters",
]

FRACTIONAL_BITS = 24
_INT32_MIN, _INT32_MAX = -(2**31), 2**31 - 1


def encode_model(model: Model) -> NDArray[np.int32]:
    """Returns the model's initial parameters as int32 [count]. Raises ConfigError as `encode_floats`."""
    return encode_floats(model.initial(), model.shapes)


def encode_floats(values: NDArray[np.float32], shapes: Sequence[TensorShape]) -> NDArray[np.int32]:
    """Returns float32 [count], tensors of these `shapes` one after the other, as int32 [count].

    Raises ConfigError, naming the tensor, for NaN, infinity and values outside [-128, 128).
    """
    ends = np.cumsum([shape.size for shape in shapes])
    parts = np.split(values, ends[:-1])
    return np.concatenate([_quantise(shape.name, part) for shape, part in zip(shapes, parts)])


def as_floats(values: NDArray[np.int32], shapes: Sequence[TensorShape]) -> NDArray[np.float32]:
    """Returns int32 [count] as float32 [count], each rounded once to the nearest.

    Raises ConfigError when tensors of these `shapes` have another number of parameters.
    """
    count = sum(shape.size for shape in shapes)
    if len(values) != count:
        raise ConfigError(f"the model has {count} parameters, the task's has {len(values)}: name the same model")
    floats = values.astype(np.float32)
    floats *= np.float32(2.0**-FRACTIONAL_BITS)
    return floats


def encode_parameters(values: NDArray[np.int32]) -> bytes:
    """Returns the file of int32 [count]: 4 bytes each, little-endian."""
    return values.astype("<i4", copy=False).tobytes()


def decode_parameters(data: bytes, parameter_count: int, content_id: str) -> NDArray[np.int32]:
    """Returns int32 [parameter_count] from a file fetched as `content_id`; any bytes of the right length are a model.

    Raises ContentMismatch when the length is not 4 * parameter_count.
    """
    if len(data) != 4 * parameter_count:
        raise ContentMismatch(
            content_id, f"{len(data)} bytes, an update of {parameter_count} parameters has {4 * parameter_count}"
        )
    return np.frombuffer(data, dtype="<i4").astype(np.int32, copy=False)


def _quantise(name: str, values: NDArray[np.float32]) -> NDArray[np.int32]:
    rounded = np.empty(len(values), dtype=np.int32)
    if not _round(values, rounded):
        raise ConfigError(
            f"the model's tensor {name!r} holds NaN, infinity or a value outside [-128, 128): training diverged, "
            "use a lower learning rate"
        )
    return rounded


@njit(cache=True, nogil=True)
def _round(values, rounded):  # type: ignore[no-untyped-def]  # the types are numba's
    """Whether all values can be encoded, which are then in `rounded`."""
    valid = True
    for i in range(len(values)):
        scaled = np.rint(np.float64(values[i]) * 2.0**FRACTIONAL_BITS)
        # Written so that NaN fails it too.
        inside = (scaled >= _INT32_MIN) & (scaled <= _INT32_MAX)
        valid &= inside
        rounded[i] = np.int32(scaled) if inside else np.int32(0)
    return valid
