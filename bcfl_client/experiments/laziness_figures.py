"""What `laziness` found: recall over noise, false alarms, accuracy beside lazy trainers, expected profit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bcfl_client.experiments.cells import Row
from bcfl_client.experiments.figures import Curve, Panel, draw
from bcfl_client.experiments.intervals import Estimate, describe_runs, estimate
from bcfl_client.terms import make_terms

__all__ = ["expected_profit", "report"]

_CASES = ("earlier update", "earlier model", "no update", "shared run")
_PROMISED = 0.1  # noise up to which copies are to be found
_SURE = 0.95


def report(setting: Any, rows: Sequence[Row], stem: Path) -> dict[str, Any]:
    """Draws recall against noise for each partition; returns counts, and what they mean in money."""
    draw(
        stem,
        "Updates without training that the miners find",
        [
            Panel(
                partition,
                "noise, in parts of the copied step",
                "share that is found",
                [
                    Curve(case, setting.noise, [_recall(rows, case, partition, noise) for noise in setting.noise])
                    for case in _CASES
                ],
            )
            for partition in setting.partitions
        ],
        f"{setting.learning.nodes} trainers, {setting.learning.samples} images each, {' and '.join(setting.models)}, "
        f"{setting.rounds} rounds; {describe_runs(rows)}",
    )
    tried = [row for row in rows if row["case"] in _CASES and row["noise"] <= _PROMISED]
    updates, found = sum(row["updates"] for row in tried), sum(row["rejected"] for row in tried)
    honest = [row for row in rows if row["case"] == "honest"]
    return {
        "promised_noise": _PROMISED,
        "recall": {
            case: {
                partition: _share([row for row in tried if (row["case"], row["partition"]) == (case, partition)])
                for partition in setting.partitions
            }
            for case in _CASES
        },
        "false_alarms": {
            partition: _share([row for row in honest if row["partition"] == partition])
            for partition in setting.partitions
        },
        "accuracy": {
            f"{model}, {partition}": {
                case: asdict(
                    estimate(
                        [
                            row["accuracy"]
                            for row in rows
                            if (row["case"], row["model"], row["partition"]) == (case, model, partition)
                        ]
                    )
                )
                for case in ("honest alone", "with lazy")
            }
            for model in setting.models
            for partition in setting.partitions
        },
        "profit": expected_profit(updates, found),
    }


def expected_profit(updates: int, found: int) -> dict[str, Any]:
    """What an update without training brings with the default terms, in wei, for an average trainer: its pay if it
    goes unnoticed, the penalty burnt if not. At the measured recall, and at the lowest that is likely (95 %)."""
    from scipy.stats import beta  # takes a second to import

    terms = make_terms()
    budget = terms["reward"] * (10_000 - terms["miner_share"]) // 10_000 // terms["rounds"]
    pay, penalty = budget // terms["trainer_slots"], terms["penalty"]
    least = float(beta.ppf(1 - _SURE, found, updates - found + 1)) if found else 0.0

    def profit(recall: float) -> float:
        return (1 - recall) * pay - recall * penalty

    return {
        "updates": updates,
        "found": found,
        "pay_wei": pay,
        "penalty_wei": penalty,
        "recall_of_no_profit": pay / (pay + penalty),
        "profit_wei": profit(found / updates),
        "least_recall": least,
        "most_profit_wei": profit(least),
    }


def _share(rows: Sequence[Row]) -> dict[str, Any]:
    updates, rejected = sum(row["updates"] for row in rows), sum(row["rejected"] for row in rows)
    return {"updates": updates, "rejected": rejected, "share": rejected / updates if updates else 0.0}


def _recall(rows: Sequence[Row], case: str, partition: str, noise: float) -> Estimate:
    """Over runs; all models together."""
    wanted = (case, partition, noise)
    own = [row for row in rows if (row["case"], row["partition"], row["noise"]) == wanted]
    return estimate([_share([row for row in own if row["run"] == run])["share"] for run in {row["run"] for row in own}])
