"""What honest people say in a round, made up from its number and their seat: nothing has to be remembered, so that
a rollback of the chain needs no other one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from eth_hash.auto import keccak

from bcfl_client.learning.tree import parameter_root

from . import digests
from .digests import Opening, Place, Update
from .kinds import Verdict


@dataclass(frozen=True)
class Said:
    """One round of one task; `trainers` and `miners` are accounts by seat."""

    chain_id: int
    task: str
    number: int
    trainers: list[Any]
    miners: list[Any]
    parameters: int

    def place(self, sender: Any, attempt: int = 0) -> Place:
        return Place(self.chain_id, self.task, self.number, attempt, str(sender))

    def model(self, seat: int) -> bytes:
        """The parameters of a trainer's update: any 32-bit numbers, little-endian."""
        return hashlib.shake_256(f"update {self.number} {seat}".encode()).digest(4 * self.parameters)

    def update(self, seat: int) -> Update:
        """The update of a trainer: 100 samples more per seat, as bid."""
        model = self.model(seat)
        content, salt = keccak(model), keccak(model + b" salt")
        return Update(parameter_root(model), content, (seat + 1) * 100, 1500, salt)

    def commitment(self, seat: int, made: Update | None = None) -> bytes:
        return digests.update(self.place(self.trainers[seat]), made or self.update(seat))

    def opening(self, seat: int, **changes: Any) -> Opening:
        """A miner's result: the same model for all, scores and accuracy that differ a little."""
        tag = f"aggregate {self.number}".encode()
        scores = tuple(40_000 + 100 * trainer + seat for trainer in range(len(self.trainers)))
        honest = Opening(keccak(tag), keccak(tag + b" content"), 8000 + seat, scores, keccak(tag + bytes([seat])))
        return replace(honest, **changes)

    def seal(self, seat: int, opening: Opening) -> bytes:
        return digests.seal(self.place(self.miners[seat]), opening)

    def verdicts(self, but: Mapping[int, Verdict] | None = None) -> int:
        """All updates are fine, but for those given by trainer seat."""
        said = dict.fromkeys(range(len(self.trainers)), Verdict.OK) | dict(but or {})
        return sum(verdict << (2 * seat) for seat, verdict in said.items())
