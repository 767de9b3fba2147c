"""The compiled CNN against torch: the same logits, the same steps, for any shape of image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from bcfl_client.errors import ConfigError
from bcfl_client.learning.encoding import encode_model
from bcfl_client.learning.manifest import Hyperparameters
from bcfl_client.learning.model import Samples
from bcfl_client.learning.models import build_model
from bcfl_client.learning.torch_model import TorchModel
from bcfl_client.learning.training import LocalTrainer

HYPER = Hyperparameters(learning_rate=0.1, batch_size=24)


def in_torch(height: int, width: int, classes: int) -> TorchModel:
    """McMahan's CNN as a user of torch writes it."""
    layers = (
        *(nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(64 * (height // 4) * (width // 4), 512), nn.ReLU(), nn.Linear(512, classes)),
    )
    return TorchModel(nn.Sequential(*layers))


def sparse(count: int, height: int, width: int) -> np.ndarray:
    """Images of which a third is not zero."""
    random = np.random.default_rng(height * width)
    images = random.integers(0, 256, (count, height, width), dtype=np.uint8)
    return images * (random.random(images.shape) < 0.3)


@pytest.mark.parametrize("momentum", [0.0, 0.5])
@pytest.mark.parametrize(("height", "width"), [(28, 28), (4, 4), (8, 8), (9, 14), (11, 6)])
def test_takes_the_steps_of_torch(height: int, width: int, momentum: float) -> None:
    """An epoch with a short last batch agrees to two millionths, 34 units of the encoding; odd sides lose an edge."""
    images = sparse(50, height, width)
    labels = np.random.default_rng(1).integers(0, 10, 50, dtype=np.uint8)
    start = encode_model(build_model("cnn", (height, width), 10))
    hyper = replace(HYPER, momentum=momentum)
    fast, slow = (
        LocalTrainer(model, images, labels, hyper, seed=0).train(start, 0).astype(np.int64)
        for model in (build_model("cnn", (height, width), 10), in_torch(height, width, 10))
    )
    assert np.abs(fast - slow).max() <= 34
    assert np.abs(fast - start).max() > 10_000


@pytest.mark.parametrize("count", [0, 1, 31, 65])
def test_predicts_what_torch_does(count: int) -> None:
    """Logits of any number of images, the short last batch included."""
    fast, slow = build_model("cnn", (12, 8), 3), in_torch(12, 8, 3)
    parameters = np.random.default_rng(0).normal(0, 0.1, len(fast.initial())).astype(np.float32)
    images = sparse(count, 12, 8)
    expected = slow.logits(parameters, images) if count else np.zeros((0, 3))
    assert np.allclose(fast.logits(parameters, images), expected, rtol=1e-4, atol=1e-4)


def test_equal_pixels_share_a_maximum_as_in_torch() -> None:
    """Images of one grey: every 2 x 2 cell has four equal values, and the first one gets the gradient."""
    images = np.full((20, 8, 8), 90, dtype=np.uint8)
    labels = (np.arange(20) % 10).astype(np.uint8)
    start = encode_model(build_model("cnn", (8, 8), 10))
    fast, slow = (
        LocalTrainer(model, images, labels, HYPER, seed=0).train(start, 0).astype(np.int64)
        for model in (build_model("cnn", (8, 8), 10), in_torch(8, 8, 10))
    )
    assert np.abs(fast - slow).max() <= 34


def test_what_does_not_fit_is_refused() -> None:
    """Images too small or of another shape, labels beyond the classes: nothing is read outside of the arrays."""
    with pytest.raises(ConfigError, match="at least 4 x 4, these are 3 x 8"):
        build_model("cnn", (3, 8), 10)
    model = build_model("cnn", (8, 8), 10)
    images, order = np.zeros((1, 8, 8), dtype=np.uint8), np.zeros((1, 1), dtype=np.int64)
    with pytest.raises(ValueError, match="do not fit a model"):
        model.logits(model.initial(), images[:, 1:])
    for samples in (Samples(images, np.full(1, 10, np.uint8)), Samples(images[:, :, 1:], np.zeros(1, np.uint8))):
        with pytest.raises(ValueError, match="do not fit"):
            model.train(model.initial(), samples, order, HYPER, 0.1, 0)


def test_sums_have_one_order() -> None:
    """The same bytes again, after other work of the same shape."""
    model = build_model("cnn", (8, 8), 10)
    samples = Samples(sparse(30, 8, 8), (np.arange(30) % 10).astype(np.uint8))
    order = torch.randperm(30).numpy()[np.newaxis]
    first = model.train(model.initial(), samples, order, HYPER, 0.1, 0)
    model.train(first, samples, order[:, ::-1].copy(), HYPER, 0.1, 0)
    assert first.tobytes() == model.train(model.initial(), samples, order, HYPER, 0.1, 0).tobytes()
