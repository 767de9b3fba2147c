"""Models that torch computes: the CNN, and a user's own.

Inputs are float32 [batch, 1, height, width] in [0, 1], outputs are one logit per class.
"""

from __future__ import annotations

import importlib
import inspect
import threading

import torch
from torch import nn

from bcfl_client.errors import ConfigError
from bcfl_client.learning.model import Model
from bcfl_client.learning.torch_model import from_module

__all__ = ["build_module"]

_seeding = threading.Lock()  # torch has one generator for all threads


def build_module(name: str, input_shape: tuple[int, int], classes: int, seed: int) -> Model:
    """Returns the model `cnn` or `package.module:factory`, as `build_model` does."""
    with _seeding, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if name == "cnn":
            return from_module(_convolutional(input_shape, classes))
        return from_module(_users_own(name, input_shape, classes))


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
