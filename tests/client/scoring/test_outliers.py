"""Who stands apart from all others of a round: the boosted and the one-sided, whatever the order and the scale."""

from __future__ import annotations

import numpy as np
import pytest

from bcfl_client.scoring.outliers import outliers

COUNT = 5000


def honest(number: int, seed: int = 0) -> dict[int, np.ndarray]:
    """Steps that share a direction and have as much of their own."""
    random = np.random.default_rng(seed)
    common = random.normal(0, 1000, COUNT)
    return {seat: np.rint(common + random.normal(0, 1000, COUNT)).astype(np.int32) for seat in range(number)}


START = np.full(COUNT, 77, dtype=np.int32)


def found(updates: dict[int, np.ndarray]) -> set[int]:
    return set(outliers(START, {seat: START + step for seat, step in updates.items()}, sorted(updates)))


@pytest.mark.parametrize("number", [1, 2, 3, 4, 10])
def test_honest_updates_do_not_stand_apart(number: int) -> None:
    for seed in range(5):
        assert not found(honest(number, seed))


def test_a_long_step_stands_apart() -> None:
    """Three and a half times the middle length and no less; also backwards."""
    updates = honest(5)
    length = {seat: float(np.linalg.norm(step.astype(float))) for seat, step in updates.items()}
    for factor, apart in ((3.4, False), (3.6, True), (-3.6, True)):
        boosted = np.rint(updates[4] * (factor * np.median(list(length.values())) / length[4])).astype(np.int32)
        assert (4 in found({**updates, 4: boosted})) == apart, factor


def test_a_shift_to_one_side_stands_apart_however_small() -> None:
    """Of two who attack together as of one, up or down; nobody else is blamed for the shift of the middle."""
    updates = honest(8)
    spread = np.std(np.stack([updates[6], updates[7]]), axis=0)
    mean = np.mean(np.stack([updates[6], updates[7]]), axis=0)
    for sign in (-1, 1):
        shifted = {seat: np.rint(mean + sign * 2 * spread + seat).astype(np.int32) for seat in (6, 7)}
        assert found({**updates, **shifted}) == {6, 7}
        assert found({**updates, 7: shifted[7]}) == {7}


def test_seats_that_are_not_asked_for_play_no_part() -> None:
    """An update that was not accepted moves no middle."""
    updates = {seat: START + step for seat, step in honest(4).items()}
    updates[4] = START + 10_000_000
    assert not outliers(START, updates, range(4))


def test_equal_updates_do_not_stand_apart() -> None:
    assert not found(dict.fromkeys(range(4), honest(1)[0]))


def test_the_widest_steps_are_counted_exactly() -> None:
    """From one end of int32 to the other."""
    low, high = np.iinfo(np.int32).min, np.iinfo(np.int32).max
    start = np.full(COUNT, low, dtype=np.int32)
    updates = dict.fromkeys(range(4), start + 1) | {4: np.full(COUNT, high, dtype=np.int32)}
    assert outliers(start, updates, range(5)) == {4}
