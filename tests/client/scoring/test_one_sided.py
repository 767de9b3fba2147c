"""Who is shifted to one side of all others of a round, whatever the order and the scale."""

from __future__ import annotations

import numpy as np
import pytest

from bcfl_client.scoring.one_sided import one_sided

COUNT = 5000
START = np.full(COUNT, 77, dtype=np.int32)


def honest(number: int, seed: int = 0) -> dict[int, np.ndarray]:
    """Steps that share a direction and have as much of their own."""
    random = np.random.default_rng(seed)
    common = random.normal(0, 1000, COUNT)
    return {seat: START + np.rint(common + random.normal(0, 1000, COUNT)).astype(np.int32) for seat in range(number)}


def shifted(updates: dict[int, np.ndarray], seats: tuple[int, int], sign: int, size: float = 2.0) -> np.ndarray:
    """The mean of two, `size` of their deviations up or down."""
    own = np.stack([updates[seat] for seat in seats])
    return np.rint(np.mean(own, axis=0) + sign * size * np.std(own, axis=0)).astype(np.int32)


@pytest.mark.parametrize("number", [1, 2, 3, 7, 8, 10, 20])
def test_honest_updates_are_not_one_sided(number: int) -> None:
    for seed in range(5):
        updates = honest(number, seed)
        assert not one_sided(updates, sorted(updates))


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_shift_is_found_however_small_its_size(sign: int) -> None:
    """Of two who attack together as of one, up or down; nobody else is blamed for the shift of the middle."""
    updates = honest(8)
    attack = shifted(updates, (6, 7), sign)
    assert one_sided({**updates, 6: attack, 7: attack + 1}, range(8)) == {6, 7}
    assert one_sided({**updates, 7: attack}, range(8)) == {7}
    tiny = {seat: START + (update - START) // 100 for seat, update in updates.items()}
    assert one_sided({**tiny, 7: shifted(tiny, (6, 7), sign)}, range(8)) == {7}


def test_the_bound_is_fifteen_thirty_seconds() -> None:
    """Beside six updates that lie on both sides alike, of which none is the middle of all."""
    random = np.random.default_rng(0)
    signs = random.permuted(np.repeat([1, -1], 3)[:, None].repeat(COUNT, axis=1), axis=0).astype(np.int32)
    updates = {seat: START + signs[seat] * np.int32(100 + seat) for seat in range(6)}
    found = set()
    for above in range(0, COUNT + 1, 50):
        side = np.where(np.arange(COUNT) < above, 1, -1).astype(np.int32)
        leaning = {**updates, 6: START + 1000 * side, 7: START + 1001 * -side, 8: START}
        lean = abs(2 * above - COUNT) / COUNT
        assert one_sided(leaning, range(9)) == (frozenset({6, 7}) if lean > 15 / 32 else frozenset()), lean
        found.add(lean > 15 / 32)
    assert found == {True, False}


def test_among_few_nobody_is() -> None:
    """One whose data differ from all others' leans as far."""
    updates = honest(7)
    attack = shifted(updates, (5, 6), -1)
    assert one_sided({**updates, 6: attack}, range(7)) == {6}
    assert not one_sided({**updates, 6: attack}, range(1, 7))


def test_of_small_models_nobody_is() -> None:
    """1,024 parameters are enough, one fewer is not."""
    updates = honest(8)
    updates[7] = shifted(updates, (6, 7), -1)
    for count, found in ((1024, {7}), (1023, set())):
        assert one_sided({seat: update[:count] for seat, update in updates.items()}, range(8)) == found


def test_seats_that_are_not_asked_for_play_no_part() -> None:
    """An update that was not accepted moves no middle."""
    updates = honest(8)
    updates |= {8 + k: START + 10_000_000 + k for k in range(20)}
    assert not one_sided(updates, range(8))


def test_equal_updates_are_not_one_sided() -> None:
    assert not one_sided(dict.fromkeys(range(8), honest(1)[0]), range(8))


def test_the_widest_differences_are_counted() -> None:
    """From one end of int32 to the other."""
    low, high = np.iinfo(np.int32).min, np.iinfo(np.int32).max
    updates = {seat: np.full(COUNT, low + seat % 2, dtype=np.int32) for seat in range(8)}
    updates[8] = np.full(COUNT, high, dtype=np.int32)
    assert 8 in one_sided(updates, range(9))
