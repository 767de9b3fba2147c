"""A task's number chooses the rule; all rules give 16-bit scores of the inputs, and the same in every process."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from bcfl_client.aggregation import trimmed_mean
from bcfl_client.learning.datasets import load_dataset
from bcfl_client.learning.encoding import encode_model
from bcfl_client.learning.manifest import Hyperparameters
from bcfl_client.learning.models import build_model
from bcfl_client.learning.partitions import partition
from bcfl_client.learning.training import LocalTrainer
from bcfl_client.scoring.inputs import ScoredRound
from bcfl_client.scoring.rules import ScoringRule, score_round
from bcfl_client.scoring.validation_accuracy import ValidationScorer
from bcfl_client.terms import make_terms

from .games import game


def scored(trainers: int) -> dict[str, dict[int, int]]:
    """A round on digits by every rule; the last trainer's update is turned around."""
    digits = load_dataset("digits")
    model = build_model("2nn", digits.input_shape, digits.classes)
    start, updates, hyper = encode_model(model), {}, Hyperparameters(local_epochs=5)
    for seat, part in enumerate(partition(digits.train_labels, trainers, "iid", 0)):
        trainer = LocalTrainer(model, digits.train_images[part], digits.train_labels[part], hyper, 0, seat)
        updates[seat] = trainer.train(start, 0)
    updates[trainers - 1] = 2 * start - updates[trainers - 1]
    scorer = ValidationScorer(model, digits.test_images, digits.test_labels)

    def combine(seats):  # type: ignore[no-untyped-def]
        return trimmed_mean([updates[seat] for seat in seats], [100 + seat for seat in seats], 2000)

    played = ScoredRound(start, updates, combine, scorer.count, scorer.guessed)
    return {rule.name: score_round(rule, played, sorted(updates)).scores() for rule in ScoringRule}


@pytest.fixture(scope="module")
def by_rule() -> dict[str, dict[int, int]]:
    return scored(9)


def test_every_number_that_a_task_can_name_is_a_rule() -> None:
    for number in range(6):
        assert make_terms(scoring_rule=number)["scoring_rule"] == ScoringRule(number)
    with pytest.raises(ValueError, match="6"):
        score_round(6, game(1, len), [0])
    with pytest.raises(ValueError, match="nothing to score"):
        score_round(0, game(1, len), [])


def test_each_rule_tells_the_one_that_does_harm(by_rule: dict[str, dict[int, int]]) -> None:
    """All seats have a 16-bit score; by every rule but the data's size the turned-around update has the lowest, or
    among the lowest, and below half of the median."""
    for rule, scores in by_rule.items():
        assert list(scores) == list(range(9)) and all(0 <= score <= 65_535 for score in scores.values())
        if rule in ("VALIDATION_ACCURACY", "SIMILARITY", "SHAPLEY", "ALIGNED_ACCURACY"):
            assert scores[8] == min(scores.values()) and scores[8] < 0.5 * np.median(list(scores.values())), rule
    assert set(by_rule["DATA_SIZE"].values()) == {65_535}


def test_another_process_finds_the_same(by_rule: dict[str, dict[int, int]]) -> None:
    """Scores do not depend on the hash seed or on what ran before."""
    code = "from tests.client.scoring.test_rules import scored; print(scored(9))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(by_rule)
