"""The parameter tree: one hash that binds every parameter of a model, its position and their number.

    leaf i = keccak256(0x00 || parameters 32 i .. 32 i + 31 as int32 little-endian, zeros after the last one)
    node   = keccak256(0x01 || left || right)
    root   = keccak256(0x02 || parameter count || leaf count || top)        counts as uint32 big-endian

Levels are built from left to right; an odd last node moves up unchanged. A proof holds the siblings from the leaf
upwards and nothing for a level in which the node moved up. Vectors: tests/vectors/aggregation.json.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bcfl_client.learning.keccak import BLOCK_BYTES, DIGEST_BYTES, keccak256_blocks

__all__ = [
    "LEAF_BYTES",
    "LEAF_PARAMETERS",
    "ParameterTree",
    "leaf_bytes",
    "leaf_count",
    "leaf_hash",
    "node_hash",
    "parameter_root",
    "prove_leaf",
    "root_above",
    "root_hash",
    "tree_height",
    "tree_width",
    "verify_leaf",
]

LEAF_PARAMETERS = 32
LEAF_BYTES = 4 * LEAF_PARAMETERS
_LEAF, _NODE, _ROOT = 0, 1, 2
_MAX_PARAMETERS = 2**31 - 1

_Bytes2D = NDArray[np.uint8]  # [n, bytes]


class ParameterTree:
    """All digests of one model's tree, from an encoded update or its values int32 [count].

    `values` are the parameters, int32 [count]. Heights count from the leaves (0) to the top;
    all digests take about two bytes per parameter.
    Raises ValueError when `data` is empty or no whole number of parameters.
    """

    def __init__(self, data: bytes | NDArray[np.int32]) -> None:
        self.values = _values(data)
        self._levels = _levels(self.values)

    @property
    def count(self) -> int:
        """Number of parameters."""
        return len(self.values)

    @property
    def height(self) -> int:
        """Height of the top."""
        return len(self._levels) - 1

    @property
    def root(self) -> bytes:
        """The 32-byte root."""
        return root_hash(self.count, self.node(self.height, 0))

    def node(self, height: int, index: int) -> bytes:
        """The 32-byte digest of node `index` of `height`; at height 0 that of a leaf."""
        return bytes(self._levels[height][index])

    def leaf(self, index: int) -> bytes:
        """The 128 bytes of leaf `index`, zeros after the last parameter. Raises ValueError if there is none."""
        _check_index(self.count, index)
        piece = self.values[index * LEAF_PARAMETERS : (index + 1) * LEAF_PARAMETERS]
        return piece.astype("<i4", copy=False).tobytes().ljust(LEAF_BYTES, b"\0")

    def path(self, height: int, index: int) -> list[bytes]:
        """The siblings of node `index` of `height`, from there up to the top, 32 bytes each."""
        siblings = []
        for level in self._levels[height:-1]:
            if index ^ 1 < len(level):
                siblings.append(bytes(level[index ^ 1]))
            index //= 2
        return siblings


def parameter_root(data: bytes | NDArray[np.int32]) -> bytes:
    """Returns the 32-byte root of an encoded update, or of its values int32 [count].

    Raises ValueError when `data` is empty or no whole number of parameters.
    """
    return ParameterTree(data).root


def leaf_bytes(data: bytes | NDArray[np.int32], index: int) -> bytes:
    """Returns the 128 bytes of leaf `index`, zeros after the last parameter."""
    values = _values(data)
    _check_index(len(values), index)
    piece = values[index * LEAF_PARAMETERS : (index + 1) * LEAF_PARAMETERS]
    return piece.tobytes().ljust(LEAF_BYTES, b"\0")


def prove_leaf(data: bytes | NDArray[np.int32], index: int) -> list[bytes]:
    """Returns the siblings of leaf `index`, from the bottom up, 32 bytes each.

    Raises ValueError when there is no such leaf.
    """
    values = _values(data)
    _check_index(len(values), index)
    return ParameterTree(values).path(0, index)


def verify_leaf(root: bytes, parameter_count: int, index: int, leaf: bytes, proof: list[bytes]) -> bool:
    """Whether `leaf` (128 bytes) is leaf `index` of the `parameter_count` parameters under `root`.

    Padding after the last parameter must be zero. Malformed input is False, not an error.
    """
    if not 1 <= parameter_count <= _MAX_PARAMETERS or len(leaf) != LEAF_BYTES:
        return False
    width = leaf_count(parameter_count)
    if not 0 <= index < width or any(len(sibling) != DIGEST_BYTES for sibling in proof):
        return False
    used = 4 * min(LEAF_PARAMETERS, parameter_count - index * LEAF_PARAMETERS)
    if any(leaf[used:]):
        return False
    return root_above(parameter_count, 0, index, leaf_hash(leaf), proof) == root


def root_above(parameter_count: int, height: int, index: int, node: bytes, path: Sequence[bytes]) -> bytes | None:
    """The root of the tree with `node` at `index` of `height` and the siblings `path` upwards, 32 bytes each; None
    for a path of the wrong length."""
    siblings = iter(path)
    width = tree_width(parameter_count, height)
    while width > 1:
        if index ^ 1 < width:
            sibling = next(siblings, None)
            if sibling is None:
                return None
            node = node_hash(sibling, node) if index & 1 else node_hash(node, sibling)
        index //= 2
        width = (width + 1) // 2
    return None if next(siblings, None) is not None else root_hash(parameter_count, node)


def leaf_count(parameter_count: int) -> int:
    """Leaves of a model."""
    return -(-parameter_count // LEAF_PARAMETERS)


def tree_height(parameter_count: int) -> int:
    """Height of the top: levels above the leaves."""
    return (leaf_count(parameter_count) - 1).bit_length()


def tree_width(parameter_count: int, height: int) -> int:
    """Nodes of `height`."""
    return -(-leaf_count(parameter_count) // (1 << height))


def leaf_hash(leaf: bytes) -> bytes:
    """The digest of a leaf's 128 bytes."""
    return _hash(_LEAF, leaf)


def node_hash(left: bytes, right: bytes) -> bytes:
    """The digest of a node with two children, 32 bytes each."""
    return _hash(_NODE, left + right)


def root_hash(parameter_count: int, top: bytes) -> bytes:
    """The root over the top's digest."""
    counts = parameter_count.to_bytes(4, "big") + leaf_count(parameter_count).to_bytes(4, "big")
    return _hash(_ROOT, counts + top)


def _levels(values: NDArray[np.int32]) -> list[_Bytes2D]:
    """Returns the digests uint8 [n, 32] of every level, leaves first, the single top last."""
    padded = np.zeros(leaf_count(len(values)) * LEAF_PARAMETERS, dtype="<i4")
    padded[: len(values)] = values
    levels = [_hash_rows(_LEAF, padded.view(np.uint8).reshape(-1, LEAF_BYTES))]
    while len(levels[-1]) > 1:
        level = levels[-1]
        even = len(level) // 2 * 2
        nodes = _hash_rows(_NODE, level[:even].reshape(-1, 2 * DIGEST_BYTES))
        levels.append(np.concatenate([nodes, level[even:]]))
    return levels


def _hash(tag: int, message: bytes) -> bytes:
    return bytes(_hash_rows(tag, np.frombuffer(message, dtype=np.uint8)[None, :])[0])


def _hash_rows(tag: int, messages: _Bytes2D) -> _Bytes2D:
    """Returns keccak256(tag || message) of every row, uint8 [n, 32]; a row must fit into one block."""
    length = messages.shape[1] + 1
    blocks = np.zeros((len(messages), BLOCK_BYTES), dtype=np.uint8)
    blocks[:, 0] = tag
    blocks[:, 1:length] = messages
    # The padding of Keccak (not of SHA-3): a 1 bit after the message, a 1 bit at the block's end.
    blocks[:, length] = 0x01
    blocks[:, -1] |= 0x80
    return keccak256_blocks(blocks)


def _values(data: bytes | NDArray[np.int32]) -> NDArray[np.int32]:
    if isinstance(data, np.ndarray):
        if data.dtype != np.int32 or data.ndim != 1:
            raise ValueError(f"parameters must be int32 [count], not {data.dtype} {list(data.shape)}")
        values = data
    elif len(data) % 4:
        raise ValueError(f"{len(data)} bytes are no whole number of 4-byte parameters")
    else:
        values = np.frombuffer(data, dtype="<i4")
    if not 1 <= len(values) <= _MAX_PARAMETERS:
        raise ValueError(f"{len(values)} parameters, there must be 1 to {_MAX_PARAMETERS}")
    return values


def _check_index(parameter_count: int, index: int) -> None:
    if not 0 <= index < leaf_count(parameter_count):
        raise ValueError(f"there is no leaf {index} of {parameter_count} parameters")
