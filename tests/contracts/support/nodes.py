"""A parameter tree above its leaves: what questions name, what answers hold, and roots of leaves that lie."""

from __future__ import annotations

from eth_hash.auto import keccak

from bcfl_client.learning.tree import LEAF_BYTES, leaf_bytes

STEP = 6  # levels that one answer goes down


class Nodes:
    """The tree over `leaves`, which are of a model of `count` parameters."""

    def __init__(self, count: int, leaves: list[bytes]) -> None:
        self.count = count
        self.leaves = leaves
        self.rows = [[keccak(b"\0" + leaf) for leaf in leaves]]  # by height
        while len(self.rows[-1]) > 1:
            row = self.rows[-1]
            pairs = [keccak(b"\1" + left + right) for left, right in zip(row[::2], row[1::2])]
            self.rows.append(pairs + row[2 * len(pairs) :])

    @classmethod
    def of(cls, model: bytes) -> Nodes:
        return cls(len(model) // 4, [leaf_bytes(model, index) for index in range(-(-len(model) // LEAF_BYTES))])

    @property
    def height(self) -> int:
        return len(self.rows) - 1

    @property
    def root(self) -> bytes:
        return self.climb(self.height, 0, self.rows[-1][0], [])

    def named(self, height: int, index: int) -> bytes:
        """A node as a question names it: what is under a root that was not shown nobody knows."""
        return self.root if height == self.height else self.rows[height][index]

    def path(self, height: int, index: int) -> list[bytes]:
        """Siblings of a node up to the top."""
        siblings = []
        for row in self.rows[height:-1]:
            siblings += row[index ^ 1 : (index ^ 1) + 1]
            index //= 2
        return siblings

    def climb(self, height: int, index: int, node: bytes, path: list[bytes]) -> bytes:
        """The root that `node` and `path` make."""
        siblings = iter(path)
        for row in self.rows[height:-1]:
            if index ^ 1 < len(row):
                node = keccak(b"\1" + (next(siblings) + node if index & 1 else node + next(siblings)))
            index //= 2
        return keccak(b"\2" + self.count.to_bytes(4, "big") + len(self.leaves).to_bytes(4, "big") + node)

    def below(self, height: int, index: int) -> bytes:
        """The answer to a question: nodes six levels below, or all leaves."""
        down = min(height, STEP)
        row = self.leaves if height <= STEP else self.rows[height - STEP]
        return b"".join(row[index << down : (index + 1) << down])
