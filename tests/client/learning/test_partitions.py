"""Partitions: disjoint, complete, never empty, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcfl_client.errors import ConfigError
from bcfl_client.learning.partitions import partition

LABELS = np.random.default_rng(0).integers(0, 10, 6000, dtype=np.uint8)


@settings(max_examples=40, deadline=None)
@given(
    spec=st.sampled_from(["iid", "shards:1", "shards:2", "dirichlet:0.5", "dirichlet:100"]),
    clients=st.integers(1, 40),
    seed=st.integers(0, 2**64),
)
def test_covers_everything_once(spec: str, clients: int, seed: int) -> None:
    """Each sample belongs to exactly one client, each client has its minimum, and a repetition gives the same."""
    parts = partition(LABELS, clients, spec, seed)
    assert len(parts) == clients and min(map(len, parts)) >= 10
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(len(LABELS)))
    assert all(np.array_equal(a, b) for a, b in zip(parts, partition(LABELS, clients, spec, seed)))


def test_is_the_same_in_every_process_and_release() -> None:
    """A fixed value: two participants that name the same split hold the same samples."""
    first = partition(LABELS, 10, "dirichlet:0.5", 7)[0]
    assert (len(first), first[:4].tolist(), int(first.sum())) == (556, [2, 13, 27, 59], 1668105)


def test_iid_is_even_and_seeds_differ() -> None:
    """Equal parts whose classes are those of the whole, other seeds other parts."""
    parts = partition(LABELS, 10, "iid", 0)
    assert {len(part) for part in parts} == {600}
    assert all(np.bincount(LABELS[part], minlength=10).min() > 30 for part in parts)
    assert not np.array_equal(parts[0], partition(LABELS, 10, "iid", 1)[0])


def test_shards_give_few_classes() -> None:
    """Two shards hold at most four classes (each may straddle one border)."""
    assert max(len(np.unique(LABELS[part])) for part in partition(LABELS, 10, "shards:2", 0)) <= 4


def test_dirichlet_gets_more_unlike_with_a_smaller_parameter() -> None:
    """The largest class's share, averaged over clients, falls as the parameter grows."""

    def dominance(alpha: float) -> float:
        parts = partition(LABELS, 10, f"dirichlet:{alpha}", 0)
        return float(np.mean([np.bincount(LABELS[part]).max() / len(part) for part in parts]))

    assert dominance(0.1) > dominance(0.5) > dominance(10) > 0.1


@pytest.mark.parametrize(
    "spec",
    ["", "even", "iid:1", "shards", "shards:0", "shards:x", "shards:-1", "dirichlet", "dirichlet:nan", "dirichlet:0"],
)
def test_refuses_unknown_specs(spec: str) -> None:
    """Anything but the three forms is an error that quotes it."""
    with pytest.raises(ConfigError, match="partition"):
        partition(LABELS, 10, spec, 0)


def test_refuses_splits_that_cannot_be_done() -> None:
    """Too many clients, none at all, and a Dirichlet draw that always leaves somebody without data."""
    with pytest.raises(ConfigError, match="too few"):
        partition(LABELS[:99], 10, "iid", 0)
    with pytest.raises(ConfigError, match="0 clients"):
        partition(LABELS, 0, "iid", 0)
    with pytest.raises(ConfigError, match=r"dirichlet:0.001 .* larger value"):
        partition(LABELS, 50, "dirichlet:0.001", 0)
