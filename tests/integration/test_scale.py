"""The experiment `scale` on a real chain: what it measures, and that its model meets it."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from bcfl_client.experiments import catalogue
from bcfl_client.experiments.runner import RunSettings, run_experiment
from bcfl_client.experiments.scale import SCALE, Scale
from bcfl_client.learning.datasets import load_dataset


def test_the_model_meets_what_was_not_fitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gas and calldata of 12 trainers, predicted from 3 to 8, within 1 %; beyond one task's slots there are several."""
    tiny = Scale(measured=(3, 5, 8, 12), modelled=(10, 128, 129, 10_000))
    monkeypatch.setitem(catalogue.EXPERIMENTS, "scale", replace(SCALE, settings={"tiny": tiny}))
    about = run_experiment(RunSettings("scale", tmp_path, runs=1), load_dataset("digits"), lambda text: None)
    check = about["findings"]["check"]
    assert check["trainers"] == 12
    assert all(abs(check[name]["error"]) < 0.01 for name in ("trainer_gas", "miner_gas", "calldata_bytes"))
    rows = list(csv.DictReader((tmp_path / "scale-digits.csv").read_text().splitlines()))
    assert [int(row["trainers"]) for row in rows] == [3, 5, 8, 12]
    # commit and reveal of the gas table, which `make gas` measures its own way
    assert all(70_000 < int(row["trainer_gas"]) / int(row["trainers"]) < 76_000 for row in rows)
    model = list(csv.DictReader((tmp_path / "scale-digits-model.csv").read_text().splitlines()))
    assert [int(row["tasks"]) for row in model] == [1, 1, 2, 79]
    assert float(model[3]["gas"]) > 75 * float(model[1]["gas"])
    assert float(model[3]["seconds"]) < 2 * float(model[1]["seconds"])
    assert (tmp_path / "scale-digits.svg").exists()
