"""What docs/experiments.md says of the figures is in the rows that it shows them from."""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bcfl_client.budget import MEASURED, Budget, LossCurve
from bcfl_client.experiments.catalogue import EXPERIMENTS
from bcfl_client.experiments.resource_allocation import chosen_splits

DOCS = Path(__file__).resolve().parents[3] / "docs"
TEXT = (DOCS / "experiments.md").read_text()
FIGURES = DOCS / "figures"


def means(name: str, keys: tuple[str, ...], measure: str, **only: str) -> dict[tuple[float, ...], float]:
    """The mean of a column over runs, by the values of other columns."""
    values: dict[tuple[float, ...], list[float]] = defaultdict(list)
    with (FIGURES / f"{name}.csv").open() as file:
        for row in csv.DictReader(file):
            if all(row[column] == value for column, value in only.items()):
                values[tuple(float(row[key]) for key in keys)].append(float(row[measure]))
    return {key: float(np.mean(found)) for key, found in values.items()}


def findings(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FIGURES / f"{name}.json").read_text())["findings"]
    return found


def test_every_experiment_is_documented_with_its_figures() -> None:
    """A section, a filled block, figures that exist; all of them together stay small."""
    for name in EXPERIMENTS:
        block = re.search(f"<!-- {name} -->(.*)<!-- /{name} -->", TEXT, flags=re.S)
        assert block is not None and f"## {name}:" in TEXT, name
        assert f"](figures/{name}.png)" in block[1] and f"](figures/{name}.csv)" in block[1], name
    assert sum(path.stat().st_size for path in FIGURES.iterdir()) < 2_500_000


def test_fig_3_has_an_optimum_for_each_tau_at_fewer_rounds_the_dearer_training_is() -> None:
    """Minima between the extremes; one round is the worst; both readings of the paper's example are there."""
    losses = means("resource-allocation", ("block_cost", "tau", "rounds"), "test_loss")
    best = []
    for tau in (0.5, 1, 2, 4):
        line = {rounds: loss for (block, ratio, rounds), loss in losses.items() if (block, ratio) == (2, tau)}
        best.append(min(line, key=lambda rounds: line[rounds]))
        assert len(line) >= 8 and min(line) < best[-1] < max(line)
        assert line[1] == max(line.values())
    assert best == sorted(best, reverse=True) and best[0] > best[-1]
    epochs = means("resource-allocation", ("training_cost", "block_cost", "rounds"), "epochs")
    assert epochs[2, 2, 12] == 7 and epochs[1, 1, 12] == 15


@pytest.mark.parametrize("name", ["resource-allocation", "resource-allocation-blade"])
def test_the_bound_is_convex_and_near_what_was_measured(name: str) -> None:
    """For every line; its mean gap is small beside the range of the losses."""
    for line in findings(name)["lines"]:
        bound = line["bound"]
        assert bound["convex"] and bound["mean_gap"] < 0.2
        assert 1 < bound["best"]["rounds"] <= bound["measured_best"]["rounds"] + 1


def test_the_planners_curve_is_that_of_the_figure() -> None:
    """What `bcfl plan` expects without a file agrees with the last fit, and recommends what was measured as best."""
    fitted = LossCurve(**findings("resource-allocation")["curve"])
    losses = means("resource-allocation", ("training_cost", "block_cost", "rounds"), "train_loss")
    for cost in (1, 2, 4, 8):
        budget = Budget(200, cost, 2)
        for split in chosen_splits(budget):
            if split.rounds > 1:
                assert MEASURED.loss(split) == pytest.approx(fitted.loss(split), abs=0.06)
        line = [losses[cost, 2, split.rounds] for split in chosen_splits(budget)]
        nearest = min(chosen_splits(budget), key=lambda split: abs(split.rounds - MEASURED.best(budget).rounds))
        assert losses[cost, 2, nearest.rounds] - min(line) < 0.05


def test_fig_4_gets_worse_with_every_second_lazy_node_and_copies_are_found() -> None:
    """Loss and accuracy at the best K; with commitments and verdicts all copies and no honest update are rejected."""
    for defended in "01":
        best = []
        for lazy in (0, 2, 4, 6):
            loss = means("lazy-nodes", ("rounds",), "test_loss", defended=defended, lazy=str(lazy))
            right = means("lazy-nodes", ("rounds",), "accuracy", defended=defended, lazy=str(lazy))
            best.append((min(loss.values()), -max(right.values())))
            assert min(loss, key=lambda rounds: loss[rounds]) > (1,)
        assert best == sorted(best) and [one[1] for one in best] == sorted(one[1] for one in best)
    found = findings("lazy-nodes")
    defended_found = found["defended"]
    assert defended_found["lazy_rejected"] >= 0.99 * defended_found["lazy_uploads"] > 0
    assert defended_found["honest_rejected"] <= 0.01 * defended_found["honest_uploads"]
    assert all(one["lazy_pay"] < 0.01 for one in defended_found["best"])
    for plain, safe in zip(found["paper"]["best"], defended_found["best"], strict=True):
        assert plain["lazy_pay"] == pytest.approx(plain["lazy"] / 10)
        assert safe["accuracy"] > plain["accuracy"] - 0.01


def test_forks_grow_with_delay_and_the_papers_rules_waste_less_training() -> None:
    """Waste rises under each rule; at medium delays less training goes unused under reputation and distance."""
    found = findings("forking")
    delays = found["delays"]
    for network in ("connected", "partition"):
        for measures in found[network].values():
            for measure in ("fork_rate", "stale_share", "unused_share"):
                assert measures[measure][0] < 0.3 < 0.4 < measures[measure][-1]
            assert measures["accuracy"][0] > measures["accuracy"][-1] + 0.1
    middle = [place for place, delay in enumerate(delays) if 0.1 <= delay <= 0.5]
    for network in ("connected", "partition"):
        unused = {rule: np.mean([one["unused_share"][i] for i in middle]) for rule, one in found[network].items()}
        assert unused["highest reputation"] < unused["longest chain"] - 0.03 > unused["smallest distance"]


def test_scale_is_predicted() -> None:
    """Gas and calldata of the largest measured task within 1 %, seconds within a fifth; ten thousand trainers are 79
    tasks."""
    found = findings("scale")
    limits = dict.fromkeys(("trainer_gas", "miner_gas", "calldata_bytes"), 0.01)
    limits |= {"chain_seconds": 0.2, "miner_seconds": 0.2}
    assert all(abs(found["check"][name]["error"]) < limit for name, limit in limits.items())
    assert found["model"][-1]["trainers"] == 10_000 and found["model"][-1]["tasks"] == 79


@pytest.mark.parametrize("name", ["poisoning", "poisoning-fashion-mnist"])
def test_attacks_fail_and_earn_next_to_nothing_under_the_recommended_terms(name: str) -> None:
    """The control fails; who is told from honest work earns nothing; the robust rule alone holds what it holds, and
    costs at most a point without attack."""
    adaptive = {"backdoor x5, clipped", "ALIE, signs by lot"}  # paid, and harmless
    cases = {(case["defence"], case["attack"], case["attackers"]): case for case in findings(name)["cases"]}
    assert cases["plain mean", "sign flip x3", 2]["accuracy"]["mean"] < 0.3
    most = {("recommended", 2): 4, ("recommended", 3): 6, ("robust rule alone", 2): 4, ("robust rule alone", 3): 16}
    for (defence, attack, attackers), case in cases.items():
        if defence in ("recommended", "robust rule alone"):
            limit = 1 if attack == "none" else most[defence, attackers]
            assert case["drop_points"] <= limit, (defence, attack, attackers)
        if defence == "recommended":
            assert case["backdoor"]["mean"] <= 0.05, attack
            assert (case["attackers_pay"]["mean"] > 0.05) == (attack in adaptive), attack


def test_pay_follows_contribution_and_splitting_earns_nothing() -> None:
    """The former under the Shapley rule in every partition, the latter under every rule."""
    found = findings("rewards")
    for partition, ranks in found["spearman"].items():
        assert ranks["shapley"]["mean"] >= 0.8, partition
    for rule, pay in found["split_pay"].items():
        assert all(one["mean"] < 1.05 for one in pay.values()), rule


def test_every_copy_is_found_and_nobody_else() -> None:
    """With noise up to a tenth of the step."""
    found = findings("laziness")
    assert all(one["rejected"] == 0 for one in found["false_alarms"].values())
    for case, partitions in found["recall"].items():
        assert all(one["share"] == 1 for one in partitions.values()), case
