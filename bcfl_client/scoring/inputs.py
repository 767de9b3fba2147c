"""What every scoring rule gets and gives: a round's inputs, and how much each of them brought."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bcfl_client.types import MAX_SCORE

__all__ = ["Contributions", "Counted", "ScoredRound"]

_Parameters = NDArray[np.int32]


@dataclass(frozen=True)
class Counted:
    """How many of `count` images a model classified correctly; of `unsure` ones another machine's rounding decides."""

    correct: int
    count: int
    unsure: int = field(default=0, compare=False)

    @property
    def score(self) -> int:
        """The share as unsigned 16 bit, rounded down: 65535 means all."""
        return self.correct * MAX_SCORE // self.count

    @property
    def accuracy_bps(self) -> int:
        """The share in hundredths of a percent, rounded down."""
        return self.correct * 10_000 // self.count


class ScoredRound:
    """The inputs of one round by trainer seat, and what any of them together would have made.

    `start` is the global model int32 [count] that the round trained from, for rules that compare changes; `updates`
    may still grow. `combine` applies the task's aggregation rule, with its weights, to the updates of some seats
    (ascending); `count` counts a model's correct predictions on the validation set, of which `guessed` are right for
    whoever always says the commonest label.
    """

    def __init__(
        self,
        start: _Parameters | None,
        updates: Mapping[int, _Parameters],
        combine: Callable[[Sequence[int]], _Parameters],
        count: Callable[[_Parameters], Counted],
        guessed: int,
    ) -> None:
        self._start = start
        self.updates = updates
        self.guessed = guessed
        self._combine = combine
        self._count = count
        self.unsure = 0  # images at most, of any set counted so far
        self._counted: dict[tuple[int, ...], Counted] = {}

    @property
    def start(self) -> _Parameters:
        """The model int32 [count] that the round started from. Raises ValueError where it was not given."""
        if self._start is None:
            raise ValueError("changes are counted from the round's start, which is not there")
        return self._start

    def model(self, seats: Sequence[int]) -> _Parameters:
        """What these inputs alone make, int32 [count]."""
        # Every rule leaves a single update as it is.
        return self.updates[seats[0]] if len(seats) == 1 else self._combine(seats)

    def counted(self, seats: Sequence[int]) -> Counted:
        """Correct predictions of what these inputs (seats ascending, at least one) make; each set is counted once."""
        key = tuple(seats)
        if key not in self._counted:
            self._counted[key] = self._count(self.model(key))
            self.unsure = max(self.unsure, self._counted[key].unsure)
        return self._counted[key]


@dataclass(frozen=True)
class Contributions:
    """What each input brought, by trainer seat, in whole units of the rule; `full` of them are a full score.

    `per_image` is how far a value may move at most when every count is off by one image; 0 for exact rules. For an
    estimate that ends early, `ends` says for a number of images how far values may move beyond that, because it may end
    elsewhere when every count is off by so many.
    """

    values: Mapping[int, int]
    full: int
    per_image: int = 0
    ends: Callable[[int], Mapping[int, int]] | None = field(default=None, compare=False)

    def scores(self) -> dict[int, int]:
        """Unsigned 16 bit, rounded down: 0 for nothing or less, 65535 for `full` or more."""
        return {seat: self._score(value) for seat, value in self.values.items()}

    def around(self, images: int, all_ends: bool = False) -> dict[int, tuple[int, int]]:
        """The lowest and the highest score where every count may be off by so many images; with `all_ends` wherever an
        estimate would then end, which may count many models."""
        more = self.ends(images) if all_ends and self.ends else {}
        off = {seat: images * self.per_image + more.get(seat, 0) for seat in self.values}
        return {
            seat: (self._score(value - off[seat]), self._score(value + off[seat]))
            for seat, value in self.values.items()
        }

    def _score(self, value: int) -> int:
        return min(MAX_SCORE, max(0, value) * MAX_SCORE // self.full)
