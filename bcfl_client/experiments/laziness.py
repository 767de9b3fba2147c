"""Laziness: how surely the miners' verdicts find updates without training, how often they blame honest ones, what
lazy trainers do to the model, and what they can expect to earn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bcfl_client.aggregation import weighted_mean
from bcfl_client.experiments.adversaries import Situation
from bcfl_client.experiments.cells import Cell, Experiment, Row
from bcfl_client.experiments.evaluation import Examples
from bcfl_client.experiments.federation import Client, Federation, Rules
from bcfl_client.experiments.laziness_figures import report
from bcfl_client.experiments.settings import Learning
from bcfl_client.learning.datasets import Dataset
from bcfl_client.learning.encoding import encode_model
from bcfl_client.learning.engine import open_engine
from bcfl_client.learning.model import Samples
from bcfl_client.learning.training import LocalTrainer
from bcfl_client.scoring.similarity import EarlierRound, judge_updates, remembered
from bcfl_client.types import Verdict

__all__ = ["LAZINESS", "Laziness", "copy_with_noise"]

_Parameters = NDArray[np.int32]
_COPY_NOISE = 0.05  # of the lazy ones beside honest ones, in parts of the copied step
_LAZY_IN_TEN = 4


@dataclass(frozen=True)
class Laziness:
    """Verdicts on each of `models` and `partitions`, with `noise` (in parts of the copied step) on what was copied;
    in each round after the first `turns` times, by other seats. Then `rounds` of them with four lazy in ten."""

    learning: Learning = field(default_factory=lambda: Learning(samples=1200, learning_rate=0.3))
    rounds: int = 10
    models: tuple[str, ...] = ("2nn", "mlp:32")
    partitions: tuple[str, ...] = ("iid", "dirichlet:0.5", "dirichlet:0.1")
    noise: tuple[float, ...] = (0.0, 0.02, 0.05, 0.1, 0.12, 0.15, 0.2, 0.3, 0.5, 1.0)
    turns: int = 2


def _cells(setting: Laziness, seeds: Sequence[int]) -> list[Cell]:
    cells = []
    for run, seed in enumerate(seeds):
        for model in setting.models:
            for partition in setting.partitions:
                learning = asdict(replace(setting.learning, model=model, partition=partition))
                values = {"learning": learning, "run": run, "seed": seed, "rounds": setting.rounds}
                name = f"run{run}-{model}-{partition}".translate(str.maketrans(":.", "--"))
                judged = values | {"kind": "verdicts", "noise": setting.noise, "turns": setting.turns}
                cells.append(Cell(f"{name}-verdicts", judged, 5.0 if model == "2nn" else 1.0))
                cells.append(Cell(f"{name}-lazy", values | {"kind": "model"}))
    return cells


def _play(values: Mapping[str, Any], dataset: Dataset) -> list[Row]:
    learning = Learning(**values["learning"])
    parts = learning.parts(dataset, values["seed"])
    play = _judge if values["kind"] == "verdicts" else _play_with_lazy
    common = {"run": values["run"], "model": learning.model, "partition": learning.partition}
    blank = {"case": "", "noise": 0.0, "updates": 0, "rejected": 0, "accuracy": 0.0}
    return [common | blank | row for row in play(values, learning, parts, dataset)]


# ---------------------------------------------------------------------- verdicts


def _judge(values: Mapping[str, Any], learning: Learning, parts: Sequence[Samples], dataset: Dataset) -> list[Row]:
    """Honest rounds, in each of which some updates are then replaced by what lazy trainers would hand in."""
    seed, random = values["seed"], np.random.default_rng(np.random.SeedSequence([values["seed"], 0x4C415A59]))
    model, hyper = learning.build(dataset, seed), learning.hyper(1)
    trainers = [LocalTrainer(model, part.images, part.labels, hyper, seed, i) for i, part in enumerate(parts)]
    start, earlier = encode_model(model), []  # type: tuple[_Parameters, list[EarlierRound]]
    updates = rejected = 0
    found: dict[tuple[str, float], list[bool]] = {}
    with open_engine(trainers, 1, values.get("device")) as engine:
        for round_id in range(values["rounds"]):
            own = list(engine.train(start, round_id))
            updates += len(own)
            verdicts = judge_updates(start, dict(enumerate(own)), earlier)
            rejected += sum(verdict != Verdict.OK for verdict in verdicts.values())
            for noise in values["noise"] if earlier else ():
                for _ in range(values["turns"]):
                    for case, caught in _try(start, own, earlier, noise, random):
                        found.setdefault((case, noise), []).append(caught)
            earlier = remembered([EarlierRound(start, own), *earlier])
            start = weighted_mean(own, [len(part.labels) for part in parts])
    honest: Row = {"case": "honest", "updates": updates, "rejected": rejected}
    return [honest] + [
        {"case": case, "noise": noise, "updates": len(caught), "rejected": sum(caught)}
        for (case, noise), caught in found.items()
    ]


def _try(
    start: _Parameters,
    own: Sequence[_Parameters],
    earlier: Sequence[EarlierRound],
    noise: float,
    random: np.random.Generator,
) -> list[tuple[str, bool]]:
    """One round with every kind of laziness in it, at seats drawn anew; whether each was found."""
    copier, keeper, idler, first, second = (int(seat) for seat in random.permutation(len(own))[:5])
    first, second = sorted((first, second))
    past, old = (earlier[int(random.integers(len(earlier)))] for _ in range(2))
    source = past.updates[int(random.integers(len(past.updates)))]
    shared = own[first]
    handed = dict(enumerate(own)) | {
        copier: _noisy(source, past.start, noise, random),
        keeper: _noisy(old.start, start, noise, random),
        idler: _noisy(start, shared, noise, random),
        first: _noisy(shared, start, noise, random),
        second: _noisy(shared, start, noise, random),
    }
    verdicts = judge_updates(start, handed, earlier)
    cases = {"earlier update": copier, "earlier model": keeper, "no update": idler, "shared run": second}
    return [(case, verdicts[seat] == Verdict.COPY) for case, seat in cases.items()]


def _noisy(base: _Parameters, away: _Parameters, noise: float, random: np.random.Generator) -> _Parameters:
    """`base` plus normal noise, `noise` times as long as the way from `away` to it."""
    drawn = random.standard_normal(len(base))
    length = noise * np.linalg.norm(base.astype(np.float64) - away)
    return np.rint(base + drawn * (length / np.linalg.norm(drawn))).astype(np.int32)


# ---------------------------------------------------------------------- the model


def copy_with_noise(known: Situation, noise: float) -> _Parameters:
    """Hands in somebody's update of the round before, with noise; in the first round only noise on the model."""
    if not known.earlier:
        return known.start + known.random.integers(-(2**14), 2**14, len(known.start), dtype=np.int32)
    past = known.earlier[-1]
    return _noisy(past.updates[int(known.random.integers(len(past.updates)))], past.start, noise, known.random)


def _play_with_lazy(
    values: Mapping[str, Any], learning: Learning, parts: Sequence[Samples], dataset: Dataset
) -> list[Row]:
    """Accuracy after the last round: the honest ones alone, then with the lazy ones beside them."""
    honest = len(parts) - len(parts) * _LAZY_IN_TEN // 10
    lazy = partial(copy_with_noise, noise=_COPY_NOISE)
    clients = [
        Client(part.images, part.labels)
        if seat < honest
        else Client(part.images, part.labels, attack=lazy, trains=False)
        for seat, part in enumerate(parts)
    ]
    test, model = Examples(dataset.test_images, dataset.test_labels), learning.build(dataset, values["seed"])
    rows: list[Row] = []
    for case, taking_part in (("honest alone", clients[:honest]), ("with lazy", clients)):
        with Federation(
            model, taking_part, learning.hyper(1), Rules(), values["seed"], device=values.get("device")
        ) as federation:
            for _ in range(values["rounds"]):
                federation.play_round()
        accuracy = test.measure(learning.build(dataset, values["seed"]), federation.model).accuracy
        rows.append({"case": case, "accuracy": accuracy})
    return rows


LAZINESS = Experiment(
    "How surely updates without training are found, and what laziness earns",
    {"default": Laziness(), "large": Laziness(Learning(samples=6000, learning_rate=0.3))},
    _cells,
    _play,
    report,
)
