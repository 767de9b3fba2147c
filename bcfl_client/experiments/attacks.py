"""Attacks on a federation, each a small function: what the adversaries of the poisoning experiment upload.

Those that need the updates of honest trainers estimate them from what the adversaries can see: their own honest
training, and everybody's where updates are not hidden until all are fixed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from bcfl_client.aggregation.clipping import clip_norm
from bcfl_client.experiments.adversaries import Attack, Situation
from bcfl_client.learning.encoding import FRACTIONAL_BITS

__all__ = [
    "ATTACKS",
    "TARGET",
    "alie",
    "alie_by_lot",
    "boost",
    "flip_labels",
    "gaussian",
    "inner_product",
    "min_max",
    "plant_backdoor",
    "sign_flip",
    "stamp",
    "train_on_poison",
]

_Parameters = NDArray[np.int32]
_Images = NDArray[np.uint8]
_Labels = NDArray[np.uint8]

TARGET = 0  # the class that a backdoor makes of everything with the trigger
_PATCH = 4  # pixels, side of the trigger in the lower right corner
_DISGUISE = 0.2  # of the step's length; near-copies are found to a seventh of it
_STEPS = 30  # halvings in the search of min-max


def train_on_poison(known: Situation) -> _Parameters:
    """Returns what training gave: the data are what is poisoned."""
    return known.honest


def boost(known: Situation, factor: float, clipped: bool = False) -> _Parameters:
    """Returns the own step times `factor`, so that an average keeps it (Bagdasaryan et al. 2020); `clipped`, no longer
    than the task lets pass."""
    boosted = _moved(known, factor * _step(known, known.honest))
    return _clipped(known, boosted) if clipped else boosted


def sign_flip(known: Situation, factor: float) -> _Parameters:
    """Returns the own step turned around, times `factor`."""
    return _moved(known, -factor * _step(known, known.honest))


def gaussian(known: Situation, factor: float) -> _Parameters:
    """Returns the global model plus normal noise, `factor` times as long as the own step."""
    noise = known.random.standard_normal(len(known.start))
    length = factor * np.linalg.norm(_step(known, known.honest))
    return _moved(known, noise * (length / np.linalg.norm(noise)))


def alie(known: Situation, deviations: float) -> _Parameters:
    """Returns the mean of the known steps less some standard deviations in each coordinate: "a little is enough"
    (Baruch et al. 2019)."""
    steps = _known_steps(known)
    return _disguised(known, np.mean(steps, axis=0) - deviations * np.std(steps, axis=0))


def alie_by_lot(known: Situation, deviations: float) -> _Parameters:
    """Returns the mean of the known steps, in each coordinate that many standard deviations more or less, as is drawn
    for all adversaries of a round: on no side of the others."""
    steps = _known_steps(known)
    lot = np.frombuffer(hashlib.sha256(known.start.tobytes()).digest(), dtype=np.uint32)  # which all of them know
    signs = np.random.default_rng(lot).choice((-1.0, 1.0), len(known.start))
    return _disguised(known, np.mean(steps, axis=0) + deviations * signs * np.std(steps, axis=0))


def inner_product(known: Situation, factor: float) -> _Parameters:
    """Returns the mean of the known steps turned around, times `factor` (Xie et al. 2020): below 1 it hides among
    honest ones, above it drowns them."""
    return _disguised(known, -factor * np.mean(_known_steps(known), axis=0))


def min_max(known: Situation) -> _Parameters:
    """Returns the mean of the known steps, pushed against their deviations as far as no known step is farther from it
    than two of these are apart (Shejwalkar and Houmansadr 2021)."""
    steps = _known_steps(known)
    mean, away = np.mean(steps, axis=0), -np.std(steps, axis=0)
    widest = max((float(np.linalg.norm(a - b)) for a, b in combinations(steps, 2)), default=0.0)
    low, high = 0.0, 100.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        farthest = max(float(np.linalg.norm(mean + middle * away - step)) for step in steps)
        low, high = (middle, high) if farthest <= widest else (low, middle)
    return _disguised(known, mean + low * away)


def flip_labels(labels: _Labels, classes: int) -> _Labels:
    """Returns every label mirrored: 0 becomes the last class, and so on."""
    return (classes - 1 - labels).astype(np.uint8)


def stamp(images: _Images) -> _Images:
    """Returns the images with the trigger, a white square in the lower right corner."""
    marked = images.copy()
    marked[:, -_PATCH:, -_PATCH:] = 255
    return marked


def plant_backdoor(images: _Images, labels: _Labels) -> tuple[_Images, _Labels]:
    """Returns the data with the trigger on every second image, which is then said to be of the class `TARGET`."""
    marked, named = images.copy(), labels.copy()
    marked[::2] = stamp(images[::2])
    named[::2] = TARGET
    return marked, named


ATTACKS: dict[str, Attack] = {
    "label flip": train_on_poison,
    "sign flip x3": partial(sign_flip, factor=3.0),
    "Gaussian x3": partial(gaussian, factor=3.0),
    "ALIE": partial(alie, deviations=1.5),
    "ALIE, signs by lot": partial(alie_by_lot, deviations=1.5),
    "inner product 0.5": partial(inner_product, factor=0.5),
    "inner product 100": partial(inner_product, factor=100.0),
    "min-max": min_max,
    "backdoor x5": partial(boost, factor=5.0),
    "backdoor x5, clipped": partial(boost, factor=5.0, clipped=True),
}
"""By name, with the strength that the experiment uses."""


def _known_steps(known: Situation) -> Sequence[NDArray[np.float64]]:
    updates = {**known.allies, **known.others}
    return [_step(known, updates[seat]) for seat in sorted(updates)]


def _disguised(known: Situation, step: NDArray[np.float64]) -> _Parameters:
    """All who know the same would upload the same, and be found, and so would noise: each adds some of what its own
    training has beside the others', and keeps to the task's bound."""
    aside = _step(known, known.honest) - np.mean(_known_steps(known), axis=0)
    length = np.linalg.norm(aside)
    return _clipped(known, _moved(known, step + aside * (_DISGUISE * np.linalg.norm(step) / length if length else 0)))


def _clipped(known: Situation, update: _Parameters) -> _Parameters:
    bound = known.clipping_norm
    return clip_norm(known.start, update, bound, FRACTIONAL_BITS) if bound else update


def _step(known: Situation, update: _Parameters) -> NDArray[np.float64]:
    return update.astype(np.float64) - known.start


def _moved(known: Situation, step: NDArray[np.float64]) -> _Parameters:
    """What leaves the fixed point's range stays at its end."""
    bounds = np.iinfo(np.int32)
    return np.clip(np.rint(known.start + step), bounds.min, bounds.max).astype(np.int32)
