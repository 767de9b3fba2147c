"""Compiles what numba compiles and keeps it beside the sources: `python -m bcfl_client.learning.warmup`.

Done once at set-up, it spares every later process three seconds; done before forking, it spares the children the rest.
"""

from __future__ import annotations

import numpy as np

from bcfl_client.aggregation import AggregationRule, aggregate
from bcfl_client.learning.perceptron import descend
from bcfl_client.learning.tree import parameter_root

__all__ = ["warm_up"]


def warm_up() -> None:
    """Compiles, or loads from the cache, every compiled function."""
    values = np.zeros(1, dtype=np.int32)
    parameter_root(values)
    for rule in AggregationRule:
        aggregate(rule, [values] * 3, [1] * 3, 4000)
    image, label = np.zeros((1, 1), dtype=np.uint8), np.zeros(1, dtype=np.uint8)
    descend(np.zeros(2, dtype=np.float32), (1, 1), image, label, np.zeros((1, 1), dtype=np.int64), 1, 0.0)


if __name__ == "__main__":
    warm_up()
