"""Questions about a tree whose bytes are withheld: from the top down to the first leaf that is not as it should be.

An answer gives the nodes six levels below the node that was asked for (32 bytes each), or all leaves below it (128
bytes each) when they are at most six levels down. A model of 2^28 parameters is reached in four questions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bcfl_client.disputes.differences import first_difference
from bcfl_client.disputes.evidence import LeafProof
from bcfl_client.learning.keccak import DIGEST_BYTES
from bcfl_client.learning.tree import (
    LEAF_BYTES,
    LEAF_PARAMETERS,
    ParameterTree,
    leaf_hash,
    node_hash,
    root_hash,
    tree_height,
    tree_width,
)

__all__ = ["STEP", "Descent", "NodeQuestion", "answer_parts", "questions_needed"]

STEP = 6  # levels that one answer goes down


@dataclass(frozen=True)
class NodeQuestion:
    """A node to ask for: what is known of it and its siblings up to the top.

    The top is named by the root, since nobody knows what is below a root that was not shown.
    """

    height: int
    index: int
    node: bytes
    path: tuple[bytes, ...]


def questions_needed(parameter_count: int) -> int:
    """Questions, one after the other, from the top to a leaf."""
    return max(1, -(-tree_height(parameter_count) // STEP))


def answer_parts(tree: ParameterTree, height: int, index: int) -> bytes:
    """What answers a question for node `index` of `height`."""
    below, positions = _parts(tree.count, height, index)
    if below == 0:
        return b"".join(tree.leaf(i) for i in positions)
    return b"".join(tree.node(below, i) for i in positions)


class Descent:
    """One way down a withheld tree under `root`, compared with the `own` one, which has as many parameters."""

    def __init__(self, own: ParameterTree, root: bytes) -> None:
        self._own = own
        self._root = root
        self._nodes: dict[tuple[int, int], bytes] = {}
        self._leaves: dict[int, bytes] = {}

    def take(self, height: int, index: int, parts: bytes) -> bool:
        """Takes the answer to a question for node `index` of `height`.

        False when that is not a node of this tree as far as it is known, or `parts` do not make it up.
        """
        below, positions = _parts(self._own.count, height, index)
        size = LEAF_BYTES if height <= STEP else DIGEST_BYTES
        if len(parts) != size * len(positions):
            return False
        pieces = [parts[at : at + size] for at in range(0, len(parts), size)]
        level = [leaf_hash(piece) for piece in pieces] if height <= STEP else pieces
        nodes = dict(_folded(level, below, positions.start, height))
        at_top = height == self._own.height
        known = self._root if at_top else self._nodes.get((height, index))
        found = root_hash(self._own.count, nodes[height, index]) if at_top else nodes[height, index]
        if found != known:
            return False
        self._nodes |= nodes
        if height <= STEP:
            self._leaves |= dict(zip(positions, pieces))
        return True

    def question(self) -> NodeQuestion | None:
        """What to ask next: the first node, from the left and as low as answers reach, that is not the own one's.
        None when that is a leaf: see `proof`."""
        height, index = self._lowest()
        if height == 0 and index in self._leaves:
            return None
        if (height, index) not in self._nodes or height == self._own.height:
            return NodeQuestion(self._own.height, 0, self._root, ())
        return NodeQuestion(height, index, self._nodes[height, index], self._path(height, index))

    def proof(self) -> tuple[int, LeafProof] | None:
        """A coordinate that differs, padding included, and the withheld tree's leaf with it; None before the answers
        reach it. Raises ValueError when both trees are the same."""
        height, index = self._lowest()
        if height != 0 or index not in self._leaves:
            return None
        at = first_difference(self._own.leaf(index), self._leaves[index])
        if at is None:
            raise ValueError("the trees do not differ")
        leaf = LeafProof(self._leaves[index], self._path(0, index))
        return index * LEAF_PARAMETERS + at, leaf

    def _lowest(self) -> tuple[int, int]:
        """The first differing node on the lowest known level below the top."""
        height, index = self._own.height, 0
        while height > 0:
            children = [i for i in (2 * index, 2 * index + 1) if (height - 1, i) in self._nodes]
            if not children:
                break
            height -= 1
            index = next((i for i in children if self._nodes[height, i] != self._own.node(height, i)), children[0])
        return height, index

    def _path(self, height: int, index: int) -> tuple[bytes, ...]:
        siblings = []
        while height < self._own.height:
            if (height, index ^ 1) in self._nodes:
                siblings.append(self._nodes[height, index ^ 1])
            height, index = height + 1, index // 2
        return tuple(siblings)


def _parts(parameter_count: int, height: int, index: int) -> tuple[int, range]:
    """Height and positions of what answers a question. Raises ValueError when there is no such node."""
    if not 0 <= height <= tree_height(parameter_count) or not 0 <= index < tree_width(parameter_count, height):
        raise ValueError(f"a tree of {parameter_count} parameters has no node {index} at height {height}")
    down = min(height, STEP)
    first = index << down
    return height - down, range(first, min(first + (1 << down), tree_width(parameter_count, height - down)))


def _folded(level: list[bytes], height: int, first: int, top: int) -> Iterator[tuple[tuple[int, int], bytes]]:
    """All nodes from `level`, which starts at position `first` of `height`, up to the one of height `top` above it."""
    while True:
        yield from (((height, first + i), node) for i, node in enumerate(level))
        if height == top:
            break
        pairs = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = pairs + level[len(level) // 2 * 2 :]  # an odd last one moves up
        height, first = height + 1, first // 2
