"""Poisoning, rewards and laziness, small: from cells to figures, with findings that depend on what happened."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bcfl_client.experiments import catalogue
from bcfl_client.experiments.laziness import LAZINESS, Laziness
from bcfl_client.experiments.laziness_figures import expected_profit
from bcfl_client.experiments.poisoning import POISONING, Poisoning, adaptive_krum, attacking_seats
from bcfl_client.experiments.rewards import REWARDS, Rewards, split_part
from bcfl_client.experiments.runner import RunSettings, run_experiment
from bcfl_client.experiments.settings import Learning
from bcfl_client.learning.datasets import Dataset
from bcfl_client.learning.model import Samples
from bcfl_client.scoring.rules import ScoringRule
from bcfl_client.terms import make_terms

TRAINERS = Learning(nodes=10, samples=120, model="mlp:64", partition="iid", learning_rate=0.3, batch_size=8)


def run(
    name: str, tiny: object, digits: Dataset, out: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[dict[str, object], list[str]]:
    """Findings of one run, and the names of the figures."""
    whole = {"poisoning": POISONING, "rewards": REWARDS, "laziness": LAZINESS}[name]
    monkeypatch.setitem(catalogue.EXPERIMENTS, name, replace(whole, settings={"tiny": tiny}))
    run_experiment(RunSettings(name, out, runs=1), digits, lambda text: None)
    findings = json.loads((out / f"{name}-digits.json").read_text())["findings"]
    return findings, sorted(path.name for path in out.glob("*.svg"))


def test_poisoning(digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sign flips ruin the plain mean, not the recommended terms, under which the attackers are denied until they are
    out and earn next to nothing; without an attack nobody is out."""
    setting = Poisoning(TRAINERS, rounds=8, attackers=(2,), attacks=("sign flip x3", "label flip"))
    findings, figures = run("poisoning", setting, digits, tmp_path, monkeypatch)
    assert figures == ["poisoning-digits-pay.svg", "poisoning-digits-rounds.svg", "poisoning-digits.svg"]
    cases = {(case["defence"], case["attack"]): case for case in findings["cases"]}  # type: ignore[attr-defined]
    assert len(cases) == 4 * 3
    assert cases["plain mean", "sign flip x3"]["drop_points"] > 20
    for attack in setting.attacks:
        robust = cases["recommended", attack]
        assert robust["drop_points"] < 10
        assert robust["attackers_pay"]["mean"] < 0.1 and robust["attackers_denied"]["mean"] == 6
    assert cases["recommended", "none"]["honest_out"]["mean"] == 0
    assert cases["robust rule alone", "label flip"]["attackers_pay"]["mean"] == pytest.approx(1)


@pytest.mark.parametrize(("updates", "outliers"), [(1, 0), (2, 0), (4, 0), (7, 2), (10, 3)])
def test_multi_krum_leaves_out_as_many_as_it_can(updates: int, outliers: int) -> None:
    """Those far away from all others: three of ten, fewer of fewer."""
    rows = [np.array([10 * i, 1000], dtype=np.int32) for i in range(updates - outliers)]
    far = [np.array([10**6 * (i + 1), -(10**6)], dtype=np.int32) for i in range(outliers)]
    mean = np.array([10 * (updates - outliers - 1) // 2, 1000])
    assert np.array_equal(adaptive_krum([*far, *rows], [1] * updates), mean)


def test_attackers_hold_their_part_of_the_samples() -> None:
    """Whoever they are: a fifth of ten attack with a fifth of the weight, and nobody attacks without attackers."""
    assert attacking_seats([10, 30, 20, 15, 5], 2) == (0, 2)  # 30 of 80, for 32
    assert attacking_seats([100, 10, 10, 10, 70], 1) == (1,)  # 10 of 200, for 40
    assert attacking_seats([5, 5], 0) == ()


def _last(digits: Dataset, defence: str, attack: str, attackers: int) -> dict[str, float]:
    """The last of ten rounds of ten trainers with all of the digits."""
    setting = Poisoning(replace(TRAINERS, samples=None), rounds=10, attackers=(attackers,))
    cells = {(one.values["defence"], one.values["attack"]): one for one in POISONING.cells(setting, [0])}
    cell = cells[defence, attack]
    return POISONING.play(cell.values, digits)[-1]


@pytest.fixture(scope="module")
def undisturbed(digits: Dataset) -> float:
    """Accuracy of the plain mean without attackers."""
    return _last(digits, "plain mean", "none", 0)["accuracy"]


@pytest.mark.parametrize("attackers", [2, 3])
@pytest.mark.parametrize("attack", ["label flip", "sign flip x3", "Gaussian x3"])
def test_C01_crude_attacks_fail_and_earn_little(
    digits: Dataset, undisturbed: float, attack: str, attackers: int
) -> None:
    """At most four points of accuracy; every attacker is denied until it is out."""
    found = _last(digits, "recommended", attack, attackers)
    assert found["accuracy"] > undisturbed - 0.04
    assert found["attackers_denied"] == 3 * attackers and found["attackers_pay"] < 0.2
    assert found["honest_out"] == 0


@pytest.mark.parametrize("attackers", [2, 3])
@pytest.mark.parametrize("attack", ["ALIE", "inner product 0.5", "inner product 100", "min-max"])
def test_C02_subtle_attacks_fail(digits: Dataset, undisturbed: float, attack: str, attackers: int) -> None:
    """At most four points of accuracy, whether or not they are told from honest work; steps backwards earn nothing."""
    found = _last(digits, "recommended", attack, attackers)
    assert found["accuracy"] > undisturbed - 0.04
    if attack.startswith("inner product"):
        assert found["attackers_pay"] == 0


def test_C02_the_plain_mean_fails(digits: Dataset, undisturbed: float) -> None:
    """The control: without a robust rule large steps backwards ruin the model."""
    assert _last(digits, "plain mean", "inner product 100", 2)["accuracy"] < 0.3
    assert _last(digits, "plain mean", "sign flip x3", 3)["accuracy"] < 0.3


def test_C03_a_backdoor_does_not_get_in(digits: Dataset, undisturbed: float) -> None:
    """Under a plain mean the trigger works; under the recommended terms it does not, and accuracy stays."""
    assert _last(digits, "plain mean", "backdoor x5", 2)["backdoor"] > 0.9
    for attack in ("backdoor x5", "backdoor x5, clipped"):
        found = _last(digits, "recommended", attack, 2)
        assert found["backdoor"] < 0.05 and found["accuracy"] > undisturbed - 0.04, attack


def test_rewards(digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where labels are wrong to a growing extent, accuracy and Shapley scores pay in that order, data size does not
    see it; data in one hand or two earn the same by size."""
    setting = Rewards(
        replace(TRAINERS, nodes=6, samples=200),
        rounds=4,
        partitions=("label noise",),
        split_partition="iid",
        rules=(ScoringRule.VALIDATION_ACCURACY, ScoringRule.DATA_SIZE, ScoringRule.SHAPLEY),
        identities=(1, 2),
    )
    findings, figures = run("rewards", setting, digits, tmp_path, monkeypatch)
    assert figures == ["rewards-digits-pay.svg", "rewards-digits.svg"]
    ranks = {rule: one["mean"] for rule, one in findings["spearman"]["label noise"].items()}  # type: ignore[index]
    assert ranks["shapley"] > 0.7 and ranks["validation accuracy"] > 0.7 and ranks["data size"] == 0
    assert findings["split_pay"]["data size"]["2"]["mean"] == pytest.approx(1, abs=1e-9)  # type: ignore[index]


def test_laziness(digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also with much noise everything is found and nobody blamed; of a model too small for a pattern much noise
    hides copies."""
    setting = Laziness(
        replace(TRAINERS, samples=None),
        rounds=3,
        models=("mlp:64",),
        partitions=("iid", "dirichlet:0.5"),
        noise=(0.0, 0.1, 0.5),
    )
    findings, figures = run("laziness", setting, digits, tmp_path, monkeypatch)
    assert figures == ["laziness-digits.svg"]
    for partition in setting.partitions:
        assert findings["false_alarms"][partition] == {"updates": 30, "rejected": 0, "share": 0.0}  # type: ignore[index]
        for case, found in findings["recall"].items():  # type: ignore[attr-defined]
            assert found[partition] == {"updates": 8, "rejected": 8, "share": 1.0}, (case, partition)
    tiny = replace(setting, models=("mlp:8",), partitions=("iid",))
    for of, expected in ((setting, 4), (tiny, 0)):
        rows = LAZINESS.play(LAZINESS.cells(of, [0])[0].values, digits)
        much = {row["case"]: row["rejected"] for row in rows if row["noise"] == 0.5}
        assert set(much) == {"earlier update", "earlier model", "no update", "shared run"}
        assert all(count == expected for count in much.values()), (of.models, much)


def test_expected_profit_by_hand() -> None:
    """A missed copy earns an average trainer's round, a found one costs the penalty."""
    terms = make_terms()
    pay = terms["reward"] * 8 // 10 // 10 // 10
    assert expected_profit(1000, 1000)["profit_wei"] == -terms["penalty"]
    assert expected_profit(4, 3)["profit_wei"] == pay / 4 - 3 * terms["penalty"] / 4
    assert expected_profit(100, 100)["least_recall"] == pytest.approx(0.05 ** (1 / 100))
    assert expected_profit(10_000, 10_000)["most_profit_wei"] < 0 < expected_profit(100, 100)["most_profit_wei"]


def test_splitting_shares_out_all_of_the_data() -> None:
    part = Samples(np.arange(10, dtype=np.uint8).reshape(10, 1, 1), np.arange(10, dtype=np.uint8))
    shares = split_part(part, 4, np.random.default_rng(0))
    assert [len(one.labels) for one in shares] == [3, 3, 2, 2]
    assert sorted(np.concatenate([one.labels for one in shares])) == list(range(10))
    assert all(np.array_equal(one.images.ravel(), one.labels) for one in shares)
