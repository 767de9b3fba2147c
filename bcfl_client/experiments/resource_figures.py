"""What `resource-allocation` found: the figures, the optimum of each line, BLADE-FL's bound, the planner's curve."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from bcfl_client.budget import Budget, Split
from bcfl_client.experiments.cells import Row
from bcfl_client.experiments.curves import fit_bound, fit_loss_curve
from bcfl_client.experiments.figures import Curve, Panel, draw
from bcfl_client.experiments.intervals import Estimate, describe_runs, estimate

__all__ = ["report"]

_START = math.log(10)  # the loss of a model that knows nothing of ten classes
_Line = tuple[float, float]
_Points = Mapping[Split, Mapping[str, Estimate]]


def report(setting: Any, rows: Sequence[Row], stem: Path) -> dict[str, Any]:
    """Draws loss and accuracy against K, and the bound against the training loss; returns the findings."""
    lines = {line: _points(rows, line) for line in setting.lines}
    caption = f"{setting.learning}, budget T = {setting.total:g}; {describe_runs(rows)}"
    second = "the paper's example: t_B = 1" if any(map(_is_example, setting.lines)) else ""
    draw(
        stem,
        "Rounds of communication against local training under one compute budget",
        [
            Panel(
                title,
                "communication rounds K",
                label,
                [_curve(line, lines[line], name, best) for line in lines],
                "x",
                second,
            )
            for title, label, name, best in (
                ("Loss", "cross-entropy on the test images", "test_loss", min),
                ("Accuracy", "share of test images classified correctly", "accuracy", max),
            )
        ],
        caption,
    )
    findings: dict[str, Any] = {"lines": []}
    panels: list[list[Curve]] = [[], []]
    for place, (line, points) in enumerate(lines.items()):
        splits, losses = list(points), [one["train_loss"].mean for one in points.values()]
        found = {
            "training_cost": line[0],
            "block_cost": line[1],
            "best_by_loss": _best(points, "test_loss", min),
            "best_by_accuracy": _best(points, "accuracy", max),
        }
        if len(splits) >= 4:
            bound = fit_bound(splits, losses, _START)
            promised = [bound.loss(split) for split in splits]
            gaps = [one - loss for one, loss in zip(promised, losses)]
            found["bound"] = asdict(bound) | {
                "convex": bound.is_convex(Budget(setting.total, *line)),
                "best": asdict(splits[int(np.argmin(promised))]),
                "measured_best": asdict(splits[int(np.argmin(losses))]),
                "mean_gap": float(np.mean(np.abs(gaps))),
                "largest_gap": float(np.max(np.abs(gaps))),
            }
            rounds = [split.rounds for split in splits]
            measured = [one["train_loss"] for one in points.values()]
            panels[0].append(Curve(_name(line), rounds, measured, int(np.argmin(losses)), colour=place))
            exact = [Estimate(one, math.nan) for one in promised]
            panels[0].append(Curve("", rounds, exact, int(np.argmin(promised)), dashed=True, colour=place))
            gap = [Estimate(one, points[split]["train_loss"].half) for one, split in zip(gaps, splits)]
            panels[1].append(Curve(_name(line), rounds, gap, colour=place))
        findings["lines"].append(found)
    draw(
        stem.with_name(f"{stem.name}-bound"),
        "BLADE-FL's bound, fitted by least squares to the measured training loss",
        [
            Panel("Training loss and bound", "communication rounds K", "cross-entropy", panels[0], "x", "bound"),
            Panel("Gap", "communication rounds K", "bound less measured loss", panels[1], "x"),
        ],
        caption,
    )
    everywhere = {split: one["train_loss"].mean for points in lines.values() for split, one in points.items()}
    if len(everywhere) >= 8:
        fitted = fit_loss_curve(list(everywhere), list(everywhere.values()), _START)
        misses = [fitted.loss(split) - loss for split, loss in everywhere.items()]
        findings["curve"] = asdict(fitted)
        findings["curve_error"] = float(np.sqrt(np.mean(np.square(misses))))
    findings["table"] = _table(findings["lines"])
    return findings


def _table(lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One row for each line of the figure."""
    columns = ["tau", "t_L", "t_B", "K with the lowest loss", "epochs", "test loss", "K with the highest accuracy"]
    columns += ["accuracy", "K of the bound's minimum", "mean gap of the bound"]
    rows = []
    for line in lines:
        training, block = line["training_cost"], line["block_cost"]
        loss, right, bound = line["best_by_loss"], line["best_by_accuracy"], line.get("bound")
        row = [f"{training / block:g}", f"{training:g}", f"{block:g}", str(loss["rounds"]), str(loss["epochs"])]
        row += [f"{loss['test_loss']:.3f}", str(right["rounds"]), f"{right['accuracy']:.3f}"]
        row += [str(bound["best"]["rounds"]), f"{bound['mean_gap']:.3f}"] if bound else ["", ""]
        rows.append(row)
    return {"columns": columns, "rows": rows}


def _points(rows: Sequence[Row], line: _Line) -> _Points:
    """Estimates of one line, by split, fewest rounds first."""
    own = [row for row in rows if (row["training_cost"], row["block_cost"]) == tuple(line)]
    splits = sorted({(row["rounds"], row["epochs"]) for row in own})
    return {
        Split(*split): {
            name: estimate([row[name] for row in own if (row["rounds"], row["epochs"]) == split])
            for name in ("train_loss", "test_loss", "accuracy")
        }
        for split in splits
    }


def _curve(line: _Line, points: _Points, name: str, best: Any) -> Curve:
    values = [one[name] for one in points.values()]
    means = [one.mean for one in values]
    return Curve(_name(line), [split.rounds for split in points], values, means.index(best(means)), dashed=line[1] == 1)


def _best(points: _Points, name: str, best: Any) -> dict[str, Any]:
    split = best(points, key=lambda split: points[split][name].mean)
    return asdict(split) | {name: points[split][name].mean}


def _is_example(line: _Line) -> bool:
    """The second reading: the paper's 15 epochs in each of 12 rounds need t_L = t_B = 1."""
    return line[1] == 1


def _name(line: _Line) -> str:
    training, block = line
    return f"tau = {training / block:g} (t_L = {training:g}, t_B = {block:g})"
