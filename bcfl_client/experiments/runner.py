"""Runs an experiment: plays the cells that no earlier run has finished, then writes rows, figures and what they say."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bcfl_client.errors import ConfigError
from bcfl_client.experiments.catalogue import EXPERIMENTS
from bcfl_client.experiments.cells import run_seed
from bcfl_client.experiments.progress import CellProgress
from bcfl_client.experiments.results import (
    CellFiles,
    describe_dataset,
    require_folder,
    versions,
    write_csv,
    write_json,
)
from bcfl_client.experiments.workers import play_here, play_on_ray
from bcfl_client.learning.datasets import Dataset

__all__ = ["DEFAULT_DATASET", "RunSettings", "run_experiment"]

DEFAULT_DATASET = "mnist"
_MAX_RUNS, _MAX_WORKERS = 1000, 256


@dataclass(frozen=True)
class RunSettings:
    """One run of an experiment. `runs` repetitions, whose seeds follow from `seed`; files go to `out`.

    `workers` None is one per core; with `ray_address` the cells are Ray tasks. The same rows in any case. With `device`
    the clients of a cell train in one stack there, and rows differ by rounding. Raises ConfigError for what does not
    exist and for numbers out of range.
    """

    name: str
    out: Path
    setting: str | None = None
    runs: int = 20
    seed: int = 0
    workers: int | None = None
    ray_address: str | None = None
    device: str | None = None

    def __post_init__(self) -> None:
        if self.name not in EXPERIMENTS:
            raise ConfigError(f"unknown experiment {self.name!r}: known are {', '.join(EXPERIMENTS)}")
        known = EXPERIMENTS[self.name].settings
        if self.setting is not None and self.setting not in known:
            raise ConfigError(f"{self.name} has no setting {self.setting!r}: known are {', '.join(known)}")
        if not 1 <= self.runs <= _MAX_RUNS:
            raise ConfigError(f"--runs must be from 1 to {_MAX_RUNS}, not {self.runs}")
        if self.seed < 0:
            raise ConfigError("--seed is not negative")
        if self.workers is not None and not 1 <= self.workers <= _MAX_WORKERS:
            raise ConfigError(f"--workers must be from 1 to {_MAX_WORKERS}, not {self.workers}")
        if self.device is not None and not EXPERIMENTS[self.name].is_stackable:
            raise ConfigError(f"{self.name} has no rounds in which all clients train: leave out --device")
        if self.device is not None and (self.workers is not None or self.ray_address is not None):
            raise ConfigError("--device plays one cell after another in this process: no --workers, no --ray-address")

    def stem(self, dataset: str) -> str:
        """How this run's files begin: the experiment, then setting, data and device where they are not the default."""
        default = next(iter(EXPERIMENTS[self.name].settings))
        parts = [self.name, "" if self.setting in (None, default) else self.setting]
        parts += ["" if dataset == DEFAULT_DATASET else dataset, (self.device or "").replace(":", "")]
        return "-".join(part for part in parts if part)


def run_experiment(run: RunSettings, dataset: Dataset, say: Callable[[str], None]) -> dict[str, Any]:
    """Runs to the end and returns what is in the JSON file. May be killed and started again at any moment.

    Raises ConfigError when `out` cannot be written to, and the errors of the experiment.
    """
    experiment = EXPERIMENTS[run.name]
    name = run.setting or next(iter(experiment.settings))
    setting = experiment.settings[name]
    require_folder(run.out)
    seeds = [run_seed(run.seed, repetition) for repetition in range(run.runs)]
    cells, data = experiment.cells(setting, seeds), describe_dataset(dataset)
    if run.device is not None:
        cells = [replace(cell, values={**cell.values, "device": run.device}) for cell in cells]
    stem = run.stem(dataset.name)
    files = CellFiles(run.out / "cells" / stem, data)
    rows = {cell.key: found for cell in cells if (found := files.load(cell)) is not None}
    left = [cell for cell in cells if cell.key not in rows]
    if rows:
        say(f"{len(rows)} of {len(cells)} cells are there already, in {run.out / 'cells' / stem}")
    left.sort(key=lambda cell: -cell.cost)  # the long ones first, so that no core waits for one at the end
    start = time.monotonic()
    if left:
        with CellProgress(stem, len(left), sum(cell.cost for cell in left)) as progress:
            workers = 1 if experiment.is_timed or run.device else run.workers
            for cell, found in (
                play_on_ray(experiment.play, left, dataset, run.ray_address)
                if run.ray_address and not experiment.is_timed
                else play_here(experiment.play, left, dataset, workers)
            ):
                files.save(cell, found)
                rows[cell.key] = found
                progress.finished(cell.cost)
    seconds = time.monotonic() - start

    played = len({cell.values["run"] for cell in cells})  # not all that are asked for, where runs do not differ
    ordered = [{"dataset": dataset.name, **row} for cell in cells for row in rows[cell.key]]
    write_csv(run.out / f"{stem}.csv", ordered)
    findings = experiment.report(setting, ordered, run.out / stem)
    about = {
        "experiment": run.name,
        "setting": name,
        "settings": asdict(setting),
        "data": data,
        "device": run.device,
        "runs": played,
        "seed": run.seed,
        "seeds": seeds[:played],
        "versions": versions(),
        "played": {"cells": len(left), "seconds": round(seconds, 1)},
        "findings": findings,
    }
    write_json(run.out / f"{stem}.json", about)
    return about
