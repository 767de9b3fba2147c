"""How a node that trains and mines divides its compute (BC-FL, section IV-A): rounds against local epochs.

Every round costs a block and some epochs of training, so more rounds leave fewer epochs for each.
"""

from __future__ import annotations

import json
import math
from dataclasses import astuple, dataclass, fields
from fractions import Fraction
from pathlib import Path

from bcfl_client.errors import ConfigError

__all__ = ["MEASURED", "Budget", "LossCurve", "Split", "read_curve"]

_MOST_ROUNDS = 100_000


@dataclass(frozen=True)
class Split:
    """`rounds` of communication with `epochs` of local training in each."""

    rounds: int
    epochs: int

    def __str__(self) -> str:
        return f"{self.rounds} round{'s' * (self.rounds != 1)} of {self.epochs} epoch{'s' * (self.epochs != 1)}"


@dataclass(frozen=True)
class Budget:
    """Compute of one node, all in one unit: `total` (the paper's T), `training_cost` of a local epoch (t_L) and
    `block_cost` of a block (t_B). Raises ConfigError for costs that are not positive, and when nothing fits."""

    total: float
    training_cost: float
    block_cost: float

    def __post_init__(self) -> None:
        for name, value in (("total", self.total), ("training cost", self.training_cost)):
            if not (math.isfinite(value) and value > 0):
                raise ConfigError(f"the {name} must be above 0, not {value:g}")
        if not (math.isfinite(self.block_cost) and self.block_cost >= 0):
            raise ConfigError(f"the block cost must not be negative: {self.block_cost:g}")
        if not 1 <= self.most_rounds <= _MOST_ROUNDS:
            one = self.training_cost + self.block_cost
            raise ConfigError(
                f"one round with one epoch costs {one:g} and the budget is {self.total:g}: it must hold 1 to "
                f"{_MOST_ROUNDS:,} of them"
            )

    @property
    def most_rounds(self) -> int:
        """Rounds with a single epoch each."""
        return self.rounds(1)

    def rounds(self, epochs: int) -> int:
        """Rounds that there can be with `epochs` in each."""
        return int(_exact(self.total) / (epochs * _exact(self.training_cost) + _exact(self.block_cost)))

    def epochs(self, rounds: int) -> int:
        """Epochs that each of `rounds` can have: floor((T / K - t_B) / t_L), not below 0."""
        left = _exact(self.total) / rounds - _exact(self.block_cost)
        return max(0, math.floor(left / _exact(self.training_cost)))

    def cost(self, split: Split) -> float:
        """Compute that `split` takes."""
        return float(split.rounds * (split.epochs * _exact(self.training_cost) + _exact(self.block_cost)))

    def require(self, wanted: Split) -> None:
        """Raises ConfigError unless `wanted` fits."""
        if self.epochs(wanted.rounds) >= wanted.epochs:
            return
        raise ConfigError(
            f"{wanted} take {self.cost(wanted):g} and the budget is {self.total:g}: it holds {self.near(wanted)}; "
            "raise the budget, or take another task"
        )

    def near(self, wanted: Split) -> str:
        """In words, what fits: as many rounds of the wanted epochs, or epochs of the wanted rounds, as there can be."""
        most_rounds = Split(self.rounds(wanted.epochs), wanted.epochs)
        return f"{most_rounds}, or {Split(wanted.rounds, self.epochs(wanted.rounds))}"

    def splits(self) -> list[Split]:
        """The ways that leave nothing to gain: no more rounds would have as many epochs. Fewest rounds first."""
        found: dict[int, int] = {}
        for rounds in range(1, self.most_rounds + 1):
            found[self.epochs(rounds)] = rounds
        return [Split(rounds, epochs) for epochs, rounds in found.items()]


@dataclass(frozen=True)
class LossCurve:
    """The loss after `rounds` of `epochs` each: floor + (start - floor) * exp(-(pace * rounds * g(epochs))^shape).

    g(epochs) = ln(1 + fade * epochs) / fade: further epochs of one round bring less and less, since the clients' data
    differ. Found by measuring; `start` is the loss before training.
    """

    start: float
    floor: float
    pace: float
    fade: float
    shape: float

    def loss(self, split: Split) -> float:
        """The loss to expect of this split."""
        gain = math.log1p(self.fade * split.epochs) / self.fade
        return self.floor + (self.start - self.floor) * math.exp(-((self.pace * split.rounds * gain) ** self.shape))

    def best(self, budget: Budget) -> Split:
        """The split with the lowest expected loss."""
        return min(budget.splits(), key=self.loss)


def read_curve(path: Path) -> LossCurve:
    """The curve in the JSON file of `bcfl experiment resource-allocation`. Raises ConfigError when there is none."""
    try:
        values = json.loads(path.read_text())["findings"]["curve"]
        curve = LossCurve(**{field.name: float(values[field.name]) for field in fields(LossCurve)})
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, LookupError, TypeError) as error:
        raise ConfigError(f"{path} holds no curve: name the JSON file of a resource-allocation experiment") from error
    if not all(0 < value < math.inf for value in astuple(curve)):
        raise ConfigError(f"{path}: the numbers of a curve are positive")
    return curve


def _exact(value: float) -> Fraction:
    """The decimal that was written, so that 200 / 50 - 2 is not a hair below 2."""
    return Fraction(repr(float(value)))


# Of `bcfl experiment resource-allocation`: MNIST, one hidden layer of 32, 10 nodes with 512 samples in 4 shards.
MEASURED = LossCurve(start=2.3026, floor=0.4789, pace=0.04304, fade=0.2218, shape=1.1526)
