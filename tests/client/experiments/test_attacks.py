"""Each attack does what its paper says, on vectors small enough to check by hand or by its defining property."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from bcfl_client.experiments.adversaries import Situation
from bcfl_client.experiments.attacks import (
    ATTACKS,
    TARGET,
    alie,
    alie_by_lot,
    boost,
    flip_labels,
    gaussian,
    inner_product,
    min_max,
    plant_backdoor,
    sign_flip,
    stamp,
)

COUNT = 20_000
START = np.arange(COUNT, dtype=np.int32)
RANDOM = np.random.default_rng(1)
STEPS = [RANDOM.normal(500, 200, COUNT).round().astype(np.int32) for _ in range(5)]


def situation(seat: int = 0, allies: int = 2, seen: int = 0, clipping_norm: float = 0.0) -> Situation:
    """The first steps are those of the adversaries, the next ones of honest trainers whose updates can be seen."""
    updates = [START + step for step in STEPS]
    return Situation(
        seat=seat,
        round_id=0,
        start=START,
        honest=updates[seat],
        allies=dict(enumerate(updates[:allies])),
        others={seat: updates[seat] for seat in range(allies, allies + seen)},
        earlier=(),
        clipping_norm=clipping_norm,
        random=np.random.default_rng(seat),
    )


def moved(update: NDArray[np.int32]) -> NDArray[np.float64]:
    return update.astype(np.float64) - START


def along(update: NDArray[np.int32], direction: NDArray[np.float64]) -> float:
    """How far an update goes in a direction, which is 1 long."""
    return float(moved(update) @ direction / (direction @ direction))


def test_steps_are_turned_and_stretched() -> None:
    """Exact multiples of the own step."""
    assert np.array_equal(moved(sign_flip(situation(), 3.0)), -3 * STEPS[0])
    assert np.array_equal(moved(boost(situation(), 5.0)), 5 * STEPS[0])


def test_noise_has_the_wanted_length_and_no_direction() -> None:
    length = np.linalg.norm(STEPS[0])
    noise = moved(gaussian(situation(), 3.0))
    assert np.linalg.norm(noise) == pytest.approx(3 * length, rel=1e-3)
    assert abs(noise @ STEPS[0]) < 0.05 * 3 * length**2


def test_inner_product_goes_against_the_mean_of_what_is_known() -> None:
    """Of the adversaries' own steps, and of others' where these can be seen."""
    for seen in (0, 3):
        mean = np.mean(STEPS[: 2 + seen], axis=0)
        assert along(inner_product(situation(seen=seen), 0.5), mean) == pytest.approx(-0.5, abs=0.02)


def test_alie_stays_some_deviations_below_the_mean() -> None:
    """In each coordinate, up to what hides it."""
    known = situation(seen=3)
    wanted = np.mean(STEPS, axis=0) - 1.5 * np.std(STEPS, axis=0)
    found = moved(alie(known, 1.5))
    assert np.linalg.norm(found - wanted) == pytest.approx(0.2 * np.linalg.norm(wanted), rel=0.01)


def test_alie_by_lot_prefers_no_side() -> None:
    """As far from the mean as ALIE, half of the coordinates on either side, all adversaries on the same."""
    away = [moved(alie_by_lot(situation(seat), 1.5)) - np.mean(STEPS[:2], axis=0) for seat in (0, 1)]
    lengths = [np.linalg.norm(one) for one in away]
    deviations = np.linalg.norm(1.5 * np.std(STEPS[:2], axis=0))
    assert lengths == pytest.approx([deviations] * 2, rel=0.2)
    assert np.mean(away[0] > 0) == pytest.approx(0.5, abs=0.02)
    assert away[0] @ away[1] > 0.5 * lengths[0] * lengths[1]


def test_min_max_goes_as_far_as_two_honest_steps_are_apart() -> None:
    """Without what hides it, no known step is farther from it than two of them are apart, and one as far."""
    known = situation(seen=3)
    mean, away = np.mean(STEPS, axis=0), -np.std(STEPS, axis=0)
    reach = along(min_max(known) - mean.round().astype(np.int32), away)
    pure = mean + reach * away
    farthest = max(np.linalg.norm(pure - step) for step in STEPS)
    widest = max(np.linalg.norm(a - b) for a in STEPS for b in STEPS)
    assert farthest == pytest.approx(widest, rel=0.02)


def test_conspirators_do_not_upload_the_same() -> None:
    """Near-copies of one another would be found."""
    for name in ("ALIE", "inner product 0.5", "min-max"):
        first, second = (moved(ATTACKS[name](situation(seat))) for seat in (0, 1))
        assert np.linalg.norm(first - second) > 0.2 * min(np.linalg.norm(first), np.linalg.norm(second)), name


def test_huge_steps_end_at_the_edge_of_the_fixed_point() -> None:
    far = replace(situation(), honest=START + np.int32(2**30), allies={0: START + np.int32(2**30)})
    assert set(np.unique(ATTACKS["inner product 100"](far))) == {-(2**31)}


def test_who_keeps_to_the_bound_is_as_long_as_it_lets_be() -> None:
    """In the same direction; crude attacks do not care."""
    bound = 1e-3
    assert np.array_equal(ATTACKS["backdoor x5, clipped"](situation()), ATTACKS["backdoor x5"](situation()))
    for name in ("ALIE", "inner product 100", "min-max", "backdoor x5, clipped", "sign flip x3"):
        free, kept = moved(ATTACKS[name](situation())), moved(ATTACKS[name](situation(clipping_norm=bound)))
        if name == "sign flip x3":
            assert np.array_equal(free, kept)
        else:
            assert np.linalg.norm(kept) == pytest.approx(bound * 2**24, rel=0.01), name
            assert kept @ free > 0.99 * np.linalg.norm(kept) * np.linalg.norm(free), name


def test_poisoned_data() -> None:
    """Labels mirrored; every second image stamped and named as the target, the others left alone."""
    labels = np.array([0, 3, 9], dtype=np.uint8)
    assert flip_labels(labels, 10).tolist() == [9, 6, 0]
    images = np.zeros((4, 8, 8), dtype=np.uint8)
    marked, named = plant_backdoor(images, np.array([5, 6, 7, 8], dtype=np.uint8))
    assert named.tolist() == [TARGET, 6, TARGET, 8]
    assert [int(image.sum()) for image in marked] == [16 * 255, 0, 16 * 255, 0]
    assert images.sum() == 0 and stamp(images)[1, 4:, 4:].min() == 255
