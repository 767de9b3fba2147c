"""Forks: what they cost under the longest chain, the highest reputation and the smallest distance, which the paper
only proposes (BC-FL, section IV-C)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bcfl_client.aggregation import weighted_mean
from bcfl_client.experiments.cells import Cell, Experiment, Row
from bcfl_client.experiments.evaluation import Examples
from bcfl_client.experiments.figures import Curve, Panel, draw
from bcfl_client.experiments.intervals import describe_runs, estimate
from bcfl_client.experiments.mining_network import Conditions, MiningNetwork
from bcfl_client.experiments.settings import Learning
from bcfl_client.fork_choice import ForkRule
from bcfl_client.learning.datasets import Dataset
from bcfl_client.learning.encoding import encode_model
from bcfl_client.learning.training import LocalTrainer

__all__ = ["FORKING", "Forks"]

_RULES = {"longest chain": "longest", "highest reputation": "reputation", "smallest distance": "distance"}
_MEASURES = {
    "fork_rate": ("Forks", "share of heights with more than one block"),
    "stale_share": ("Wasted mining", "share of blocks that are not on the chain"),
    "unused_share": ("Wasted training", "share of updates in no block of the chain"),
    "accuracy": ("Accuracy", "share of test images classified correctly"),
}


@dataclass(frozen=True)
class Forks:
    """A chain of `height` blocks. `delays` and `training` are in mean times between blocks; in the second figure the
    network is cut into halves from `split_from` to `split_to`, in the same unit."""

    learning: Learning = field(default_factory=lambda: Learning(learning_rate=0.05))
    height: int = 15
    epochs: int = 2
    delays: tuple[float, ...] = (0.01, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
    training: float = 0.5
    split_from: float = 5.0
    split_to: float = 15.0


def _cells(setting: Forks, seeds: Sequence[int]) -> list[Cell]:
    fixed = {"learning": asdict(setting.learning), "height": setting.height, "epochs": setting.epochs}
    fixed |= {"training": setting.training}
    cells = []
    for run, seed in enumerate(seeds):
        for split in (0, 1):
            window = {"split_from": setting.split_from, "split_to": setting.split_to} if split else {}
            for delay in setting.delays:
                for rule in _RULES.values():
                    values = {"run": run, "seed": seed, "split": split, "window": window, "delay": delay, "rule": rule}
                    cells.append(Cell(f"run{run}-split{split}-delay{delay:g}-{rule}", fixed | values, 1 + delay))
    return cells


def _play(values: Mapping[str, Any], dataset: Dataset) -> list[Row]:
    learning, seed = Learning(**values["learning"]), values["seed"]
    parts, model = learning.parts(dataset, seed), learning.build(dataset, seed)
    hyper = learning.hyper(values["epochs"])
    trainers = [LocalTrainer(model, part.images, part.labels, hyper, seed, i) for i, part in enumerate(parts)]

    def train(node: int, base: NDArray[np.int32], height: int) -> NDArray[np.int32]:
        return trainers[node].train(base, height)

    def combine(nodes: Sequence[int], updates: Sequence[NDArray[np.int32]]) -> NDArray[np.int32]:
        return weighted_mean(updates, [len(parts[node].labels) for node in nodes])

    conditions = Conditions(len(parts), values["delay"], values["training"], **values["window"])
    rule = ForkRule[values["rule"].upper()]
    outcome = MiningNetwork(conditions, rule, encode_model(model), train, combine, seed).run(values["height"])
    tested = Examples(dataset.test_images, dataset.test_labels).measure(model, outcome.chain[-1].model)
    return [
        {name: values[name] for name in ("run", "split", "delay", "rule")}
        | {"blocks": outcome.blocks, "trainings": outcome.trainings}
        | {name: getattr(outcome, name) for name in ("fork_rate", "stale_share", "unused_share")}
        | {"test_loss": tested.loss, "accuracy": tested.accuracy}
    ]


def _report(setting: Forks, rows: Sequence[Row], stem: Path) -> dict[str, Any]:
    caption = (
        f"{setting.learning}, {setting.height} blocks, training takes "
        f"{setting.training:g} of a block's time; {describe_runs(rows)}"
    )
    findings: dict[str, Any] = {}
    for split, title in (
        (0, "Forks in a connected network"),
        (1, f"Forks in a network cut in two from time {setting.split_from:g} to {setting.split_to:g}"),
    ):
        own = [row for row in rows if row["split"] == split]
        found = {
            label: {
                measure: [
                    estimate([row[measure] for row in own if (row["rule"], row["delay"]) == (rule, delay)])
                    for delay in setting.delays
                ]
                for measure in _MEASURES
            }
            for label, rule in _RULES.items()
        }
        panels = [
            Panel(
                head,
                "mean delay of a link / mean time between blocks",
                what,
                [Curve(label, setting.delays, found[label][measure]) for label in _RULES],
                "x",
            )
            for measure, (head, what) in _MEASURES.items()
        ]
        draw(stem if not split else stem.with_name(f"{stem.name}-partition"), title, panels, caption)
        findings["partition" if split else "connected"] = {
            label: {measure: [one.mean for one in values] for measure, values in measures.items()}
            for label, measures in found.items()
        }
    return {"delays": list(setting.delays)} | findings | {"table": _table(setting.delays, findings["connected"])}


def _table(delays: Sequence[float], connected: Mapping[str, Any]) -> dict[str, Any]:
    """One row for each delay, in the connected network."""
    columns = ["delay / block time", "heights with forks"]
    for label in _RULES:
        columns += [f"{label}: stale blocks", "unused updates", "accuracy"]
    rows = []
    for place, delay in enumerate(delays):
        row = [f"{delay:g}", f"{connected['longest chain']['fork_rate'][place]:.0%}"]
        for label in _RULES:
            found = {measure: values[place] for measure, values in connected[label].items()}
            row += [f"{found['stale_share']:.0%}", f"{found['unused_share']:.0%}", f"{found['accuracy']:.3f}"]
        rows.append(row)
    return {"columns": columns, "rows": rows}


FORKING = Experiment(
    "forks, wasted work and accuracy under three fork rules, against the network's delay",
    {"default": Forks()},
    _cells,
    _play,
    _report,
    is_stackable=False,
)
