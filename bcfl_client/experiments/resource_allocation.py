"""Fig. 3: one compute budget for training and mining; how many rounds K use it best (BC-FL, section V-B)?

A round's model depends on the local epochs, not on what they cost, so one federation with E epochs a round is read
after each K that any cost ratio pairs with that E.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from bcfl_client.budget import Budget, Split
from bcfl_client.experiments.cells import Cell, Experiment, Row
from bcfl_client.experiments.evaluation import Examples
from bcfl_client.experiments.federation import Client, Federation, Rules
from bcfl_client.experiments.resource_figures import report
from bcfl_client.experiments.settings import Learning
from bcfl_client.learning.datasets import Dataset

__all__ = ["RESOURCE_ALLOCATION", "Allocation", "chosen_splits"]

_POINTS = 12


@dataclass(frozen=True)
class Allocation:
    """`total` is the budget T of every node; a line of the figure is a pair (training cost t_L, block cost t_B)."""

    learning: Learning = field(default_factory=Learning)
    total: float = 200
    lines: tuple[tuple[float, float], ...] = ((1, 2), (2, 2), (4, 2), (8, 2), (1, 1))

    def budgets(self) -> list[Budget]:
        """Each line's."""
        return [Budget(self.total, training, block) for training, block in self.lines]


def chosen_splits(budget: Budget, most: int = _POINTS) -> list[Split]:
    """Up to `most` of the budget's splits, evenly on a logarithmic scale, the extremes among them."""
    splits = budget.splits()
    if len(splits) <= most:
        return splits
    rounds = np.array([split.rounds for split in splits], dtype=np.float64)
    wanted = np.geomspace(rounds[0], rounds[-1], most)
    nearest = [int(np.abs(np.log(rounds / one)).argmin()) for one in wanted]
    return [splits[i] for i in sorted(set(nearest))]


def _cells(setting: Allocation, seeds: Sequence[int]) -> list[Cell]:
    reads: dict[int, list[tuple[float, float, int]]] = defaultdict(list)
    for budget in setting.budgets():
        for split in chosen_splits(budget):
            reads[split.epochs].append((budget.training_cost, budget.block_cost, split.rounds))
    cells = []
    for run, seed in enumerate(seeds):
        for epochs, wanted in sorted(reads.items()):
            values = {"learning": asdict(setting.learning), "run": run, "seed": seed, "epochs": epochs}
            cost = epochs * max(rounds for *_, rounds in wanted)
            cells.append(Cell(f"run{run}-epochs{epochs}", values | {"reads": wanted}, cost))
    return cells


def _play(values: Mapping[str, Any], dataset: Dataset) -> list[Row]:
    """One federation with so many epochs a round, read after the wanted numbers of rounds."""
    learning, seed, epochs = Learning(**values["learning"]), values["seed"], values["epochs"]
    parts, model = learning.parts(dataset, seed), learning.build(dataset, seed)
    everybodys = Examples(
        np.concatenate([part.images for part in parts]), np.concatenate([part.labels for part in parts])
    )
    test = Examples(dataset.test_images, dataset.test_labels)
    last = max(rounds for *_, rounds in values["reads"])
    measured = {}
    # All nodes are honest here, so there is nothing to detect.
    clients = [Client(part.images, part.labels) for part in parts]
    with Federation(
        model, clients, learning.hyper(epochs), Rules(detect=False), seed, device=values.get("device")
    ) as federation:
        for played in range(1, last + 1):
            federation.play_round()
            if any(rounds == played for *_, rounds in values["reads"]):
                trained, tested = everybodys.measure(model, federation.model), test.measure(model, federation.model)
                measured[played] = {
                    "train_loss": trained.loss,
                    "test_loss": tested.loss,
                    "accuracy": tested.accuracy,
                }
    return [
        {
            "run": values["run"],
            "tau": training / block if block else 0.0,
            "training_cost": training,
            "block_cost": block,
            "rounds": rounds,
            "epochs": epochs,
            **measured[rounds],
        }
        for training, block, rounds in values["reads"]
    ]


# BLADE-FL (Li et al. 2021): 20 nodes, budget 100, training cost 1, mining cost 200 / N. It counts steps of gradient
# descent; here these are epochs.
_BLADE = Allocation(Learning(nodes=20), total=100, lines=((1, 10),))
_LARGE = Allocation(Learning(samples=None, model="2nn"))

RESOURCE_ALLOCATION = Experiment(
    "Fig. 3: loss and accuracy against the number of rounds, for several costs of training",
    {"paper": Allocation(), "blade": _BLADE, "2nn": _LARGE},
    _cells,
    _play,
    report,
)
