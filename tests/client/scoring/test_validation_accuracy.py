"""Scores: counted predictions, 16-bit shares, the same on every call."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from bcfl_client.errors import ConfigError, DataError
from bcfl_client.learning.encoding import encode_model
from bcfl_client.learning.model import Model
from bcfl_client.learning.models import build_model
from bcfl_client.learning.torch_model import from_module
from bcfl_client.scoring.validation_accuracy import Counted, ValidationScorer

IMAGES = np.random.default_rng(0).integers(0, 256, (2345, 8, 8), dtype=np.uint8)


def brightest_half() -> Model:
    """Says 1 where the lower half of the image is brighter, else 0."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    model[1].weight.data = torch.stack([torch.arange(64) < 32, torch.arange(64) >= 32]).float()
    model[1].bias.data.zero_()
    return from_module(model)


def test_counts_correct_predictions() -> None:
    """The count is exact over several batches, whatever parameters were loaded before."""
    halves = IMAGES.reshape(-1, 2, 32).astype(np.int64).sum(2)
    truth = (halves[:, 1] > halves[:, 0]).astype(np.uint8)
    wrong = truth.copy()
    wrong[:100] = 1 - wrong[:100]
    model = brightest_half()
    parameters = encode_model(model)
    scorer = ValidationScorer(brightest_half(), IMAGES, wrong)
    scorer.count(np.zeros_like(parameters))
    assert scorer.count(parameters) == Counted(correct=2245, count=2345)


def test_ties_go_to_the_lower_class() -> None:
    """A model of zeros says class 0 to everything."""
    labels = (np.arange(2345) % 10).astype(np.uint8)
    scorer = ValidationScorer(build_model("2nn", (8, 8), 10), IMAGES, labels)
    assert scorer.count(np.zeros(55_210, dtype=np.int32)).correct == 235


@pytest.mark.parametrize(
    ("correct", "count", "score", "bps"),
    [(0, 1000, 0, 0), (1000, 1000, 65535, 10000), (953, 1000, 62454, 9530), (1, 3, 21845, 3333)],
)
def test_shares_round_down(correct: int, count: int, score: int, bps: int) -> None:
    """The 16-bit score and the accuracy in basis points, by hand."""
    assert (Counted(correct, count).score, Counted(correct, count).accuracy_bps) == (score, bps)


def test_ties_are_unsure() -> None:
    """Where all logits are equal, every image is; where they are far apart, none; NaN is."""
    model = build_model("2nn", (8, 8), 10)
    scorer = ValidationScorer(model, IMAGES, np.zeros(len(IMAGES), dtype=np.uint8))
    parameters = np.zeros_like(encode_model(model))
    assert scorer.count(parameters).unsure == len(IMAGES)
    parameters[-1] = 1
    assert scorer.count(parameters).unsure == 0
    assert scorer.guessed == len(IMAGES)


def test_extreme_parameters_are_scored_not_fatal() -> None:
    """An update of the largest numbers, as an attacker may send, gives a count."""
    labels = np.zeros(2345, dtype=np.uint8)
    for name in ("2nn", "cnn"):
        model = build_model(name, (8, 8), 10)
        size = len(encode_model(model))
        for value in (2**31 - 1, -(2**31)):
            extreme = np.full(size, value, dtype=np.int32)
            assert 0 <= ValidationScorer(model, IMAGES[:50], labels[:50]).count(extreme).correct <= 50


def test_refuses_other_models_and_empty_sets() -> None:
    """Another number of parameters, no images, labels that do not match."""
    model = build_model("2nn", (8, 8), 10)
    with pytest.raises(ConfigError, match="55210 parameters, the task's has 3"):
        ValidationScorer(model, IMAGES, IMAGES[:, 0, 0] % 10).count(np.zeros(3, dtype=np.int32))
    with pytest.raises(DataError, match="cannot score"):
        ValidationScorer(model, IMAGES[:0], IMAGES[:0, 0, 0])
    with pytest.raises(DataError, match="cannot score"):
        ValidationScorer(model, IMAGES, IMAGES[1:, 0, 0])
