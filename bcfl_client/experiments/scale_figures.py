"""The model of `scale`: curves through what was measured for one task, and several tasks beyond its slots."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bcfl_client.experiments.cells import Row
from bcfl_client.experiments.figures import Curve, Panel, draw
from bcfl_client.experiments.intervals import Estimate, describe_runs, estimate
from bcfl_client.experiments.results import write_csv

__all__ = ["SLOTS", "Cost", "report"]

SLOTS = 128  # trainers of one task at most

_FITTED = ("trainer_gas", "miner_gas", "calldata_bytes", "chain_seconds", "miner_seconds")
_OF_PAIRS = "miner_seconds"  # verdicts compare every update with every other


@dataclass(frozen=True)
class Cost:
    """`fixed` for a task, `each` for one of its trainers, `squared` times their number squared."""

    fixed: float
    each: float
    squared: float = 0.0

    def at(self, trainers: float) -> float:
        """Of one task."""
        return self.fixed + self.each * trainers + self.squared * trainers**2

    def total(self, trainers: int) -> float:
        """Of all tasks that so many trainers need, which share them evenly."""
        tasks = math.ceil(trainers / SLOTS)
        return tasks * self.at(trainers / tasks)


def report(setting: Any, rows: Sequence[Row], stem: Path) -> dict[str, Any]:
    """Fits costs to all measured sizes but the largest, predicts that one, extends them; draws and writes the model."""
    counts = sorted({row["trainers"] for row in rows})
    fitted, checked = counts[:-1], counts[-1]
    costs = {name: _fit(fitted, [_mean(rows, count, name) for count in fitted], name == _OF_PAIRS) for name in _FITTED}
    check = {
        name: {
            "measured": _mean(rows, checked, name),
            "modelled": cost.at(checked),
            "error": cost.at(checked) / _mean(rows, checked, name) - 1,
        }
        for name, cost in costs.items()
    }
    update, training = rows[0]["update_bytes"], float(np.mean([row["training_seconds"] for row in rows]))
    model = [_modelled(costs, count, setting.miners, update, training) for count in setting.modelled]
    write_csv(stem.with_name(f"{stem.name}-model.csv"), model)
    _draw(rows, counts, model, update, stem)
    return {
        "costs": {name: asdict(cost) for name, cost in costs.items()},
        "check": {"trainers": checked, **check},
        "model": model,
        "table": _table(model),
    }


def _table(model: Sequence[Row]) -> dict[str, Any]:
    """One row for each number of trainers."""
    columns = ["trainers", "tasks", "gas", "calldata", "moved to and from stores", "s, a chain for each task"]
    columns.append("s, one chain for all")
    rows = [
        [
            f"{row['trainers']:,}",
            str(row["tasks"]),
            f"{row['gas'] / 1e6:,.1f} M",
            f"{row['calldata_bytes'] / 1e3:,.0f} kB",
            f"{row['moved_bytes'] / 1e6:,.0f} MB",
            f"{row['seconds']:.1f}",
            f"{row['seconds_with_one_chain']:.1f}",
        ]
        for row in model
    ]
    return {"columns": columns, "rows": rows}


def _modelled(costs: dict[str, Cost], count: int, miners: int, update: int, training: float) -> Row:
    """A round of all tasks side by side, each with miners of its own: gas and bytes add up, seconds do not."""
    tasks = math.ceil(count / SLOTS)
    largest = math.ceil(count / tasks)
    return {
        "trainers": count,
        "tasks": tasks,
        "gas": costs["trainer_gas"].total(count) + costs["miner_gas"].total(count),
        "calldata_bytes": costs["calldata_bytes"].total(count),
        "stored_bytes": _stored(count, tasks, update),
        "moved_bytes": _moved(count, tasks, miners, update),
        "seconds": training + costs["miner_seconds"].at(largest) + costs["chain_seconds"].at(largest),
        "seconds_with_one_chain": training + costs["miner_seconds"].at(largest) + costs["chain_seconds"].total(count),
    }


def _stored(trainers: int, tasks: int, update: int) -> int:
    """Every update once, every aggregate once: a content store keeps equal bytes once."""
    return (trainers + tasks) * update


def _moved(trainers: int, tasks: int, miners: int, update: int) -> int:
    """Trainers fetch the model and send an update; miners fetch every update of their task and send the aggregate."""
    return (2 * trainers + miners * trainers + miners * tasks) * update


def _draw(rows: Sequence[Row], counts: Sequence[int], model: Sequence[Row], update: int, stem: Path) -> None:
    trainers = [row["trainers"] for row in model]
    miners = rows[0]["miners"]

    def measured(value: Any) -> list[Estimate]:
        return [estimate([value(row) for row in rows if row["trainers"] == count]) for count in counts]

    def modelled(name: str) -> list[Estimate]:
        return [Estimate(row[name], math.nan) for row in model]

    def pair(label: str, value: Any, name: str, place: int) -> list[Curve]:
        return [
            Curve(label, counts, measured(value), colour=place),
            Curve("", trainers, modelled(name), dashed=True, colour=place),
        ]

    draw(
        stem,
        "A round with 10 to 10,000 trainers",
        [
            Panel(
                "Gas",
                "trainers",
                "gas of all transactions",
                pair("on Anvil", _gas, "gas", 0),
                "xy",
                "modelled",
            ),
            Panel(
                "Gas per trainer",
                "trainers",
                "gas of all transactions / trainers",
                [
                    Curve("on Anvil", counts, measured(lambda row: _gas(row) / row["trainers"])),
                    Curve(
                        "", trainers, [Estimate(row["gas"] / row["trainers"], math.nan) for row in model], None, True, 0
                    ),
                ],
                "x",
                "modelled",
            ),
            Panel(
                "Bytes",
                "trainers",
                "bytes",
                [
                    *pair("calldata", lambda row: row["calldata_bytes"], "calldata_bytes", 0),
                    *pair(
                        "moved to and from stores",
                        lambda row: _moved(row["trainers"], 1, miners, update),
                        "moved_bytes",
                        1,
                    ),
                ],
                "xy",
                "modelled",
            ),
            Panel(
                "Time",
                "trainers",
                "seconds",
                [
                    *pair("a round", _seconds, "seconds", 0),
                    Curve("modelled, one chain for all", trainers, modelled("seconds_with_one_chain"), None, True, 1),
                    Curve("chain part, on Anvil", counts, measured(lambda row: row["chain_seconds"]), colour=2),
                    Curve("a miner's work", counts, measured(lambda row: row["miner_seconds"]), colour=3),
                ],
                "xy",
                "modelled, a chain for each task",
            ),
        ],
        f"{miners} miners a task, at most {SLOTS} trainers a task; updates of {update:,} bytes; {describe_runs(rows)}",
    )


def _gas(row: Row) -> float:
    return float(row["trainer_gas"] + row["miner_gas"])


def _seconds(row: Row) -> float:
    return float(row["training_seconds"] + row["miner_seconds"] + row["chain_seconds"])


def _fit(counts: Sequence[int], values: Sequence[float], of_pairs: bool) -> Cost:
    """By least squares. Nothing costs less than nothing, though noise in small times may look so."""
    from scipy.optimize import nnls  # takes a second to import

    found, _ = nnls(np.vander(counts, 3 if of_pairs else 2, increasing=True).astype(np.float64), np.array(values))
    return Cost(*(float(one) for one in found))


def _mean(rows: Sequence[Row], count: int, name: str) -> float:
    return float(np.mean([row[name] for row in rows if row["trainers"] == count]))
