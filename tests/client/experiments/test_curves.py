"""Fits find the curves that made the numbers; the bound is convex; intervals are those of Student's t."""

from __future__ import annotations

import math

import pytest

from bcfl_client.budget import Budget, LossCurve, Split
from bcfl_client.experiments.curves import Bound, fit_bound, fit_loss_curve
from bcfl_client.experiments.intervals import estimate
from bcfl_client.experiments.resource_allocation import chosen_splits

START = math.log(10)


def test_finds_the_planners_curve() -> None:
    """From exact losses of three budgets, the curve's own numbers."""
    truth = LossCurve(START, 0.4, 0.05, 0.2, 1.1)
    splits = [split for cost in (1, 2, 4) for split in chosen_splits(Budget(200, cost, 2))]
    found = fit_loss_curve(splits, [truth.loss(split) for split in splits], START)
    for name in ("floor", "pace", "fade", "shape"):
        assert getattr(found, name) == pytest.approx(getattr(truth, name), rel=1e-3)


def test_finds_the_bound_and_it_is_convex() -> None:
    """From a bound's own values; convex in K, and highest at both ends, as BLADE-FL proves."""
    budget = Budget(200, 2, 2)
    truth = Bound(START, 0.2, 0.02, 2e-4, 0.01)
    splits = chosen_splits(budget)
    values = [truth.loss(split) for split in splits]
    found = fit_bound(splits, values, START)
    assert [found.loss(split) for split in splits] == pytest.approx(values, rel=1e-2)
    assert found.is_convex(budget)
    assert min(values) < values[0] and min(values) < values[-1]
    assert not Bound(START, 0.2, 0.001, 1.0, 0.01).is_convex(budget)  # promises nothing at its left end


def test_interval_of_known_numbers() -> None:
    """Mean 3, standard deviation sqrt(2.5), five values: t = 2.776 for four degrees of freedom."""
    found = estimate([1, 2, 3, 4, 5])
    assert found.mean == 3 and found.half == pytest.approx(2.7764 * math.sqrt(2.5 / 5), rel=1e-4)
    assert math.isnan(estimate([1.0]).half)


def test_chosen_splits_are_spread_and_keep_the_extremes() -> None:
    """At least eight values of K for each cost ratio of Fig. 3, the first and the last possible among them."""
    for cost in (1, 2, 4, 8):
        budget = Budget(200, cost, 2)
        splits = chosen_splits(budget)
        assert 8 <= len(splits) <= 12
        assert splits[0].rounds == 1 and splits[-1] == Split(budget.most_rounds, 1)
        assert all(split.epochs == budget.epochs(split.rounds) for split in splits)
    assert Split(12, 7) in chosen_splits(Budget(200, 2, 2)) and Split(12, 15) in chosen_splits(Budget(200, 1, 1))
