"""Miners with delays between them and forks as they come: an event simulation of the paper's multi-functional nodes.

Every node trains from the head that it knows, sends its update, then mines a block over all updates of that base that
have reached it. So blocks found side by side differ in their models, and nodes that follow different ones train apart
(BC-FL, section IV-C). A higher block always wins; the rule decides between equally high ones.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bcfl_client.fork_choice import Candidate, ForkRule, choose
from bcfl_client.types import MAX_SCORE

__all__ = ["Block", "Conditions", "MiningNetwork", "Outcome"]

_Parameters = NDArray[np.int32]
Train = Callable[[int, _Parameters, int], _Parameters]
"""A node's update, int32 [count], from its number, the base's parameters and the base's height."""
Combine = Callable[[Sequence[int], Sequence[_Parameters]], _Parameters]
"""The aggregate of the updates of these nodes, ascending."""


@dataclass(frozen=True)
class Conditions:
    """Times in units of the mean time to find a block when all mine. `delay` is the mean delay of a link, each of
    which has its own, from half to three halves; `training` how long a node trains for a round.

    From `split_from` to `split_to` no message passes between the two halves of the nodes; it comes when that is over.
    """

    nodes: int
    delay: float
    training: float
    split_from: float = 0.0
    split_to: float = 0.0


@dataclass(frozen=True)
class Block:
    """A block at `height`, and the nodes whose updates from the parent are in its `model`, int32 [count]."""

    number: int
    parent: int
    height: int
    miner: int
    inputs: tuple[int, ...]
    model: _Parameters = field(repr=False)


@dataclass(frozen=True)
class Outcome:
    """The chain that most nodes follow, what else was mined, and how many updates were trained for either."""

    chain: Sequence[Block]
    blocks: int
    trainings: int
    forked_heights: int

    @property
    def stale_share(self) -> float:
        """Blocks that were mined for nothing, of all."""
        return 1 - len(self.chain) / self.blocks

    @property
    def unused_share(self) -> float:
        """Updates that were trained and are in no block of the chain, of all."""
        return 1 - sum(len(block.inputs) for block in self.chain) / self.trainings

    @property
    def fork_rate(self) -> float:
        """Heights with more than one block, of all."""
        return self.forked_heights / len(self.chain)


@dataclass
class _Node:
    head: int
    order: dict[int, int]  # of arrival, by block
    turn: int = 0  # counts heads: what was planned for an earlier one is void


class MiningNetwork:
    """The same `seed`, the same run. `start` is the model of the first head."""

    def __init__(
        self, conditions: Conditions, rule: ForkRule, start: _Parameters, train: Train, combine: Combine, seed: int
    ) -> None:
        self._conditions, self._rule, self._train, self._combine = conditions, rule, train, combine
        self._random = np.random.default_rng(np.random.SeedSequence([seed, 0x464F524B]))
        spread = np.triu(self._random.uniform(0.5, 1.5, (conditions.nodes, conditions.nodes)), 1)
        self._delays = conditions.delay * (spread + spread.T)
        self._blocks = [Block(0, -1, 0, -1, (), start)]
        self._nodes = [_Node(0, {0: 0}) for _ in range(conditions.nodes)]
        self._ready: dict[int, dict[int, float]] = {}  # when which node's update from this base was there
        self._updates: dict[tuple[int, int], _Parameters] = {}
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._planned = 0

    def run(self, height: int) -> Outcome:
        """Runs until every node follows a block at `height` or above it."""
        for node in range(len(self._nodes)):
            self._work_on(node, 0, 0.0)
        while min(self._blocks[node.head].height for node in self._nodes) < height:
            now, _, act = heapq.heappop(self._events)
            act(now)
        followed = Counter(self._ancestor(node.head, height) for node in self._nodes)
        last = min(followed, key=lambda number: (-followed[number], number))
        chain = self._chain(last)
        heights = Counter(block.height for block in self._blocks[1:] if block.height <= height)
        trainings = sum(len(nodes) for base, nodes in self._ready.items() if self._blocks[base].height < height)
        forked = sum(count > 1 for count in heights.values())
        return Outcome(chain, sum(heights.values()), trainings, forked)

    # ------------------------------------------------------------------ events

    def _plan(self, when: float, act: Callable[[float], None]) -> None:
        self._planned += 1
        heapq.heappush(self._events, (when, self._planned, act))

    def _arrival(self, sender: int, receiver: int, sent: float) -> float:
        c = self._conditions
        apart = (sender < c.nodes // 2) != (receiver < c.nodes // 2)
        held = c.split_to if apart and c.split_from <= sent < c.split_to else sent
        return held + float(self._delays[sender, receiver])

    def _work_on(self, node: int, head: int, now: float) -> None:
        """Trains from a new head, then mines on it."""
        state = self._nodes[node]
        state.head, state.turn = head, state.turn + 1
        turn = state.turn

        def trained(now: float) -> None:
            if state.turn == turn:
                self._ready.setdefault(head, {}).setdefault(node, now)
                wait = self._random.exponential(self._conditions.nodes)
                self._plan(now + float(wait), found)

        def found(now: float) -> None:
            if state.turn == turn:
                self._find(node, now)

        self._plan(now + self._conditions.training, trained)

    def _find(self, miner: int, now: float) -> None:
        parent = self._blocks[self._nodes[miner].head]
        inputs = self._known(miner, parent.number, now)
        number = len(self._blocks)
        model = self._aggregate(parent.number, inputs)
        self._blocks.append(Block(number, parent.number, parent.height + 1, miner, inputs, model))
        for node in range(len(self._nodes)):
            when = now if node == miner else self._arrival(miner, node, now)
            self._plan(when, lambda now, node=node: self._receive(node, number, now))  # type: ignore[misc]

    def _receive(self, node: int, number: int, now: float) -> None:
        state, new = self._nodes[node], self._blocks[number]
        state.order[number] = len(state.order)
        own = self._blocks[state.head]
        if new.height < own.height:
            return
        if new.height == own.height:
            candidates = [self._candidate(node, block, now) for block in (own, new)]
            if choose(self._rule, candidates).seat == own.miner:
                return
        self._work_on(node, number, now)

    # ------------------------------------------------------------------ what a node knows

    def _candidate(self, node: int, block: Block, now: float) -> Candidate:
        """A block as `node` sees it: its arrival, its miner's record on its own branch (the paper's n/m), its distance
        from what the node has aggregated itself from the same parent."""
        before = self._chain(block.parent)
        mined = sum(one.miner == block.miner for one in before)
        distance = 0
        if self._rule == ForkRule.DISTANCE:
            inputs = self._known(node, block.parent, now)
            own = self._aggregate(block.parent, inputs) if inputs else self._blocks[block.parent].model
            distance = math.isqrt(int(np.square(block.model.astype(np.int64) - own).sum()))
        return Candidate(
            seat=block.miner,
            order=self._nodes[node].order.get(block.number, 0),  # it has its own before any message
            reputation=mined * MAX_SCORE // max(1, len(before)),
            block_hash=self._hash(block.number),
            distance=distance,
        )

    def _hash(self, number: int) -> bytes:
        return np.random.default_rng([number, 0x48415348]).bytes(32)

    def _known(self, node: int, base: int, now: float) -> tuple[int, ...]:
        """Whose updates from `base` have reached `node`."""
        ready = self._ready.get(base, {})
        return tuple(
            sorted(other for other, when in ready.items() if other == node or self._arrival(other, node, when) <= now)
        )

    def _aggregate(self, base: int, inputs: Sequence[int]) -> _Parameters:
        block = self._blocks[base]
        for node in inputs:
            if (base, node) not in self._updates:
                self._updates[base, node] = self._train(node, block.model, block.height)
        return self._combine(inputs, [self._updates[base, node] for node in inputs])

    def _chain(self, number: int) -> list[Block]:
        """From the first block after the start to this one."""
        chain = []
        while number > 0:
            chain.append(self._blocks[number])
            number = self._blocks[number].parent
        return chain[::-1]

    def _ancestor(self, number: int, height: int) -> int:
        while self._blocks[number].height > height:
            number = self._blocks[number].parent
        return number
