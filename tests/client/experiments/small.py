"""A small experiment of the real kind, for tests of how experiments are run."""

from __future__ import annotations

from bcfl_client.experiments.lazy_nodes import Laziness
from bcfl_client.experiments.resource_allocation import Allocation
from bcfl_client.experiments.settings import Learning

LEARNING = Learning(nodes=4, samples=64, model="mlp:8", partition="shards:2", learning_rate=0.1)
ALLOCATION = Allocation(LEARNING, total=16, lines=((1, 1), (2, 1)))
LAZINESS = Laziness(LEARNING, total=16, training_cost=1, block_cost=1, lazy=(0, 1, 2), points=3)
