"""The experiments by name. To add one: a file that defines an `Experiment`, and an entry here."""

from __future__ import annotations

from bcfl_client.experiments.cells import Experiment
from bcfl_client.experiments.forking import FORKING
from bcfl_client.experiments.laziness import LAZINESS
from bcfl_client.experiments.lazy_nodes import LAZY_NODES
from bcfl_client.experiments.poisoning import POISONING
from bcfl_client.experiments.resource_allocation import RESOURCE_ALLOCATION
from bcfl_client.experiments.rewards import REWARDS
from bcfl_client.experiments.scale import SCALE

__all__ = ["EXPERIMENTS"]

EXPERIMENTS: dict[str, Experiment] = {
    "resource-allocation": RESOURCE_ALLOCATION,
    "lazy-nodes": LAZY_NODES,
    "laziness": LAZINESS,
    "forking": FORKING,
    "poisoning": POISONING,
    "rewards": REWARDS,
    "scale": SCALE,
}
