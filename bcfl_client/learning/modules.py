"""A user's own models, made by torch.

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
    """Returns the model `package.module:factory`, as `build_model` does."""
    with _seeding, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return from_module(_users_own(name, input_shape, classes))


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
