"""The models that a task can name, and a user's own.

Inputs are float32 [batch, 1, height, width] in [0, 1], outputs are one logit per class.
"""

from __future__ import annotations

import importlib
import inspect
import re
import threading

import torch
from torch import nn

from bcfl_client.errors import ConfigError

__all__ = ["build_model", "is_built_in"]

_MLP = "mlp:([1-9][0-9]{0,3})"

_seeding = threading.Lock()  # torch has one generator for all threads


def build_model(name: str, input_shape: tuple[int, int], classes: int, seed: int = 0) -> nn.Module:
    """Returns the model `name` with initial parameters that depend on `seed` alone.

    `name` is `2nn`, `cnn`, `mlp:WIDTH` or `package.module:factory`, where the factory takes nothing or
    (input_shape, classes). It must come from the user's own configuration: a factory is imported and run, so a task
    never chooses it.
    Raises ConfigError when the name is unknown, the import fails or the factory returns no torch.nn.Module.
    """
    with _seeding, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if name == "2nn":
            return _perceptron(input_shape, 200, 200, classes)
        if name == "cnn":
            return _convolutional(input_shape, classes)
        if width := re.fullmatch(_MLP, name):
            return _perceptron(input_shape, int(width[1]), classes)
        if ":" in name:
            return _users_own(name, input_shape, classes)
    raise ConfigError(
        f"unknown model {name!r}: use 2nn, cnn, mlp:WIDTH (1 to 9999), or package.module:factory of your own"
    )


def is_built_in(name: str) -> bool:
    """Whether building `name` runs none but this package's code, so that a task may choose it."""
    return name in ("2nn", "cnn") or re.fullmatch(_MLP, name) is not None


def _perceptron(input_shape: tuple[int, int], *widths: int) -> nn.Module:
    """Layers of these widths with ReLU in between. Two of 200 are the 2NN of McMahan et al. 2017, section 3: 199,210
    parameters for 28 x 28 images and 10 classes; one of 32 is the model of BLADE-FL (Li et al. 2021): 25,450."""
    layers: list[nn.Module] = [nn.Flatten()]
    below = input_shape[0] * input_shape[1]
    for width in widths:
        layers += [nn.Linear(below, width), nn.ReLU()]
        below = width
    return nn.Sequential(*layers[:-1])


def _convolutional(input_shape: tuple[int, int], classes: int) -> nn.Module:
    """The CNN of McMahan et al. 2017, section 3: 1,663,370 parameters for 28 x 28 images and 10 classes."""
    height, width = input_shape
    if min(height, width) < 4:
        raise ConfigError(f"the model cnn needs images of at least 4 x 4, these are {height} x {width}")
    return nn.Sequential(
        nn.Conv2d(1, 32, kernel_size=5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, kernel_size=5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64 * (height // 4) * (width // 4), 512),
        nn.ReLU(),
        nn.Linear(512, classes),
    )


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
