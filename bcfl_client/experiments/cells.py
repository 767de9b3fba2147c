"""An experiment is a list of cells: one setting and one repetition each, played on its own, in any order, anywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bcfl_client.learning.datasets import Dataset

__all__ = ["Cell", "Experiment", "Row", "run_seed"]

Row = dict[str, Any]
"""One line of the CSV: numbers and short texts by column, the same columns in every row of an experiment."""


@dataclass(frozen=True)
class Cell:
    """`key` names it among the cells of its experiment, as a file name; `values` (JSON), among them the number of its
    `run`, with the data set decide its rows, and may name the `device` that clients train on; `cost` is how long it
    takes beside the others, in any one unit."""

    key: str
    values: Mapping[str, Any]
    cost: float = 1.0


@dataclass(frozen=True)
class Experiment:
    """What `bcfl experiment NAME` runs. To add one: a file that defines it and an entry in `catalogue.py`.

    `settings` are frozen dataclasses by name, the first of them the default. `cells` lists the cells of a setting for
    the seeds of its repetitions; `play` gives a cell's rows; `report` draws figures of all rows into files that begin
    with a path, and returns what was found, as JSON, for the results file: whatever it likes, and perhaps a `table` of
    texts (`columns`, `rows`) that is shown at the end and in the documentation. A timed one plays one cell after
    another in this process: cells side by side would slow each other down. A stackable one's clients train in
    common rounds, and can do so on a device of torch.
    """

    brief: str
    settings: Mapping[str, Any]
    cells: Callable[[Any, Sequence[int]], list[Cell]]
    play: Callable[[Mapping[str, Any], Dataset], list[Row]]
    report: Callable[[Any, Sequence[Row], Path], dict[str, Any]]
    is_timed: bool = False
    is_stackable: bool = True


def run_seed(seed: int, repetition: int) -> int:
    """The seed of one repetition: the same for every setting, so that settings differ in nothing else."""
    return int(np.random.SeedSequence([seed, repetition]).generate_state(1)[0])
