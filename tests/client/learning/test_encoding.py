"""Models as fixed-point vectors: the published vectors, exact loading, and what is refused."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from bcfl_client.errors import ConfigError, ContentMismatch
from bcfl_client.learning.encoding import (
    as_floats,
    decode_parameters,
    encode_floats,
    encode_model,
    encode_parameters,
)
from bcfl_client.learning.torch_model import from_module

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/aggregation.json").read_text())["encoding"]


def holding(values: list[float]) -> nn.Module:
    model = nn.Linear(len(values), 1, bias=False)
    model.weight.data = torch.tensor([values], dtype=torch.float32)
    return model


def test_follows_the_published_vectors() -> None:
    """Rounding to nearest, ties to even, both signs, the ends of the range, byte order."""
    rows = VECTORS["values"]
    values = encode_model(from_module(holding([float.fromhex(row["float"]) for row in rows])))
    assert values.tolist() == [row["fixed"] for row in rows]
    assert encode_parameters(values).hex() == "".join(row["bytes"] for row in rows)


@pytest.mark.parametrize("text", VECTORS["refused"])
def test_C04_refuses_values_outside_fixed_point(text: str) -> None:
    """NaN, infinity and what does not fit are refused with the tensor's name."""
    model = nn.Sequential(nn.Linear(2, 2), holding([0.0, float.fromhex(text)]))
    with pytest.raises(ConfigError, match=r"'1\.weight' holds NaN, infinity or a value outside"):
        encode_model(from_module(model))


def test_order_and_floating_buffers() -> None:
    """Tensors follow in state_dict order, floating buffers (a running mean) included."""
    model = nn.BatchNorm1d(2)
    del model.num_batches_tracked
    model.running_mean.fill_(3.0)
    assert [tensor.name for tensor in from_module(model).shapes] == ["weight", "bias", "running_mean", "running_var"]
    assert (encode_model(from_module(model)) / 2**24).tolist() == [1, 1, 0, 0, 3, 3, 1, 1]


def test_loading_is_exact_and_complete() -> None:
    """A model loaded from its own encoding encodes to the same numbers, and computes with them."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(64, 7), nn.Tanh(), nn.Linear(7, 3))
    source, target = from_module(module), from_module(deepcopy(module))
    values = decode_parameters(encode_parameters(encode_model(source)), 64 * 7 + 7 + 24, "bafy")
    loaded = as_floats(values, target.shapes)
    assert np.array_equal(encode_floats(loaded, target.shapes), values)
    images = np.full((1, 8, 8), 255, dtype=np.uint8)
    expected = module(torch.ones(1, 1, 8, 8)).detach().numpy()
    assert np.allclose(target.logits(loaded, images), expected, atol=1e-5)


def test_loading_rounds_large_values_to_the_nearest_float() -> None:
    """int32 has more digits than float32: one rounding, ties to even, as Python's own conversion does."""
    values = np.array([2**31 - 1, -(2**31), 2**24 + 1, 2**25 + 2, 2**25 + 6], dtype=np.int32)
    floats = as_floats(values, from_module(holding([0.0] * 5)).shapes)
    assert floats.tolist() == [float(np.float32(int(value) / 2**24)) for value in values]


@pytest.mark.parametrize("length", [0, 3, 39, 41, 44, 400])
def test_E01_E02_refuses_by_length_first(length: int) -> None:
    """A file is only ever numbers: any content of the right length is a model, any other length is refused."""
    with pytest.raises(ContentMismatch, match=f"bafy: {length} bytes, an update of 10 parameters has 40"):
        decode_parameters(bytes(length), 10, "bafy")


def test_E01_never_unpickles(tmp_path: Path) -> None:
    """A pickle that would run code is read as plain numbers; the sentinel does not appear."""
    sentinel = tmp_path / "ran"
    data = f"cos\nsystem\n(S'touch {sentinel}'\ntR.".encode()
    data += bytes(-len(data) % 4)
    assert len(decode_parameters(data, len(data) // 4, "bafy")) == len(data) // 4
    assert not sentinel.exists()


def test_refuses_models_that_cannot_be_averaged() -> None:
    """Integer state, other precisions and no parameters at all are refused before a task is published."""
    with pytest.raises(ConfigError, match=r"'num_batches_tracked' is int64.*GroupNorm"):
        from_module(nn.BatchNorm1d(2))
    with pytest.raises(ConfigError, match="'weight' is float64"):
        from_module(nn.Linear(2, 2).double())
    with pytest.raises(ConfigError, match="no parameters"):
        from_module(nn.ReLU())


def test_refuses_another_number_of_parameters() -> None:
    """A participant that names another model than the task's learns both numbers."""
    with pytest.raises(ConfigError, match="the model has 5 parameters, the task's has 6"):
        as_floats(np.zeros(6, dtype=np.int32), from_module(holding([0.0] * 5)).shapes)
