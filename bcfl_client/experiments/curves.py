"""Curves through measured losses, by least squares: BLADE-FL's bound, and what a planner expects."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bcfl_client.budget import Budget, LossCurve, Split

__all__ = ["Bound", "fit_bound", "fit_loss_curve"]

_UNBOUNDED = 1e3  # the loss that a bound is given where it promises nothing
_SLOWEST = 1e-6
_TRIES = 200  # of each local search


@dataclass(frozen=True)
class Bound:
    """BLADE-FL's bound on the loss after K rounds of E epochs (Li et al. 2021, after Wang et al. 2019):

    floor + 1 / (1 / (start - floor) + progress * K * E - drift * K * h(E))
    h(E) = 2 * (r^E - 1 - (r - 1) * E) / (r - 1)^2

    where h(E), near E * (E - 1), is how far the clients have drifted apart after E steps, and r = 1 + growth. With
    K * E fixed by a budget it is convex in K. Its constants are those of the loss function, which nobody knows: fitted.
    """

    start: float
    floor: float
    progress: float
    drift: float
    growth: float

    def loss(self, split: Split) -> float:
        """The bound at this split."""
        return float(self._losses(np.array([split.rounds]), np.array([split.epochs]))[0])

    def is_convex(self, budget: Budget) -> bool:
        """Whether the bound is convex in the number of rounds, taken as a real number, that the budget allows."""
        rounds = np.linspace(1, budget.most_rounds, 200)
        epochs = (budget.total / rounds - budget.block_cost) / budget.training_cost
        losses = self._losses(rounds, epochs)
        return bool(np.all(np.diff(losses, 2) >= -1e-9))

    def _losses(self, rounds: NDArray[np.float64], epochs: NDArray[np.float64]) -> NDArray[np.float64]:
        apart = 2 * (np.expm1(epochs * np.log1p(self.growth)) - self.growth * epochs) / self.growth**2
        left = 1 / (self.start - self.floor) + rounds * (self.progress * epochs - self.drift * apart)
        bound = self.floor + 1 / np.maximum(left, 1 / _UNBOUNDED)
        return np.asarray(np.where(left > 1 / _UNBOUNDED, bound, _UNBOUNDED), dtype=np.float64)


def fit_bound(splits: Sequence[Split], losses: Sequence[float], start: float) -> Bound:
    """The bound nearest to measured losses of one budget, at least three of them."""
    rounds, epochs = _columns(splits)
    guesses = [
        (floor, progress, share * progress / float(epochs.max()), growth)
        for floor, progress, share, growth in itertools.product((0.01, 0.3), (0.01, 0.05), (0.1, 0.5, 0.9), (1e-2,))
    ]

    def bound(values: Sequence[float]) -> Bound:
        floor, progress, drift, growth = values
        return Bound(start, min(floor, 0.99 * start), progress, drift, max(growth, _SLOWEST))

    return bound(_nearest(lambda values: bound(values)._losses(rounds, epochs), losses, guesses))


def fit_loss_curve(splits: Sequence[Split], losses: Sequence[float], start: float) -> LossCurve:
    """The curve nearest to measured losses of any budgets: what a split gives does not depend on what it costs."""
    rounds, epochs = _columns(splits)

    def predicted(values: Sequence[float]) -> NDArray[np.float64]:
        floor, pace, fade, shape = values
        gain = np.log1p(fade * epochs) / fade
        return np.asarray(floor + (start - floor) * np.exp(-((pace * rounds * gain) ** shape)))

    guesses = list(itertools.product((0.1, 0.5), (0.01, 0.1), (0.03, 0.3), (0.7, 1.2)))
    return LossCurve(start, *_nearest(predicted, losses, guesses))


def _columns(splits: Sequence[Split]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rounds = np.array([split.rounds for split in splits], dtype=np.float64)
    return rounds, np.array([split.epochs for split in splits], dtype=np.float64)


def _nearest(
    predicted: Callable[[Sequence[float]], NDArray[np.float64]],
    losses: Sequence[float],
    guesses: Sequence[tuple[float, ...]],
) -> tuple[float, ...]:
    """The best of local searches from all guesses; every value is positive, so their logarithms are searched."""
    from scipy.optimize import least_squares  # takes a second to import

    wanted = np.array(losses)

    def misses(logs: NDArray[np.float64]) -> NDArray[np.float64]:
        with np.errstate(over="ignore", invalid="ignore"):
            found = predicted(tuple(np.exp(logs)))
        return np.asarray(np.nan_to_num(found, nan=_UNBOUNDED, posinf=_UNBOUNDED) - wanted)

    limits = math.log(1e-9), math.log(1e3)
    searches = [least_squares(misses, np.log(guess), bounds=limits, max_nfev=_TRIES) for guess in guesses]
    return tuple(float(value) for value in np.exp(min(searches, key=lambda one: float(one.cost)).x))
