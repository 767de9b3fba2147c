"""The models that a task can name, and a user's own.

These are compiled and do without torch; a user's own need it.
"""

from __future__ import annotations

import re

from bcfl_client.errors import ConfigError
from bcfl_client.learning.convolutional import Convolutional, convolutional_shapes
from bcfl_client.learning.model import Model, draw_like_torch
from bcfl_client.learning.perceptron import Perceptron, perceptron_shapes

__all__ = ["build_model", "is_built_in"]

_MLP = "mlp:([1-9][0-9]{0,3})"


def build_model(name: str, input_shape: tuple[int, int], classes: int, seed: int = 0) -> Model:
    """Returns the model `name` with initial parameters that depend on `seed` alone.

    `name` is `2nn`, `cnn`, `mlp:WIDTH` or `package.module:factory`, where the factory takes nothing or
    (input_shape, classes). It must come from the user's own configuration: a factory is imported and run, so a task
    never chooses it.
    Raises ConfigError when the name is unknown, the import fails or the factory returns no torch.nn.Module.
    """
    if name == "2nn":
        return _perceptron(seed, input_shape, 200, 200, classes)
    if width := re.fullmatch(_MLP, name):
        return _perceptron(seed, input_shape, int(width[1]), classes)
    if name == "cnn":
        return Convolutional(input_shape, classes, draw_like_torch(convolutional_shapes(input_shape, classes), seed))
    if ":" not in name:
        raise ConfigError(
            f"unknown model {name!r}: use 2nn, cnn, mlp:WIDTH (1 to 9999), or package.module:factory of your own"
        )
    # Imported here: torch takes longer than a round, and no other model needs it.
    from bcfl_client.learning.modules import build_module

    return build_module(name, input_shape, classes, seed)


def is_built_in(name: str) -> bool:
    """Whether building `name` runs none but this package's code, so that a task may choose it."""
    return name in ("2nn", "cnn") or re.fullmatch(_MLP, name) is not None


def _perceptron(seed: int, input_shape: tuple[int, int], *widths: int) -> Perceptron:
    """Layers of these widths with ReLU in between. Two of 200 are the 2NN of McMahan et al. 2017, section 3: 199,210
    parameters for 28 x 28 images and 10 classes; one of 32 is the model of BLADE-FL (Li et al. 2021): 25,450."""
    shapes = perceptron_shapes((input_shape[0] * input_shape[1], *widths))
    return Perceptron(shapes, draw_like_torch(shapes, seed))
