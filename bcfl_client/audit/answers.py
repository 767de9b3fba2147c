"""Answers to questions about a result's tree: how long they must be, and which node they make."""

from __future__ import annotations

from collections.abc import Sequence

from bcfl_client.learning.tree import LEAF_BYTES, leaf_hash, node_hash, tree_height, tree_width

__all__ = ["STEP", "answer_length", "fold", "has_node", "parts_to_nodes"]

STEP = 6  # levels that one answer goes down
_NODE_BYTES = 32


def has_node(parameters: int, height: int, index: int) -> bool:
    """Whether the tree over so many parameters has a node `index` of `height`."""
    return height <= tree_height(parameters) and index < tree_width(parameters, height)


def answer_length(parameters: int, height: int, index: int) -> int:
    """Bytes of an answer: all leaves below the node where they are six levels down at most, else the nodes there."""
    down = min(height, STEP)
    parts = min(1 << down, tree_width(parameters, height - down) - (index << down))
    return parts * _part_bytes(height)


def parts_to_nodes(height: int, parts: bytes) -> list[bytes]:
    """The nodes that an answer for a node of `height` holds; of leaves their digests."""
    size = _part_bytes(height)
    pieces = [parts[start : start + size] for start in range(0, len(parts), size)]
    return [leaf_hash(piece) for piece in pieces] if size == LEAF_BYTES else pieces


def fold(nodes: Sequence[bytes]) -> bytes:
    """The node above `nodes`."""
    level = list(nodes)
    while len(level) > 1:
        pairs = [node_hash(left, right) for left, right in zip(level[::2], level[1::2])]
        level = pairs + level[2 * len(pairs) :]  # an odd last one moves up
    return level[0]


def _part_bytes(height: int) -> int:
    return LEAF_BYTES if height <= STEP else _NODE_BYTES
