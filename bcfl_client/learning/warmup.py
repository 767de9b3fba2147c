"""Compiles what numba compiles and keeps it beside the sources: `python -m bcfl_client.learning.warmup`.

Done once at set-up, it spares every later process half a minute; done before forking, it spares the children the rest.
"""

from __future__ import annotations

import numpy as np

from bcfl_client.aggregation import AggregationRule, aggregate
from bcfl_client.learning.encoding import encode_model
from bcfl_client.learning.manifest import Hyperparameters
from bcfl_client.learning.model import Samples
from bcfl_client.learning.models import build_model
from bcfl_client.learning.tree import parameter_root

__all__ = ["warm_up"]


def warm_up() -> None:
    """Compiles, or loads from the cache, every compiled function."""
    values = np.zeros(1, dtype=np.int32)
    parameter_root(values)
    for rule in AggregationRule:
        aggregate(rule, [values] * 3, [1] * 3, 4000)
    samples = Samples(np.zeros((1, 4, 4), dtype=np.uint8), np.zeros(1, dtype=np.uint8))
    for name in ("mlp:1", "cnn"):
        model = build_model(name, (4, 4), 2)
        encode_model(model)
        model.train(model.initial(), samples, np.zeros((1, 1), dtype=np.int64), Hyperparameters(), 0.1, 0)
        model.logits(model.initial(), samples.images)


if __name__ == "__main__":
    warm_up()
