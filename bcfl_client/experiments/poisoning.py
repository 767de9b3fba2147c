"""Poisoning: what attacks do to the model and what they earn, under a plain mean, robust rules alone, and the
recommended terms, in which scores decide pay, later weights and who is out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bcfl_client.aggregation import AggregationRule, weighted_mean
from bcfl_client.aggregation.krum import multi_krum
from bcfl_client.errors import ConfigError
from bcfl_client.experiments.attacks import ATTACKS, TARGET, flip_labels, plant_backdoor, stamp
from bcfl_client.experiments.cells import Cell, Experiment, Row
from bcfl_client.experiments.earnings import Earnings
from bcfl_client.experiments.evaluation import Examples
from bcfl_client.experiments.federation import Client, Federation, Rules
from bcfl_client.experiments.poisoning_figures import report
from bcfl_client.experiments.scoring import task_score
from bcfl_client.experiments.settings import Learning
from bcfl_client.learning.datasets import Dataset, held_out_validation
from bcfl_client.learning.model import Samples
from bcfl_client.scoring.rules import ScoringRule
from bcfl_client.scoring.validation_accuracy import ValidationScorer

__all__ = ["DEFENCES", "POISONING", "Defence", "Poisoning", "adaptive_krum", "attacking_seats"]

NO_ATTACK = "none"
_LEARNING = Learning(samples=None, model="2nn", learning_rate=0.3, batch_size=64)
_LONGEST = 3.0  # honest steps are clipped to it in the first rounds, and 1 to 2 long in the last


@dataclass(frozen=True)
class Defence:
    """The terms that decide: aggregation (a task's rule or KRUM), in basis points what is trimmed and which share of
    the median score is paid, scoring, and how long steps may be."""

    aggregation: int | str
    trim_share: int
    scoring: int
    pay_score: int
    clipping_norm: float = 0.0


KRUM = "multi-krum"
_BYZANTINE = 3  # updates that multi-Krum leaves out

DEFENCES = {
    "plain mean": Defence(AggregationRule.WEIGHTED_MEAN, 0, ScoringRule.DATA_SIZE, 0),
    "multi-Krum (unprovable)": Defence(KRUM, 0, ScoringRule.DATA_SIZE, 0, _LONGEST),
    "robust rule alone": Defence(AggregationRule.TRIMMED_MEAN, 3000, ScoringRule.DATA_SIZE, 0, _LONGEST),
    "recommended": Defence(AggregationRule.TRIMMED_MEAN, 3000, ScoringRule.ALIGNED_ACCURACY, 5000, _LONGEST),
}


@dataclass(frozen=True)
class Poisoning:
    """`attackers` of the nodes, who hold that part of the samples, attack in every round of `rounds`; every defence is
    tried against every attack. Unless updates are `hidden` until all are fixed, as commitments make them, attackers
    know the honest ones."""

    learning: Learning = field(default_factory=lambda: replace(_LEARNING, partition="dirichlet:0.5"))
    rounds: int = 20
    attackers: tuple[int, ...] = (2, 3)
    attacks: tuple[str, ...] = tuple(ATTACKS)
    hidden: bool = True


def _cells(setting: Poisoning, seeds: Sequence[int]) -> list[Cell]:
    cases = [(NO_ATTACK, 0), *((attack, count) for attack in setting.attacks for count in setting.attackers)]
    return [
        Cell(
            f"run{run}-{_slug(name)}-{_slug(attack)}-{count}",
            {"learning": asdict(setting.learning), "run": run, "seed": seed, "rounds": setting.rounds}
            | {"defence": name, **asdict(defence), "attack": attack, "attackers": count, "hidden": setting.hidden},
        )
        for run, seed in enumerate(seeds)
        for name, defence in DEFENCES.items()
        for attack, count in cases
    ]


def _play(values: Mapping[str, Any], dataset: Dataset) -> list[Row]:
    """One row per round. Where honest training diverges the task is over: the model stays as it was."""
    learning, seed, attack = Learning(**values["learning"]), values["seed"], values["attack"]
    training, held_out = held_out_validation(dataset)
    parts, model = learning.parts(training, seed), learning.build(dataset, seed)
    samples = [len(part.labels) for part in parts]
    attackers = attacking_seats(samples, values["attackers"])
    honest = [seat for seat in range(len(parts)) if seat not in attackers]
    clients = [
        Client(part.images, part.labels) if seat in honest else _attacker(attack, part, dataset.classes)
        for seat, part in enumerate(parts)
    ]
    miner = ValidationScorer(
        learning.build(dataset, seed), dataset.train_images[held_out], dataset.train_labels[held_out]
    )
    rule, trim_share, scoring = values["aggregation"], values["trim_share"], values["scoring"]
    score = task_score(scoring, rule, trim_share, miner.count, miner.guessed)
    combine = adaptive_krum if rule == KRUM else AggregationRule(rule)
    rules = Rules(combine, trim_share, commit_reveal=values["hidden"], score=score, pay_score=values["pay_score"])
    test, triggered = Examples(dataset.test_images, dataset.test_labels), _triggered(dataset)
    earnings, rows, diverged = Earnings(samples), [], False
    hyper = replace(learning.hyper(1), clipping_norm=values["clipping_norm"])
    with Federation(model, clients, hyper, rules, seed, device=values.get("device")) as federation:
        for round_id in range(1, values["rounds"] + 1):
            try:
                if not diverged:
                    earnings.add(federation.play_round())
            except ConfigError:
                diverged = True
            rows.append(
                {name: values[name] for name in ("run", "defence", "attack", "attackers")}
                | {
                    "round": round_id,
                    "accuracy": test.measure(model, federation.model).accuracy,
                    "backdoor": triggered.measure(model, federation.model).accuracy,
                    "attackers_pay": _relative_pay(earnings, attackers, honest),
                    "attackers_denied": sum(earnings.denied_rounds[seat] for seat in attackers),
                    "honest_denied": sum(earnings.denied_rounds[seat] for seat in honest),
                    "honest_out": sum(federation.strikes[seat] >= rules.max_strikes for seat in honest),
                    "diverged": int(diverged),
                }
            )
    return rows


def adaptive_krum(updates: Sequence[NDArray[np.int32]], weights: Sequence[int]) -> NDArray[np.int32]:
    """Returns the weighted mean of the int32 [count] updates but for three, or fewer where verdicts and strikes leave
    too few for that, of which multi-Krum thinks worst."""
    if len(updates) < 3:
        return weighted_mean(updates, weights)
    byzantine = min(_BYZANTINE, (len(updates) - 3) // 2)
    return multi_krum(updates, weights, byzantine, len(updates) - byzantine)


def attacking_seats(samples: Sequence[int], count: int) -> tuple[int, ...]:
    """The `count` seats whose part of all samples is nearest to their part of all seats: weights go by samples."""
    wanted = count * sum(samples) / len(samples)
    return min(combinations(range(len(samples)), count), key=lambda seats: abs(sum(samples[s] for s in seats) - wanted))


def _attacker(attack: str, part: Samples, classes: int) -> Client:
    images, labels = part.images, part.labels
    if attack == "label flip":
        labels = flip_labels(labels, classes)
    elif attack.startswith("backdoor"):
        images, labels = plant_backdoor(images, labels)
    return Client(images, labels, ATTACKS[attack])


def _triggered(dataset: Dataset) -> Examples:
    """Test images of other classes than the target, with the trigger: "correct" is who falls for it."""
    others = dataset.test_labels != TARGET
    fooled = np.full(int(others.sum()), TARGET, dtype=np.uint8)
    return Examples(stamp(dataset.test_images[others]), fooled)


def _relative_pay(earnings: Earnings, attackers: Sequence[int], honest: Sequence[int]) -> float:
    """The attackers' pay per sample, relative to that of the honest; 0 without attackers."""
    earned = earnings.per_sample(honest)
    return earnings.per_sample(attackers) / earned if attackers and earned else 0.0


def _slug(text: str) -> str:
    return text.lower().replace(" ", "-").replace(".", "_").replace("(", "").replace(")", "")


_QUICK = Poisoning(replace(_LEARNING, samples=1200, partition="dirichlet:0.5"), attackers=(3,))
_UNLIKE = Poisoning(replace(_LEARNING, partition="dirichlet:0.1"), attackers=(2,))

POISONING = Experiment(
    "Attacks on the model under a plain mean, a robust rule, and scores that decide pay and weight",
    {"default": Poisoning(), "quick": _QUICK, "unlike": _UNLIKE, "seen": replace(_QUICK, hidden=False)},
    _cells,
    _play,
    report,
)
