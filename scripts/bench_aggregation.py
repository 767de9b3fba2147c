"""Measures the aggregation rules beside Flower's loop and NumPy: python -m scripts.bench_aggregation --help

The updates are as large as those of McMahan's CNN. Flower's loop is that of its server's strategies, on the same
updates as float32 arrays. All rules do little per byte, so the bandwidth of memory, measured here too, is their bound.
"""

from __future__ import annotations

import argparse
import os
import time
import tracemalloc
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from bcfl_client.aggregation import median, trimmed_mean, weighted_mean
from bcfl_client.learning.tree import parameter_root

__all__ = ["main"]

PARAMETERS = 1_663_370
MEDIAN_OF = 10
TRIM_SHARE = 2000

Updates = Sequence[NDArray[np.int32]]


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--updates", type=int, default=100)
    parser.add_argument("--parameters", type=int, default=PARAMETERS)
    parser.add_argument("--repeats", type=int, default=5, help="of which the fastest counts")
    options = parser.parse_args()

    rng = np.random.default_rng(0)
    updates = [rng.integers(-(2**24), 2**24, options.parameters, dtype=np.int32) for _ in range(options.updates)]
    weights = rng.integers(100, 1000, options.updates).tolist()
    floats = [update.astype(np.float32) * np.float32(2**-24) for update in updates]
    few, ones = updates[:MEDIAN_OF], [1] * len(updates[:MEDIAN_OF])

    def table(title: str, size: int, sides: dict[str, Callable[[], object]]) -> None:
        print(f"\n{title}\nside                          ms     GB/s   ours is faster")
        seconds = {side: fastest(call, options.repeats) for side, call in sides.items()}
        ours = seconds["ours"]
        for side, took in seconds.items():
            faster = "" if side == "ours" else f"{took / ours:15.1f}x"
            print(f"{side:<22}{took * 1e3:10.1f} {size / took / 1e9:8.1f} {faster}", flush=True)

    size = sum(update.nbytes for update in updates)
    took = fastest(lambda: read(updates), options.repeats)
    print(f"{os.cpu_count()} cores read {size / 1e6:.0f} MB in {took * 1e3:.1f} ms: {size / took / 1e9:.1f} GB/s")
    table(
        f"weighted mean of {len(updates)} updates of {options.parameters:,} parameters",
        size,
        {
            "ours": lambda: weighted_mean(updates, weights),
            "Flower": lambda: flower(floats, weights),
            "floats, one buffer": lambda: buffered(floats, weights),
            "NumPy, integers": lambda: numpy_mean(updates, weights),
        },
    )
    size = sum(update.nbytes for update in few)
    table(
        f"median of {len(few)}",
        size,
        {"ours": lambda: median(few, ones), "NumPy (and Flower)": lambda: np.median(np.stack(few), axis=0)},
    )
    table(f"trimmed mean of {len(few)}", size, {"ours": lambda: trimmed_mean(few, ones, TRIM_SHARE)})
    table("parameter tree of one", updates[0].nbytes, {"ours": lambda: parameter_root(updates[0])})

    print("\nmemory beyond the inputs, in updates")
    for name, call in (
        ("weighted mean", lambda: weighted_mean(updates, weights)),
        ("median", lambda: median(few, ones)),
        ("trimmed mean", lambda: trimmed_mean(few, ones, TRIM_SHARE)),
    ):
        print(f"{name:<22}{peak_bytes(call) / updates[0].nbytes:10.1f}")


def read(updates: Updates) -> None:
    """Reads every byte once, on all cores."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(np.bitwise_or.reduce, updates))


def flower(updates: Sequence[NDArray[np.float32]], weights: Sequence[int]) -> NDArray[np.float32]:
    """As flwr.server.strategy.aggregate.aggregate, for models of one layer."""
    weighted = [update * weight for update, weight in zip(updates, weights)]
    return reduce(np.add, weighted) / sum(weights)


def buffered(updates: Sequence[NDArray[np.float32]], weights: Sequence[int]) -> NDArray[np.float32]:
    """The same sums without new arrays: the fastest loop over floats in NumPy that we know of."""
    mean, product = np.zeros_like(updates[0]), np.empty_like(updates[0])
    for update, weight in zip(updates, weights):
        np.multiply(update, np.float32(weight), out=product)
        np.add(mean, product, out=mean)
    return np.divide(mean, np.float32(sum(weights)), out=mean)


def numpy_mean(updates: Updates, weights: Sequence[int]) -> NDArray[np.int32]:
    """What `weighted_mean` returns, as one would write it with NumPy."""
    sums = np.zeros(len(updates[0]), dtype=np.int64)
    for update, weight in zip(updates, weights):
        sums += update.astype(np.int64) * weight
    return (sums // sum(weights)).astype(np.int32)


def fastest(call: Callable[[], object], repeats: int) -> float:
    """Seconds, after one call that does not count."""
    call()
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best


def peak_bytes(call: Callable[[], object]) -> int:
    """The most that NumPy and Python hold during the call, beyond what they held before."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


if __name__ == "__main__":
    main()
