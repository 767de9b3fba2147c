"""The evidence of a challenge: one coordinate of every input and of the result, each with the path to its root.

Laid out as `ILearningTask.challenge` takes it: per input, in the rule's order, the trainer's address (20 bytes), the
leaf that holds the coordinate (128 bytes) and the leaf's path (32 bytes each); then leaf and path of the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bcfl_client.aggregation import aggregate_coordinate, proof_order
from bcfl_client.errors import ChainError
from bcfl_client.learning.tree import (
    LEAF_BYTES,
    LEAF_PARAMETERS,
    ParameterTree,
    leaf_count,
    leaf_hash,
    root_above,
)

__all__ = ["MAX_CALLDATA", "LeafProof", "ProofInput", "build_evidence"]

MAX_CALLDATA = 128 * 1024
"""Bytes of a transaction that nodes still pass on."""

_CALL_BYTES = 4 + 7 * 32  # selector, seat, coordinate, salt, root, content id, offset and length of the evidence
_ENVELOPE_BYTES = 256  # the transaction around its calldata


@dataclass(frozen=True)
class ProofInput:
    """One input of a round: its trainer's account (0x-prefixed), its weight and its values int32 [count]."""

    account: str
    weight: int
    values: NDArray[np.int32]


@dataclass(frozen=True)
class LeafProof:
    """A leaf (128 bytes) and its siblings up to the top, 32 bytes each."""

    leaf: bytes
    path: tuple[bytes, ...]

    @classmethod
    def of(cls, tree: ParameterTree, coordinate: int) -> LeafProof:
        """The leaf of `tree` that holds `coordinate`."""
        index = coordinate // LEAF_PARAMETERS
        return cls(tree.leaf(index), tuple(tree.path(0, index)))

    def value(self, coordinate: int) -> int:
        """The parameter, or the padding, at `coordinate`."""
        at = 4 * (coordinate % LEAF_PARAMETERS)
        return int.from_bytes(self.leaf[at : at + 4], "little", signed=True)

    @property
    def packed(self) -> bytes:
        """The leaf, then its path."""
        return self.leaf + b"".join(self.path)


def build_evidence(
    rule: int, trim_share: int, inputs: Sequence[ProofInput], coordinate: int, root: bytes, result: LeafProof
) -> bytes:
    """The bytes that refute the result under `root`, whose leaf with `coordinate` is `result`.

    `inputs` are all of the round's, in the order of their trainers' seats; `rule` and `trim_share` (basis points) are
    the task's. A coordinate of the padding takes the result's entry alone. Raises ValueError where nothing can be
    shown, because the value is right or the leaf does not belong to the root: the bond would be lost. Raises
    ChainError when the transaction would be longer than `MAX_CALLDATA`.
    """
    count = len(inputs[0].values)
    if not 0 <= coordinate < leaf_count(count) * LEAF_PARAMETERS:
        raise ValueError(f"coordinate {coordinate} is in no leaf of {count} parameters")
    index = coordinate // LEAF_PARAMETERS
    if len(result.leaf) != LEAF_BYTES or root_above(count, 0, index, leaf_hash(result.leaf), result.path) != root:
        raise ValueError(f"the leaf with coordinate {coordinate} is not one of the root {root.hex()}")
    shown = () if coordinate >= count else _ordered(rule, inputs, coordinate)
    right = _right_value(rule, trim_share, inputs, coordinate) if shown else 0
    if result.value(coordinate) == right:
        raise ValueError(f"coordinate {coordinate} is right: {right}")

    length = len(shown) * (20 + len(result.packed)) + len(result.packed)
    whole = _CALL_BYTES + -(-length // 32) * 32 + _ENVELOPE_BYTES
    if whole > MAX_CALLDATA:
        raise ChainError(
            f"a proof with {len(shown)} inputs takes {whole} bytes, and nodes take transactions of {MAX_CALLDATA} at "
            "most: this result can only be refuted by a padding or a question without an answer"
        )
    entries = [
        bytes.fromhex(one.account.removeprefix("0x")) + LeafProof.of(ParameterTree(one.values), coordinate).packed
        for one in shown
    ]
    return b"".join([*entries, result.packed])


def _ordered(rule: int, inputs: Sequence[ProofInput], coordinate: int) -> list[ProofInput]:
    order = proof_order(rule, [int(one.values[coordinate]) for one in inputs])
    return [inputs[position] for position in order]


def _right_value(rule: int, trim_share: int, inputs: Sequence[ProofInput], coordinate: int) -> int:
    values = [int(one.values[coordinate]) for one in inputs]
    return aggregate_coordinate(rule, values, [one.weight for one in inputs], trim_share)
