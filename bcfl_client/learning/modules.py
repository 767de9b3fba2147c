"""Models as modules of torch: a user's own, and what the compiled ones compute.

Inputs are float32 [batch, 1, height, width] in [0, 1], outputs are one logit per class.
"""

from __future__ import annotations

import importlib
import inspect
import threading

import torch
from torch import nn

from bcfl_client.errors import ConfigError
from bcfl_client.learning.convolutional import Convolutional
from bcfl_client.learning.model import Model
from bcfl_client.learning.perceptron import Perceptron
from bcfl_client.learning.torch_model import TorchModel, from_module

__all__ = ["as_module", "build_module"]

_seeding = threading.Lock()  # torch has one generator for all threads


def build_module(name: str, input_shape: tuple[int, int], classes: int, seed: int) -> Model:
    """Returns the model `package.module:factory`, as `build_model` does."""
    with _seeding, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return from_module(_users_own(name, input_shape, classes))


def as_module(model: Model) -> nn.Module:
    """Returns a module with the tensors of `model.shapes` that computes what `model` does. Its values are any."""
    if isinstance(model, TorchModel):
        return model.module
    with torch.random.fork_rng(devices=[]):  # a new layer draws its values
        return _of_shapes(model)


def _of_shapes(model: Model) -> nn.Module:
    shapes = [shape.shape for shape in model.shapes if len(shape.shape) > 1]
    dense = [nn.Linear(shape[1], shape[0]) for shape in shapes if len(shape) == 2]
    layers: list[nn.Module] = [nn.Flatten(), dense[0]]
    for layer in dense[1:]:
        layers += [nn.ReLU(), layer]
    if isinstance(model, Perceptron):
        return nn.Sequential(*layers)
    assert isinstance(model, Convolutional)
    convolutions: list[nn.Module] = []
    for channels, inputs, side, _ in (shape for shape in shapes if len(shape) == 4):
        convolutions += [nn.Conv2d(inputs, channels, side, padding=side // 2), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*convolutions, *layers)


def _users_own(name: str, input_shape: tuple[int, int], classes: int) -> nn.Module:
    module_name, _, attribute = name.partition(":")
    try:
        factory = getattr(importlib.import_module(module_name), attribute)
        arguments = (input_shape, classes) if inspect.signature(factory).parameters else ()
        model = factory(*arguments)
    except Exception as error:  # it is the user's code: anything may come out of it
        raise ConfigError(f"model {name}: {type(error).__name__}: {error}") from error
    if not isinstance(model, nn.Module):
        raise ConfigError(f"model {name}: the factory returned {type(model).__name__}, not a torch.nn.Module")
    return model
