"""Means over repetitions, with 95 % intervals from Student's t."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Estimate", "describe_runs", "estimate"]

_LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean; `half` is half the width of its 95 % interval, NaN for a single value."""

    mean: float
    half: float


def estimate(values: Sequence[float]) -> Estimate:
    """The mean of independent repetitions."""
    from scipy.stats import t  # takes a second to import

    count, mean = len(values), float(np.mean(values))
    if count < 2:
        return Estimate(mean, math.nan)
    return Estimate(mean, float(t.ppf((1 + _LEVEL) / 2, count - 1) * np.std(values, ddof=1) / math.sqrt(count)))


def describe_runs(rows: Sequence[Mapping[str, Any]]) -> str:
    """For captions: on what data, and over how many repetitions, these rows are averaged."""
    runs = len({row["run"] for row in rows})
    averaged = "1 run" if runs == 1 else f"mean of {runs} runs, 95 % intervals"
    return f"{rows[0]['dataset']}; {averaged}"
