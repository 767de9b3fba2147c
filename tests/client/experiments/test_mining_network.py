"""The event simulation of forks: none without delays, more with longer ones, and what each rule sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bcfl_client.aggregation import weighted_mean
from bcfl_client.experiments import catalogue
from bcfl_client.experiments.forking import FORKING, Forks
from bcfl_client.experiments.mining_network import Conditions, MiningNetwork, Outcome
from bcfl_client.experiments.runner import RunSettings, run_experiment
from bcfl_client.fork_choice import ForkRule
from bcfl_client.learning.datasets import Dataset
from tests.client.experiments.small import LEARNING

RULES = list(ForkRule)


def train(node: int, base: NDArray[np.int32], height: int) -> NDArray[np.int32]:
    """Every node pulls every coordinate its own way."""
    return base + np.int32(node + 1)


def combine(nodes: Sequence[int], updates: Sequence[NDArray[np.int32]]) -> NDArray[np.int32]:
    return weighted_mean(updates, [1] * len(updates))


def run(conditions: Conditions, rule: ForkRule = ForkRule.LONGEST, seed: int = 1, height: int = 30) -> Outcome:
    return MiningNetwork(conditions, rule, np.zeros(3, np.int32), train, combine, seed).run(height)


@pytest.mark.parametrize("rule", RULES)
def test_without_delay_nothing_forks_and_nothing_is_wasted(rule: ForkRule) -> None:
    """All train from one head and their updates are in the next block."""
    outcome = run(Conditions(6, 0.0, 0.5), rule)
    assert outcome.blocks == len(outcome.chain) == 30 and outcome.fork_rate == outcome.stale_share == 0
    assert all(block.inputs == tuple(range(6)) for block in outcome.chain) and outcome.unused_share == 0
    model = np.zeros(3, np.int32)
    for block in outcome.chain:
        model = combine(range(6), [train(node, model, 0) for node in range(6)])
        assert np.array_equal(block.model, model)


@pytest.mark.parametrize("rule", RULES)
def test_blocks_of_a_chain_follow_each_other(rule: ForkRule) -> None:
    """Heights and parents; inputs are updates of the parent, the miner's own among them."""
    outcome = run(Conditions(6, 1.0, 0.5), rule)
    assert [block.height for block in outcome.chain] == list(range(1, 31))
    assert [block.parent for block in outcome.chain] == [0, *(block.number for block in outcome.chain[:-1])]
    assert all(block.miner in block.inputs for block in outcome.chain)
    assert outcome.blocks > 30 and 0 < outcome.fork_rate <= 1


def test_forks_and_waste_grow_with_the_delay() -> None:
    """Averages over seeds: none, some, most."""
    for measure in ("fork_rate", "stale_share", "unused_share"):
        means = [
            np.mean([getattr(run(Conditions(6, delay, 0.5), seed=seed), measure) for seed in range(10)])
            for delay in (0.0, 0.3, 2.0)
        ]
        assert means[0] == 0 and 0.02 < means[1] < means[2] < 1, measure


def test_same_seed_same_run() -> None:
    """And another seed another one."""
    chains = [[block.miner for block in run(Conditions(6, 1.0, 0.5), seed=seed).chain] for seed in (1, 1, 2)]
    assert chains[0] == chains[1] != chains[2]


def test_a_partition_makes_two_branches_of_which_one_is_lost() -> None:
    """Both halves mine on; when the cut heals everybody follows one of them. Without a cut nothing forks."""
    whole = Conditions(6, 0.001, 0.1)
    assert run(whole).fork_rate == 0
    cut = run(replace(whole, split_from=3.0, split_to=20.0))
    assert cut.fork_rate > 0.2
    during = [block for block in cut.chain if len(block.inputs) == 3]
    sides = {node < 3 for block in during for node in block.inputs}
    assert len(during) >= 3 and len(sides) == 1  # the chain kept one half's blocks, made of that half's updates
    assert len(cut.chain[-1].inputs) == 6


def test_the_rule_decides_between_equally_high_blocks() -> None:
    """Same events until the first fork; then the distance rule prefers what is near to the node's own aggregate."""
    chains = {rule: [block.number for block in run(Conditions(6, 1.0, 0.5), rule).chain] for rule in RULES}
    assert len({tuple(chain) for chain in chains.values()}) == 3


def test_the_experiment_writes_all_measures(tmp_path: Path, digits: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both networks, three rules; accuracy suffers from delay."""
    tiny = Forks(LEARNING, height=4, epochs=1, delays=(0.01, 3.0), split_to=8.0)
    monkeypatch.setitem(catalogue.EXPERIMENTS, "forks", replace(FORKING, settings={"tiny": tiny}))
    found = run_experiment(RunSettings("forks", tmp_path, runs=2), digits, lambda text: None)["findings"]
    for network in ("connected", "partition"):
        for rule in ("longest chain", "highest reputation", "smallest distance"):
            assert found[network][rule]["stale_share"][1] > 0.2
            assert found[network][rule]["unused_share"][0] < found[network][rule]["unused_share"][1]
    assert (tmp_path / "forks-digits.csv").read_text().count("\n") == 1 + 2 * 2 * 2 * 3
    assert (tmp_path / "forks-digits-partition.svg").exists()
