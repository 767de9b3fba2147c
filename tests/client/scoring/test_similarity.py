"""Verdicts: honest training passes, copies and idleness do not."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bcfl_client.aggregation import weighted_mean
from bcfl_client.aggregation.clipping import clip_norm
from bcfl_client.learning.datasets import Dataset, load_dataset
from bcfl_client.learning.encoding import encode_model
from bcfl_client.learning.manifest import Hyperparameters
from bcfl_client.learning.models import build_model
from bcfl_client.learning.partitions import partition
from bcfl_client.learning.training import LocalTrainer
from bcfl_client.scoring.similarity import EarlierRound, judge_updates, remembered
from bcfl_client.types import Verdict

OK, INVALID, COPY = Verdict.OK, Verdict.INVALID, Verdict.COPY


@dataclass
class Played:
    start: NDArray[np.int32]
    updates: list[NDArray[np.int32]]


def play(dataset: Dataset, spec: str, trainers: int, rounds: int, hyper: Hyperparameters) -> list[Played]:
    """Honest federated training."""
    model = build_model("2nn", dataset.input_shape, dataset.classes)
    parts = partition(dataset.train_labels, trainers, spec, 0)
    locals_ = [
        LocalTrainer(model, dataset.train_images[part], dataset.train_labels[part], hyper, 0, k)
        for k, part in enumerate(parts)
    ]
    start, played = encode_model(model), []
    for round_id in range(rounds):
        played.append(Played(start, [local.train(start, round_id) for local in locals_]))
        start = weighted_mean(played[-1].updates, [len(part) for part in parts])
    return played


def judge(played: list[Played], round_id: int, updates: dict[int, NDArray[np.int32] | None]) -> dict[int, Verdict]:
    earlier = [EarlierRound(past.start, past.updates) for past in played[max(0, round_id - 1) : round_id]]
    older = [EarlierRound(past.start) for past in played[max(0, round_id - 4) : max(0, round_id - 1)]]
    return judge_updates(played[round_id].start, updates, [*earlier, *older])


def noisy(base: NDArray[np.int32], size: float, seed: int = 0) -> NDArray[np.int32]:
    """`base` plus Gaussian noise of the given norm."""
    noise = np.random.default_rng(seed).standard_normal(len(base))
    return np.rint(base + noise * (size / np.linalg.norm(noise))).astype(np.int32)


def moved(update: NDArray[np.int32], start: NDArray[np.int32]) -> float:
    return float(np.linalg.norm(update.astype(np.float64) - start))


@pytest.fixture(scope="module")
def digits() -> list[Played]:
    return play(load_dataset("digits"), "dirichlet:0.5", 8, 4, Hyperparameters())


def test_honest_updates_pass(digits: list[Played]) -> None:
    """No false alarm in any round."""
    for round_id, played in enumerate(digits):
        assert set(judge(digits, round_id, dict(enumerate(played.updates))).values()) == {OK}


@pytest.mark.parametrize("spec", ["dirichlet:0.5", "iid", "shards:2"])
def test_honest_updates_on_mnist_pass(spec: str) -> None:
    """No false alarm in ten rounds of ten trainers, however the data are split."""
    if not os.environ.get("BCFL_DATA"):
        pytest.skip("BCFL_DATA is not set: it names a folder that holds MNIST/raw")
    mnist = load_dataset("mnist", Path(os.environ["BCFL_DATA"]))
    part = replace(mnist, train_images=mnist.train_images[:6000], train_labels=mnist.train_labels[:6000])
    played = play(part, spec, 10, 10, Hyperparameters())
    for round_id, one in enumerate(played):
        assert set(judge(played, round_id, dict(enumerate(one.updates))).values()) == {OK}


def with_cheat(played: list[Played], round_id: int, cheat: NDArray[np.int32] | None) -> Verdict:
    """The verdict on `cheat` as the update of trainer 0; all others are honest and must stay so."""
    verdicts = judge(played, round_id, {**dict(enumerate(played[round_id].updates)), 0: cheat})
    assert {verdict for trainer, verdict in verdicts.items() if trainer} == {OK}
    return verdicts[0]


def test_unavailable_is_invalid(digits: list[Played]) -> None:
    """An update that could not be had, alone or among others."""
    assert with_cheat(digits, 2, None) is INVALID
    assert judge_updates(digits[0].start, {3: None}) == {3: INVALID}
    assert judge_updates(digits[0].start, {}) == {}


def test_a_longer_step_than_the_task_allows_is_invalid(digits: list[Played]) -> None:
    """Clipped ones end exactly at the bound, counted in integers; one more unit is too far."""
    start, updates = digits[0].start, digits[0].updates
    bound = 0.25
    clipped = {seat: clip_norm(start, update, bound, 24) for seat, update in enumerate(updates)}
    assert set(judge_updates(start, clipped, (), bound).values()) == {OK}
    assert judge_updates(start, {**clipped, 0: updates[0]}, (), bound) == dict.fromkeys(clipped, OK) | {0: INVALID}

    tip = np.zeros_like(start)
    for length, refused in ((2**22, False), (2**22 + 1, True)):
        tip[7] = length
        assert (judge_updates(start, {**clipped, 0: start + tip}, (), bound)[0] is INVALID) == refused


@pytest.mark.parametrize("bound", [0.001, 0.01])
def test_under_a_narrow_bound_short_steps_are_no_copies(digits: list[Played], bound: float) -> None:
    """Though they are shorter than what passes for none elsewhere; none at all still does."""
    start = digits[0].start * np.int32(32)  # a model so long that the bound is below the share of it
    updates = dict(enumerate(start + (update - digits[0].start) for update in digits[0].updates))
    clipped = {seat: clip_norm(start, update, bound, 24) for seat, update in updates.items()}
    verdicts = judge_updates(start, {**clipped, 0: start}, (), bound)
    assert verdicts == dict.fromkeys(clipped, OK) | {0: COPY}


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.05, 0.1])
def test_B03_finds_copies_of_the_round_before(digits: list[Played], noise: float) -> None:
    """Anybody's update of the round before, exact or with noise up to a tenth of what it had learned."""
    for source in range(8):
        before = digits[1].updates[source]
        assert with_cheat(digits, 2, noisy(before, noise * moved(before, digits[1].start))) is COPY


def test_B03_finds_old_global_models(digits: list[Played]) -> None:
    """An older aggregate, exact or with noise."""
    for past in digits[:3]:
        assert with_cheat(digits, 3, past.start) is COPY
        assert with_cheat(digits, 3, noisy(past.start, 0.1 * moved(past.start, digits[3].start))) is COPY


def test_B04_pays_one_of_two_equal_updates(digits: list[Played]) -> None:
    """Of equal updates in one round the one with the lowest id counts, whatever the order they are listed in."""
    own = dict(enumerate(digits[2].updates))
    verdicts = judge(digits, 2, {7: own[3].copy(), 5: own[3].copy(), **{k: own[k] for k in (4, 3, 2, 1, 0)}})
    assert verdicts == {0: OK, 1: OK, 2: OK, 3: OK, 4: OK, 5: COPY, 7: COPY}


def test_B05_finds_zero_updates(digits: list[Played]) -> None:
    """The global model itself, and with one unit of the encoding added everywhere."""
    start = digits[2].start
    assert with_cheat(digits, 2, start.copy()) is COPY
    assert with_cheat(digits, 2, start + np.int32(1)) is COPY


@pytest.mark.parametrize("size", [0.01, 0.3, 1.0, 3.0])
def test_B05_finds_the_global_model_plus_noise(digits: list[Played], size: float) -> None:
    """Noise of any size beside an honest step, the same as the steps of the others included."""
    step = moved(digits[2].updates[0], digits[2].start)
    assert with_cheat(digits, 2, noisy(digits[2].start, size * step)) is COPY


def test_B05_noise_of_several_is_found_while_two_are_honest(digits: list[Played]) -> None:
    """What training looks like is learned from any two that are alike, not from the majority."""
    start, own = digits[2].start, digits[2].updates
    idle = {k: noisy(start, moved(own[k], start), seed=k) for k in range(2, 8)}
    assert judge(digits, 2, {0: own[0], 1: own[1], **idle}) == {0: OK, 1: OK, **dict.fromkeys(idle, COPY)}


def test_a_lone_honest_trainer_is_not_blamed(digits: list[Played]) -> None:
    """Where no two updates are alike, nobody is called a copy: there is nothing to compare with."""
    start, own = digits[2].start, digits[2].updates
    assert judge(digits, 2, {4: own[4]}) == {4: OK}
    assert judge(digits, 2, {0: own[0], 1: noisy(start, moved(own[1], start))})[0] is OK


def test_small_models_are_judged_by_distance_only() -> None:
    """With few parameters patterns say nothing, so noise passes, and copies still do not."""
    rng = np.random.default_rng(0)
    start, first, second, third = (rng.integers(-(2**20), 2**20, 50).astype(np.int32) for _ in range(4))
    earlier = [EarlierRound(start, [first])]
    assert judge_updates(start, {0: second, 1: third, 2: first, 3: start}, earlier) == {0: OK, 1: OK, 2: COPY, 3: COPY}


def test_extreme_updates_do_not_hide_others() -> None:
    """An update of the largest numbers neither fails nor changes the verdict on a copy."""
    rng = np.random.default_rng(0)
    start, first, second = (rng.integers(-(2**22), 2**22, 40000).astype(np.int32) for _ in range(3))
    extreme = np.full(40000, 2**31 - 1, dtype=np.int32)
    verdicts = judge_updates(start, {0: extreme, 1: first, 2: second, 3: -extreme}, [EarlierRound(start, [first])])
    assert verdicts[1] is COPY


@pytest.mark.parametrize("noise", [0.02, 0.1])
def test_B04_finds_one_run_shared_with_noise(digits: list[Played], noise: float) -> None:
    """Each of the two adds noise up to a tenth of the step: the one with the higher id is a copy, nobody else is."""
    own, start = digits[2].updates, digits[2].start
    size = noise * moved(own[3], start)
    shared = {3: noisy(own[3], size, seed=1), 6: noisy(own[3], size, seed=2)}
    verdicts = judge(digits, 2, {**dict(enumerate(own)), **shared})
    assert verdicts == {**dict.fromkeys(range(8), OK), 6: COPY}


def test_alike_updates_of_like_data_are_nobodys_copies() -> None:
    """Full batches of nearly the same data: all updates are closer than two that share a run, nobody is blamed."""
    digits, hyper = load_dataset("digits"), Hyperparameters(batch_size=2000)
    model = build_model("2nn", digits.input_shape, digits.classes)
    start, updates = encode_model(model), {}
    for seat in range(4):
        kept = np.delete(np.arange(len(digits.train_labels)), slice(30 * seat, 30 * seat + 30))
        trainer = LocalTrainer(model, digits.train_images[kept], digits.train_labels[kept], hyper, 0, seat)
        updates[seat] = trainer.train(start, 0)
    assert moved(updates[0], updates[1]) < 0.1 * moved(updates[0], start)
    assert set(judge_updates(start, updates).values()) == {OK}


@pytest.mark.parametrize("noise", [0.2, 0.5, 1.0])
def test_B03_B04_finds_much_noise_on_any_source(digits: list[Played], noise: float) -> None:
    """An update of the round before, an old model, and another's of this round: what was added is no training."""
    before, start, own = digits[1].updates[2], digits[2].start, digits[2].updates
    assert with_cheat(digits, 2, noisy(before, noise * moved(before, digits[1].start))) is COPY
    assert with_cheat(digits, 2, noisy(digits[1].start, noise * moved(digits[1].start, start))) is COPY
    first, second = (noisy(own[3], noise * moved(own[3], start), seed=seed) for seed in (1, 2))
    if noise <= 0.5:  # with more the second is no nearer to the first than to the start
        assert judge(digits, 2, {**dict(enumerate(own)), 3: first, 6: second})[6] is COPY
    verdicts = judge(digits, 2, {**dict(enumerate(own)), 6: second})
    assert verdicts == {**dict.fromkeys(range(8), OK), 6: COPY}


def test_two_honest_trainers_are_not_blamed(digits: list[Played]) -> None:
    """Whichever of them, the start or an earlier update is nearest."""
    for round_id in range(4):
        own = digits[round_id].updates
        for other in range(1, 8):
            assert judge(digits, round_id, {0: own[0], other: own[other]}) == {0: OK, other: OK}


def test_what_is_remembered_fits_and_is_the_newest() -> None:
    """At least the round before, whatever its size."""
    rounds = [EarlierRound(np.zeros(100, dtype=np.int32), [np.zeros(100, dtype=np.int32)] * 3) for _ in range(5)]
    kept = remembered(rounds, 3 * 1600)
    assert len(kept) == 3 and all(one is two for one, two in zip(kept, rounds))
    assert remembered(rounds, 1) == rounds[:1]
    assert remembered([]) == []
