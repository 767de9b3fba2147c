"""Pay against contribution: does the contract's formula pay what the Shapley value says, and does splitting pay?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from bcfl_client.aggregation import AggregationRule
from bcfl_client.experiments.cells import Cell, Experiment, Row
from bcfl_client.experiments.earnings import Earnings
from bcfl_client.experiments.federation import Client, Federation, PlayedRound, Rules
from bcfl_client.experiments.rewards_figures import report
from bcfl_client.experiments.scoring import scored_round, task_score
from bcfl_client.experiments.settings import Learning
from bcfl_client.learning.datasets import Dataset, held_out_validation, stratified_order
from bcfl_client.learning.model import Samples
from bcfl_client.scoring.inputs import Counted
from bcfl_client.scoring.rules import ScoringRule
from bcfl_client.scoring.shapley import exact_shapley
from bcfl_client.scoring.validation_accuracy import ValidationScorer

__all__ = ["REWARDS", "Rewards", "split_part"]

_NOISE, _MOST_NOISE = "label noise", 0.5
_PLAIN = str.maketrans(" :.", "---")  # for the name of a file
_ORACLE = 2000  # test images, at most, that the Shapley value is taken on: others than the miners score with


@dataclass(frozen=True)
class Rewards:
    """`partitions` of honest trainers are paid by each of the scoring `rules`; of `split_partition` the first trainer's
    data are also split over so many `identities`. `label noise` is iid, with from none to half of the labels wrong."""

    learning: Learning = field(default_factory=lambda: Learning(nodes=8, samples=600, learning_rate=0.1))
    rounds: int = 10
    partitions: tuple[str, ...] = ("iid", _NOISE, "shards:2", "dirichlet:0.5")
    split_partition: str = "dirichlet:0.5"
    rules: tuple[int, ...] = tuple(int(rule) for rule in ScoringRule)
    aggregation: int = int(AggregationRule.WEIGHTED_MEAN)
    identities: tuple[int, ...] = (1, 2, 4, 8)


def split_part(part: Samples, identities: int, random: np.random.Generator) -> list[Samples]:
    """One data set, shuffled and shared out evenly."""
    shares = np.array_split(random.permutation(len(part.labels)), identities)
    return [Samples(part.images[share], part.labels[share]) for share in shares]


def _cells(setting: Rewards, seeds: Sequence[int]) -> list[Cell]:
    cells = []
    for run, seed in enumerate(seeds):
        for rule in setting.rules:
            common = {"learning": asdict(setting.learning), "run": run, "seed": seed, "rounds": setting.rounds}
            common |= {"aggregation": setting.aggregation, "scoring": rule}
            sampled = 8.0 if rule == ScoringRule.SHAPLEY else 1.0
            for partition in setting.partitions:
                key = f"run{run}-rule{rule}-{partition.translate(_PLAIN)}"
                cells.append(Cell(key, common | {"partition": partition, "identities": 0}, 8.0))
            for count in setting.identities:
                values = common | {"partition": setting.split_partition, "identities": count}
                cells.append(Cell(f"run{run}-rule{rule}-split{count}", values, sampled * count))
    return cells


def _play(values: Mapping[str, Any], dataset: Dataset) -> list[Row]:
    """One row per trainer, with the exact Shapley value summed over the rounds; of a split one for all identities."""
    learning, seed, identities = Learning(**values["learning"]), values["seed"], values["identities"]
    training, held_out = held_out_validation(dataset)
    parts, model = _parts(learning, values["partition"], training, seed), learning.build(dataset, seed)
    if identities:
        random = np.random.default_rng(np.random.SeedSequence([seed, 0x53504C]))
        parts = [*split_part(parts[0], identities, random), *parts[1:]]
    images, labels = dataset.train_images[held_out], dataset.train_labels[held_out]
    miner = ValidationScorer(learning.build(dataset, seed), images, labels)
    other = stratified_order(dataset.test_labels, np.random.default_rng(seed))[:_ORACLE]
    oracle = ValidationScorer(learning.build(dataset, seed), dataset.test_images[other], dataset.test_labels[other])
    score = task_score(values["scoring"], values["aggregation"], 0, miner.count, miner.guessed)
    rules = Rules(AggregationRule(values["aggregation"]), score=score)
    earnings, shapley = Earnings([len(part.labels) for part in parts]), np.zeros(len(parts))
    clients = [Client(part.images, part.labels) for part in parts]
    with Federation(model, clients, learning.hyper(1), rules, seed, device=values.get("device")) as federation:
        for _ in range(values["rounds"]):
            start = federation.model
            played = federation.play_round()
            earnings.add(played)
            if not identities:
                shapley += _exact(start, played, values["aggregation"], oracle, len(parts))
    total = sum(earnings.paid)
    common = {name: values[name] for name in ("run", "scoring", "partition", "identities")}
    if identities:
        samples, pay = sum(earnings.samples[:identities]), sum(earnings.paid[:identities])
        return [common | {"seat": 0, "samples": samples, "pay": pay / total, "shapley": 0.0}]
    return [
        common | {"seat": seat, "samples": samples, "pay": paid / total, "shapley": value}
        for seat, (samples, paid, value) in enumerate(zip(earnings.samples, earnings.paid, shapley.tolist()))
    ]


def _parts(learning: Learning, partition: str, training: Dataset, seed: int) -> list[Samples]:
    drawn = replace(learning, partition="iid" if partition == _NOISE else partition).parts(training, seed)
    if partition != _NOISE:
        return drawn
    random = np.random.default_rng(np.random.SeedSequence([seed, 0x4E4F4953]))
    noisy = []
    for seat, part in enumerate(drawn):
        wrong = random.random(len(part.labels)) < _MOST_NOISE * seat / max(1, len(drawn) - 1)
        made_up = random.integers(0, training.classes, len(part.labels)).astype(np.uint8)
        noisy.append(Samples(part.images, np.where(wrong, made_up, part.labels)))
    return noisy


def _exact(
    start: Any, played: PlayedRound, aggregation: int, oracle: ValidationScorer, count: int
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """What each accepted update brought, as a share of the oracle's images."""

    def counted(model: Any) -> Counted:
        return oracle.count(model)

    updates = {seat: played.uploads[seat] for seat in played.weights}
    round_ = scored_round(start, updates, played.weights, aggregation, 0, counted, oracle.guessed)
    found = exact_shapley(round_, sorted(updates))
    images = round_.counted(sorted(updates)).count
    values = np.zeros(count)
    for seat, value in found.values.items():
        values[seat] = 2 * value / (found.per_image * images)  # in units of 1/n! images, 2 n! of them per image
    return values


REWARDS = Experiment(
    "Pay against the exact Shapley value, and what splitting a data set over identities earns",
    {"default": Rewards(), "robust": Rewards(aggregation=int(AggregationRule.TRIMMED_MEAN))},
    _cells,
    _play,
    report,
)
