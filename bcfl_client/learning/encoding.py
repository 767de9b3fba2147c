"""A model as a vector of fixed-point numbers: what is hashed, stored, averaged and loaded.

All floating tensors of `state_dict` in its order (parameters and floating buffers), flattened, each value x as the
int32 nearest to x * 2^24 (ties to even, computed in float64), little-endian, nothing else. Two to the 24th keeps seven
decimals and leaves room for values from -128 to 128. Integer buffers have no meaning as an average and are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bcfl_client.errors import ConfigError, ContentMismatch

__all__ = [
    "FRACTIONAL_BITS",
    "TensorShape",
    "as_floats",
    "decode_parameters",
    "encode_floats",
    "encode_model",
    "encode_parameters",
    "load_parameters",
    "tensor_shapes",
]

FRACTIONAL_BITS = 24
_INT32_MIN, _INT32_MAX = -(2**31), 2**31 - 1


@dataclass(frozen=True)
class TensorShape:
    """One tensor of a model: its name in `state_dict` and its shape."""

    name: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Number of values."""
        return int(np.prod(self.shape, dtype=np.int64))


def tensor_shapes(model: nn.Module) -> tuple[TensorShape, ...]:
    """Returns the tensors that are encoded, in order.

    Raises ConfigError for a model with state that cannot be averaged (anything but float32) and for one without any.
    """
    for name, tensor in model.state_dict().items():
        if tensor.dtype != torch.float32:
            kind = str(tensor.dtype).removeprefix("torch.")
            raise ConfigError(
                f"the model's tensor {name!r} is {kind}, only float32 can be averaged: for batch normalisation use "
                "GroupNorm, LayerNorm or track_running_stats=False"
            )
    shapes = tuple(TensorShape(name, tuple(tensor.shape)) for name, tensor in model.state_dict().items())
    if not sum(shape.size for shape in shapes):
        raise ConfigError("the model has no parameters")
    return shapes


def encode_model(model: nn.Module) -> NDArray[np.int32]:
    """Returns the model's parameters as int32 [count].

    Raises ConfigError, naming the tensor, for NaN, infinity and values outside [-128, 128).
    """
    return np.concatenate(
        [_quantise(name, tensor.detach().numpy().reshape(-1)) for name, tensor in model.state_dict().items()]
    )


def encode_floats(values: NDArray[np.float32], shapes: Sequence[TensorShape]) -> NDArray[np.int32]:
    """Returns float32 [count], tensors of these `shapes` one after the other, as int32 [count]. Raises as above."""
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


def load_parameters(model: nn.Module, values: NDArray[np.int32]) -> None:
    """Writes int32 [count] into the model. Raises ConfigError when the model has another number of parameters."""
    shapes = tensor_shapes(model)
    floats, offset = torch.from_numpy(as_floats(values, shapes)), 0
    with torch.no_grad():
        for shape, tensor in zip(shapes, model.state_dict().values()):
            tensor.copy_(floats[offset : offset + shape.size].view(shape.shape))
            offset += shape.size


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
    scaled = np.rint(values.astype(np.float64) * 2.0**FRACTIONAL_BITS)
    # Written so that NaN fails it too.
    if not np.all((scaled >= _INT32_MIN) & (scaled <= _INT32_MAX)):
        raise ConfigError(
            f"the model's tensor {name!r} holds NaN, infinity or a value outside [-128, 128): training diverged, "
            "use a lower learning rate"
        )
    return scaled.astype(np.int32)
