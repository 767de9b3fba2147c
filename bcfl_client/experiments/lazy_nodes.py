"""Fig. 4: nodes that copy a random upload of the round instead of training (BC-FL, section V-C); and the same with
commitments and the miners' verdicts, which the paper leaves to future research."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bcfl_client.budget import Budget
from bcfl_client.experiments.adversaries import Situation
from bcfl_client.experiments.cells import Cell, Experiment, Row
from bcfl_client.experiments.evaluation import Examples
from bcfl_client.experiments.federation import Client, Federation, PlayedRound, Rules
from bcfl_client.experiments.figures import Curve, Panel, draw
from bcfl_client.experiments.intervals import Estimate, describe_runs, estimate
from bcfl_client.experiments.resource_allocation import chosen_splits
from bcfl_client.experiments.settings import Learning
from bcfl_client.learning.datasets import Dataset
from bcfl_client.types import Verdict

__all__ = ["LAZY_NODES", "Laziness", "copy_an_upload"]


@dataclass(frozen=True)
class Laziness:
    """`lazy` of the nodes do not train. One budget, as in `resource-allocation`, with up to `points` values of K."""

    learning: Learning = field(default_factory=Learning)
    total: float = 200
    training_cost: float = 4
    block_cost: float = 2
    lazy: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    points: int = 8


def copy_an_upload(known: Situation) -> NDArray[np.int32]:
    """Hands in a random upload of others: of this round where they can be seen, else of the one before; before the
    first there is only the model itself."""
    if known.others:
        return known.others[int(known.random.choice(sorted(known.others)))]
    if known.earlier:
        uploads = known.earlier[-1].updates
        return uploads[int(known.random.integers(len(uploads)))]
    return known.start


def _cells(setting: Laziness, seeds: Sequence[int]) -> list[Cell]:
    budget = Budget(setting.total, setting.training_cost, setting.block_cost)
    cells = []
    for run, seed in enumerate(seeds):
        for defended in (0, 1):
            for lazy in setting.lazy:
                for split in chosen_splits(budget, setting.points):
                    values = {"learning": asdict(setting.learning), "run": run, "seed": seed, "defended": defended}
                    values |= {"lazy": lazy, **asdict(split)}
                    cost = split.rounds * split.epochs * (setting.learning.nodes - lazy)
                    key = f"run{run}-{'defended' if defended else 'paper'}-lazy{lazy}-rounds{split.rounds}"
                    cells.append(Cell(key, values, cost))
    return cells


def _play(values: Mapping[str, Any], dataset: Dataset) -> list[Row]:
    learning, seed, defended = Learning(**values["learning"]), values["seed"], bool(values["defended"])
    parts, model = learning.parts(dataset, seed), learning.build(dataset, seed)
    honest = len(parts) - values["lazy"]
    clients = [
        Client(part.images, part.labels)
        if seat < honest
        else Client(part.images, part.labels, attack=copy_an_upload, trains=False)
        for seat, part in enumerate(parts)
    ]
    rules = Rules(commit_reveal=defended, detect=defended)
    with Federation(
        model, clients, learning.hyper(values["epochs"]), rules, seed, device=values.get("device")
    ) as federation:
        played = [federation.play_round() for _ in range(values["rounds"])]
    tested = Examples(dataset.test_images, dataset.test_labels).measure(model, federation.model)
    return [
        {name: values[name] for name in ("run", "defended", "lazy", "rounds", "epochs")}
        | {"test_loss": tested.loss, "accuracy": tested.accuracy}
        | _caught(played, honest)
    ]


def _caught(played: Sequence[PlayedRound], honest: int) -> dict[str, Any]:
    """Uploads of both sorts, how many were rejected, and the lazy nodes' part of all that was paid."""
    verdicts = [(seat, verdict) for one in played for seat, verdict in one.verdicts.items()]
    paid = [(seat, one.weights[seat]) for one in played for seat in one.paid]
    total = sum(weight for _, weight in paid)
    return {
        "lazy_uploads": sum(seat >= honest for seat, _ in verdicts),
        "lazy_rejected": sum(seat >= honest and verdict != Verdict.OK for seat, verdict in verdicts),
        "honest_uploads": sum(seat < honest for seat, _ in verdicts),
        "honest_rejected": sum(seat < honest and verdict != Verdict.OK for seat, verdict in verdicts),
        "lazy_pay": sum(weight for seat, weight in paid if seat >= honest) / total if total else 0.0,
    }


def _report(setting: Laziness, rows: Sequence[Row], stem: Path) -> dict[str, Any]:
    caption = (
        f"{setting.learning}, T = {setting.total:g}, t_L = {setting.training_cost:g}, "
        f"t_B = {setting.block_cost:g}; {describe_runs(rows)}"
    )
    findings: dict[str, Any] = {}
    compared: dict[str, list[Curve]] = {"accuracy": [], "lazy_pay": []}
    for defended, name, title in (
        (0, "paper", "Lazy nodes copy a random upload of the round"),
        (1, "defended", "Lazy nodes against commitments and verdicts"),
    ):
        own = [row for row in rows if row["defended"] == defended]
        curves = {measure: [_curve(own, lazy, measure) for lazy in setting.lazy] for measure in _MEASURES}
        draw(
            stem if not defended else stem.with_name(f"{stem.name}-defended"),
            title,
            [
                Panel(
                    "Accuracy" if measure == "accuracy" else "Loss",
                    "communication rounds K",
                    _MEASURES[measure],
                    curves[measure],
                    "x",
                )
                for measure in _MEASURES
            ],
            caption,
        )
        best = [curve.best for curve in curves["accuracy"]]
        accuracy = [curve.y[place] for curve, place in zip(curves["accuracy"], best) if place is not None]
        pay = [estimate([row["lazy_pay"] for row in own if row["lazy"] == lazy]) for lazy in setting.lazy]
        label = "commitments and verdicts" if defended else "as in the paper"
        compared["accuracy"].append(Curve(label, setting.lazy, accuracy))
        compared["lazy_pay"].append(Curve(label, setting.lazy, pay))
        found = {kind: sum(row[kind] for row in own) for kind in _COUNTS}
        findings[name] = found | {
            "best": [
                {
                    "lazy": lazy,
                    "rounds_by_loss": loss.x[loss.best or 0],
                    "test_loss": loss.y[loss.best or 0].mean,
                    "rounds_by_accuracy": right.x[right.best or 0],
                    "accuracy": right.y[right.best or 0].mean,
                    "lazy_pay": paid.mean,
                }
                for lazy, loss, right, paid in zip(setting.lazy, curves["test_loss"], curves["accuracy"], pay)
            ]
        }
    draw(
        stem.with_name(f"{stem.name}-compared"),
        "What laziness costs the model and what it earns",
        [
            Panel("Accuracy at the best K", "lazy nodes", _MEASURES["accuracy"], compared["accuracy"]),
            Panel("Pay for no work", "lazy nodes", "lazy nodes' share of all pay", compared["lazy_pay"]),
        ],
        caption,
    )
    findings["table"] = _table(findings["paper"], findings["defended"])
    return findings


def _table(paper: Mapping[str, Any], defended: Mapping[str, Any]) -> dict[str, Any]:
    """One row for each number of lazy nodes: the paper's setting, then the defended one."""
    columns = ["lazy nodes"]
    for name in ("the paper's setting", "with commitments and verdicts"):
        columns += [f"{name}: K of the lowest loss", "loss", "K of the highest accuracy", "accuracy", "pay of the lazy"]
    rows = []
    for pair in zip(paper["best"], defended["best"]):
        row = [str(pair[0]["lazy"])]
        for one in pair:
            row += [str(one["rounds_by_loss"]), f"{one['test_loss']:.3f}"]
            row += [str(one["rounds_by_accuracy"]), f"{one['accuracy']:.3f}", f"{one['lazy_pay']:.0%}"]
        rows.append(row)
    return {"columns": columns, "rows": rows}


_MEASURES = {"test_loss": "cross-entropy on the test images", "accuracy": "share of test images classified correctly"}
_COUNTS = ("lazy_uploads", "lazy_rejected", "honest_uploads", "honest_rejected")


def _curve(rows: Sequence[Row], lazy: int, measure: str) -> Curve:
    own = [row for row in rows if row["lazy"] == lazy]
    rounds = sorted({row["rounds"] for row in own})
    values: list[Estimate] = [estimate([row[measure] for row in own if row["rounds"] == one]) for one in rounds]
    means = [one.mean for one in values]
    best = means.index(max(means) if measure == "accuracy" else min(means))
    return Curve(f"{lazy} lazy", rounds, values, best)


LAZY_NODES = Experiment(
    "Fig. 4: the same with lazy nodes, undisturbed and against commitments and verdicts",
    {"paper": Laziness(), "tau1": Laziness(training_cost=2)},
    _cells,
    _play,
    _report,
)
