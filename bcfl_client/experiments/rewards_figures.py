"""What `rewards` found: rank correlation of pay and contribution by scoring rule, and pay of split data sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bcfl_client.experiments.cells import Row
from bcfl_client.experiments.figures import Curve, Panel, draw
from bcfl_client.experiments.intervals import Estimate, describe_runs, estimate
from bcfl_client.scoring.rules import ScoringRule

__all__ = ["report"]


def report(setting: Any, rows: Sequence[Row], stem: Path) -> dict[str, Any]:
    """Draws correlations, pay of splits, and pay over contribution of the first run; returns the first two."""
    names = [ScoringRule(rule).name.lower().replace("_", " ") for rule in setting.rules]
    runs = sorted({row["run"] for row in rows})
    honest = [row for row in rows if not row["identities"]]
    ranks = {
        partition: [_spearman(honest, rule, partition, runs) for rule in setting.rules]
        for partition in setting.partitions
    }
    splits = {rule: _splits(rows, rule, setting, runs) for rule in setting.rules}
    learning = setting.learning
    caption = (
        f"{learning.nodes} trainers, {learning.samples} images each on average, {learning.model}, "
        f"{setting.rounds} rounds; {describe_runs(rows)}"
    )
    draw(
        stem,
        "Is pay fair?",
        [
            Panel(
                "Pay against the exact Shapley value",
                "scoring rule",
                "Spearman's rank correlation",
                [Curve(partition, range(len(names)), found) for partition, found in ranks.items()],
                ticks=names,
            ),
            Panel(
                f"One data set split over identities ({setting.split_partition})",
                "identities",
                "pay of all of them, unsplit = 1",
                [Curve(name, setting.identities, splits[rule]) for name, rule in zip(names, setting.rules)],
                "x",
            ),
        ],
        caption,
    )
    draw(
        stem.with_name(f"{stem.name}-pay"),
        "Pay and contribution of each trainer, first run",
        [
            Panel(
                partition,
                "exact Shapley value, share of test images summed over rounds",
                "share of all pay",
                [_scatter(honest, rule, name, partition) for name, rule in zip(names, setting.rules)],
            )
            for partition in setting.partitions
        ],
        caption,
    )
    return {
        "spearman": {
            partition: {name: asdict(one) for name, one in zip(names, found)} for partition, found in ranks.items()
        },
        "split_pay": {
            name: {str(count): asdict(one) for count, one in zip(setting.identities, splits[rule])}
            for name, rule in zip(names, setting.rules)
        },
        "table": {
            "columns": [
                "scoring rule",
                *(f"Spearman, {partition}" for partition in setting.partitions),
                *(f"pay of {count} identities" for count in setting.identities),
            ],
            "rows": [
                [
                    name,
                    *(f"{ranks[partition][place].mean:.2f}" for partition in setting.partitions),
                    *(f"{one.mean:.3f}" for one in splits[rule]),
                ]
                for place, (name, rule) in enumerate(zip(names, setting.rules))
            ],
        },
    }


def _spearman(rows: Sequence[Row], rule: int, partition: str, runs: Sequence[int]) -> Estimate:
    from scipy.stats import spearmanr  # takes a second to import

    found = []
    for run in runs:
        own = [row for row in rows if (row["run"], row["scoring"], row["partition"]) == (run, rule, partition)]
        pay = [row["pay"] for row in own]
        # Who pays all alike says nothing about them.
        alike = max(pay) == min(pay)
        found.append(0.0 if alike else float(spearmanr(pay, [row["shapley"] for row in own]).statistic))
    return estimate(found)


def _splits(rows: Sequence[Row], rule: int, setting: Any, runs: Sequence[int]) -> list[Estimate]:
    """Pay of all identities by their number, relative to that of the same data in one hand in the same run."""
    pay = {(row["run"], row["identities"]): row["pay"] for row in rows if row["scoring"] == rule and row["identities"]}
    return [estimate([pay[run, count] / pay[run, 1] for run in runs]) for count in setting.identities]


def _scatter(rows: Sequence[Row], rule: int, name: str, partition: str) -> Curve:
    own = [row for row in rows if (row["run"], row["scoring"], row["partition"]) == (0, rule, partition)]
    own.sort(key=lambda row: row["shapley"])
    return Curve(name, [row["shapley"] for row in own], [Estimate(row["pay"], float("nan")) for row in own])
