"""Whole models: what the updates of a round make, lies about it, and the evidence against them."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_hash.auto import keccak

from bcfl_client.learning.tree import LEAF_PARAMETERS, leaf_bytes, parameter_root, prove_leaf

from . import chain, scoring
from .digests import Opening
from .kinds import Rule
from .play import Play
from .said import Said


@dataclass(frozen=True)
class Models:
    """Of a round whose updates are revealed; `weights` of its inputs by trainer seat."""

    said: Said
    terms: dict[str, Any]
    weights: dict[int, int]

    @classmethod
    def of(cls, play: Play) -> Models:
        weights = {}
        for seat in sorted(scoring.seats(chain.look(play.task.inputs))):
            trainer = chain.look(play.task.trainer, seat)
            weights[seat] = max(1, min(trainer["samples"], trainer["cap"]) * trainer["quality"] // 65_535)
        return cls(play.said, play.terms, weights)

    def truth(self) -> bytes:
        """What the task's rule makes of the inputs."""
        columns = zip(*(numbers(self.said.model(seat)) for seat in self.weights))
        return packed([self._made_of(values) for values in columns])

    def lie(self, coordinate: int, by: int = 1) -> bytes:
        """The truth but for one coordinate."""
        values = list(numbers(self.truth()))
        values[coordinate] += by
        return packed(values)

    def opening(self, seat: int, model: bytes, **changes: Any) -> Opening:
        """What the miner on `seat` seals when its result is `model`."""
        return self.said.opening(seat, root=parameter_root(model), content_id=keccak(model), **changes)

    def results(self, lies: Mapping[int, bytes]) -> dict[int, Opening]:
        """What all miners seal, when those on the seats in `lies` have other results than the truth."""
        truth = self.truth()
        return {seat: self.opening(seat, lies.get(seat, truth)) for seat in range(len(self.said.miners))}

    def order(self, coordinate: int) -> list[int]:
        """Seats of the inputs as evidence names them."""
        values = {seat: numbers(self.said.model(seat))[coordinate] for seat in self.weights}
        return sorted(values, key=lambda seat: (values[seat], seat)) if self._by_value else list(values)

    def evidence(self, coordinate: int, model: bytes, seats: Sequence[int] | None = None) -> bytes:
        """What shows that `coordinate` of `model` is wrong, if it is; with `seats` from these inputs."""
        leaf = coordinate // LEAF_PARAMETERS
        if seats is None:
            seats = self.order(coordinate) if coordinate < self.terms["parameterCount"] else []
        return b"".join(self.shown(seat, leaf) for seat in seats) + entry(model, leaf)

    def shown(self, seat: int, leaf: int) -> bytes:
        """One input in evidence."""
        return bytes.fromhex(str(self.said.trainers[seat])[2:]) + entry(self.said.model(seat), leaf)

    @property
    def _by_value(self) -> bool:
        return self.terms["aggregationRule"] != Rule.WEIGHTED_MEAN

    def _made_of(self, values: Sequence[int]) -> int:
        inputs = list(zip(values, self.weights.values()))
        count, first = len(inputs), 0
        if self._by_value:
            inputs.sort()
        if self.terms["aggregationRule"] == Rule.MEDIAN:
            first = (count - 1) // 2
            inputs = [(value, 1) for value, _ in inputs]
        if self.terms["aggregationRule"] == Rule.TRIMMED_MEAN:
            first = count * self.terms["trimShare"] // 10_000
        kept = inputs[first : count - first]
        return sum(value * weight for value, weight in kept) // sum(weight for _, weight in kept)


def entry(model: bytes, leaf: int) -> bytes:
    """A leaf and its path."""
    return leaf_bytes(model, leaf) + b"".join(prove_leaf(model, leaf))


def numbers(model: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(model) // 4}i", model)


def packed(values: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(values)}i", *values)
