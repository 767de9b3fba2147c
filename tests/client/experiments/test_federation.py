"""The federation in one process: the real parts in the real order, and what adversaries may and may not see."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from bcfl_client.aggregation import AggregationRule, median, weighted_mean
from bcfl_client.errors import ConfigError
from bcfl_client.experiments.adversaries import Situation
from bcfl_client.experiments.evaluation import Examples
from bcfl_client.experiments.federation import Client, Federation, Rules
from bcfl_client.learning.datasets import Dataset
from bcfl_client.learning.encoding import encode_model
from bcfl_client.learning.manifest import Hyperparameters
from bcfl_client.learning.models import build_model
from bcfl_client.learning.training import LocalTrainer
from bcfl_client.scoring.validation_accuracy import ValidationScorer
from bcfl_client.types import MAX_SCORE, Verdict


def copy_one(known: Situation) -> NDArray[np.int32]:
    """Hands in somebody's upload, where any can be seen; else the newest model."""
    return known.others[min(known.others)] if known.others else known.start


def test_a_round_is_what_trainers_and_miners_compute(digits: Dataset, honest: list[Client], federation) -> None:
    """Two rounds equal those put together by hand from LocalTrainer and the weighted mean by samples."""
    model = build_model("mlp:128", digits.input_shape, digits.classes, 3)
    hyper = Hyperparameters(local_epochs=2)
    trainers = [LocalTrainer(model, one.images, one.labels, hyper, 3, i) for i, one in enumerate(honest)]
    expected = encode_model(model)
    with federation(honest) as played:
        for round_id in range(2):
            updates = [trainer.train(expected, round_id) for trainer in trainers]
            expected = weighted_mean(updates, [len(one.labels) * 32768 // 65535 for one in honest])
            record = played.play_round()
            assert record.round_id == round_id and set(record.verdicts.values()) == {Verdict.OK}
            assert all(np.array_equal(record.uploads[i], update) for i, update in enumerate(updates))
            assert np.array_equal(record.model, expected)
            # without a scoring rule everybody's quality rises alike, and no weight moves against another
            assert played.quality == [played.quality[0]] * 5 and played.quality[0] > 32768
            played.quality = [32768] * 5


def test_same_bytes_for_any_number_of_workers(honest: list[Client], federation) -> None:
    """Adversaries and their randomness included."""
    noisy = replace(honest[4], attack=lambda s: s.honest + s.random.integers(0, 9, len(s.honest), dtype=np.int32))
    models = []
    for workers in (1, 2):
        with federation([*honest[:4], noisy], workers=workers) as played:
            played.play_round()
            models.append(played.play_round().model)
    assert np.array_equal(*models)


def test_the_rule_of_the_task_is_used(honest: list[Client], federation) -> None:
    """A named rule, and one that no task can name."""
    with federation(honest, Rules(rule=AggregationRule.MEDIAN)) as played:
        record = played.play_round()
        assert np.array_equal(record.model, median(list(record.uploads.values()), [1] * 5))
    with federation(honest, Rules(rule=lambda updates, weights: updates[0])) as played:
        record = played.play_round()
        assert np.array_equal(record.model, record.uploads[0])


def test_copies_are_possible_only_without_commit_reveal(honest: list[Client], federation) -> None:
    """In the paper's setting the lazy client hands in another's update. With commitments there is nothing to copy but
    the old model, which the miners' verdict finds: it gets no weight, and no third strike is needed to see it."""
    lazy = replace(honest[4], attack=copy_one, trains=False)
    with federation([*honest[:4], lazy], Rules(commit_reveal=False, detect=False)) as played:
        record = played.play_round()
        assert np.array_equal(record.uploads[4], record.uploads[0]) and 4 in record.weights
    with federation([*honest[:4], lazy]) as played:
        for _ in range(3):
            record = played.play_round()
            assert record.verdicts[4] == Verdict.COPY
            assert sorted(record.weights) == sorted(record.paid) == [0, 1, 2, 3]
        assert 4 not in played.play_round().uploads  # struck out
        assert played.strikes == [0, 0, 0, 0, 3]


def test_low_scores_cost_weight_and_pay(honest: list[Client], federation) -> None:
    """Weights follow the scores of the rounds before, half-way down; a score below a tenth of the median is unpaid."""

    def score(start, updates, weights, aggregate):
        return {seat: 100 if seat == 2 else MAX_SCORE for seat in updates}

    with federation(honest, Rules(score=score)) as played:
        first, second = played.play_round(), played.play_round()
    assert first.weights[2] == len(honest[2].labels) * 32768 // 65535
    assert second.weights[2] < first.weights[2] * 0.6 and second.weights[1] > first.weights[1]
    assert sorted(second.paid) == [0, 1, 3, 4] and second.scores[2] == 100


def test_a_bound_on_steps_binds_everybody(honest: list[Client], federation) -> None:
    """Honest steps end there and are accepted, a longer one is refused, for no aggregate and no pay."""
    wild = replace(honest[4], attack=lambda s: s.start + 2 * (s.honest - s.start))
    with federation([*honest[:4], wild], clipping_norm=0.5) as played:
        start = played.model
        record = played.play_round()
    norms = [np.linalg.norm((update.astype(np.float64) - start) / 2**24) for update in record.uploads.values()]
    assert norms == pytest.approx([0.5] * 4 + [1.0], abs=1e-5)
    assert record.verdicts == dict.fromkeys(range(4), Verdict.OK) | {4: Verdict.INVALID}
    assert sorted(record.weights) == sorted(record.paid) == [0, 1, 2, 3]


def test_adversaries_may_conspire_and_know_the_past(honest: list[Client], federation) -> None:
    """Honest results of the allies, and the uploads of the round before; of this round's others nothing."""
    seen: list[Situation] = []

    def spy(known: Situation) -> NDArray[np.int32]:
        seen.append(known)
        return known.honest

    with federation([*honest[:3], *(replace(one, attack=spy) for one in honest[3:])]) as played:
        first = played.play_round()
        played.play_round()
    assert [sorted(one.allies) for one in seen] == [[3, 4]] * 4 and not any(one.others for one in seen)
    assert not seen[0].earlier and np.array_equal(seen[3].earlier[-1].updates[0], first.uploads[0])


def test_an_adversary_who_is_out_still_helps_its_allies(honest: list[Client], federation) -> None:
    """It trains for them as long as one of them is in, and uploads nothing."""
    helped: list[list[int]] = []

    def notes_allies(known: Situation) -> NDArray[np.int32]:
        helped.append(sorted(known.allies))
        return known.honest

    clients = [*honest[:3], replace(honest[3], attack=notes_allies), replace(honest[4], attack=copy_one)]
    with federation(clients) as played:
        for _ in range(4):
            record = played.play_round()
    assert played.strikes == [0, 0, 0, 0, 3] and 4 not in record.uploads
    assert helped == [[3, 4]] * 4


def test_a_round_without_any_accepted_update_changes_nothing(honest: list[Client], federation) -> None:
    """All are lazy: the round is void, the model stays."""
    lazy = [replace(one, attack=copy_one, trains=False) for one in honest]
    with federation(lazy) as played:
        before = played.model
        record = played.play_round()
    assert np.array_equal(record.model, before) and not record.weights and not record.scores and not record.paid


def test_an_honest_client_trains(honest: list[Client]) -> None:
    """A client that does not train needs to say what it does instead."""
    with pytest.raises(ValueError, match="trains"):
        replace(honest[0], trains=False)


def test_diverged_training_is_an_error(digits: Dataset, honest: list[Client]) -> None:
    """As in a trainer's own process."""

    model = build_model("2nn", digits.input_shape, digits.classes)
    with (
        Federation(model, honest, Hyperparameters(learning_rate=100.0, local_epochs=5), Rules(), 0) as played,
        pytest.raises(ConfigError, match="diverged"),
    ):
        played.play_round()


def test_measure_agrees_with_the_miners_count(digits: Dataset) -> None:
    """The accuracy is that of the scoring rule; the loss of an untrained model is near ln 10."""
    model = build_model("2nn", digits.input_shape, digits.classes)
    values = encode_model(model)
    measured = Examples(digits.test_images, digits.test_labels).measure(model, values)
    counted = ValidationScorer(model, digits.test_images, digits.test_labels).count(values)
    assert measured.accuracy == counted.correct / counted.count
    assert measured.loss == pytest.approx(np.log(10), abs=0.1)
