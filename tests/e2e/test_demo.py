"""The demo as a user runs it: separate processes and keys, a real chain, real training, money to the wei."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from bcfl_client.experiments.federation import Client, Federation, Rules
from bcfl_client.experiments.scoring import task_score
from bcfl_client.learning.datasets import held_out_validation, load_dataset
from bcfl_client.learning.manifest import Hyperparameters
from bcfl_client.learning.models import build_model
from bcfl_client.learning.partitions import partition
from bcfl_client.learning.tree import parameter_root
from bcfl_client.scoring.validation_accuracy import ValidationScorer
from bcfl_client.terms import make_terms

from .conftest import run_demo

SMALL = ("--dataset", "digits", "--rounds", "2", "--trainers", "4", "--miners", "3")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The report of a small demo with seed 7."""
    return run_demo(tmp_path_factory.mktemp("first"), *SMALL, "--seed", "7")


def test_same_seed_same_model_and_every_wei_accounted_for(tmp_path: Path, first: dict[str, Any]) -> None:
    """Two runs with one seed end in the same model, whatever order their processes acted in; another seed does not."""
    again, other = (run_demo(tmp_path, *SMALL, "--seed", seed) for seed in ("7", "8"))
    assert first["final_model_root"] == again["final_model_root"] != other["final_model_root"]
    assert first["final_content_id"] == again["final_content_id"]

    totals = first["totals"]
    assert totals["paid_in_wei"] == totals["paid_out_wei"] + totals["burnt_wei"]
    assert totals["left_in_contracts_wei"] == totals["burnt_wei"] == 0
    assert totals["paid_out_wei"] == sum(one["paid_wei"] + one["refunded_wei"] for one in first["participants"])
    assert first["audit"] == {"ok": True, "differences": []}
    assert [one["role"] for one in first["participants"]] == ["publisher"] + ["trainer"] * 4 + ["miner"] * 3
    assert all(one["gas_used"] > 0 for one in first["participants"])
    assert len({one["address"] for one in first["participants"]}) == 8
    assert all(one["paid_wei"] > 0 for one in first["participants"] if one["role"] == "trainer")

    assert len(first["rounds"]) == len(first["transactions"]) == 2
    for one in first["rounds"]:
        assert one["updates"] == 4 and 0 < one["accuracy"] <= 1
        assert {"train", "commit", "reveal", "mine", "verify"} <= set(one["seconds"])
        assert {"commit", "reveal", "check", "seal", "propose", "open"} <= set(one["gas"])
    assert "minWindow 0 s (correctness rests on the miners' majority)" in first["output"]


def test_the_engine_makes_the_same_model(first: dict[str, Any]) -> None:
    """What eight processes and a chain have made in two rounds, the experiments' federation makes in one process, to
    the byte: training, weights, verdicts, scores and average are the same code."""
    whole = load_dataset("digits")
    dataset, held_out = held_out_validation(whole)
    model = build_model("2nn", dataset.input_shape, dataset.classes, seed=7)
    scorer = ValidationScorer(model, whole.train_images[held_out], whole.train_labels[held_out])
    terms = make_terms()
    rules = Rules(
        score=task_score(terms["scoring_rule"], terms["aggregation_rule"], 0, scorer.count, scorer.guessed),
        start_quality=terms["start_quality"],
        pay_score=terms["pay_score"],
        max_strikes=terms["max_strikes"],
    )
    parts = partition(dataset.train_labels, 4, "dirichlet:0.5", 7)
    clients = [Client(dataset.train_images[part], dataset.train_labels[part]) for part in parts]
    with Federation(model, clients, Hyperparameters(), rules, seed=7) as federation:
        for _ in range(2):
            federation.play_round()
        assert "0x" + parameter_root(federation.model).hex() == first["final_model_root"]


@pytest.mark.skipif("BCFL_DATA" not in os.environ, reason="BCFL_DATA does not name a folder with MNIST")
def test_mnist_is_learnt(tmp_path: Path) -> None:
    """Three rounds on MNIST, split by Dirichlet(0.5) over ten trainers, get past 90 % of the test images."""
    report = run_demo(tmp_path, "--rounds", "3")
    assert report["rounds"][-1]["accuracy"] > 0.9
    assert report["audit"]["ok"] and report["totals"]["left_in_contracts_wei"] == 0


def test_fast_blocks_are_timed(tmp_path: Path) -> None:
    """From the second round on a miner with a good record proposes without a vote; the saving is printed."""
    report = run_demo(tmp_path, "--dataset", "digits", "--rounds", "6", "--trainers", "3", "--fast")
    assert report["audit"]["ok"] and len(report["rounds"]) == 6
    assert "blocks with a vote" in report["output"] and "blocks without a vote" in report["output"]
    assert not any(one["slashed_wei"] for one in report["participants"] if one["role"] == "miner")
