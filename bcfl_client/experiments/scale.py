"""What a round costs from 10 to 10,000 trainers: gas, bytes and seconds; measured on a real chain as far as one task
goes, modelled beyond, where trainers are divided over several tasks, and the model checked against a measurement."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
from eth_account import Account
from numpy.typing import NDArray

from bcfl_client.aggregation import weighted_mean
from bcfl_client.chain.bulk import BulkCall, BulkSender
from bcfl_client.chain.connection import Connection, connect
from bcfl_client.chain.contracts import deploy
from bcfl_client.chain.devchain import DevChain
from bcfl_client.chain.digests import update_digest
from bcfl_client.chain.sender import Receipt, Sender
from bcfl_client.errors import ChainError
from bcfl_client.experiments.cells import Cell, Experiment, Row
from bcfl_client.experiments.scale_figures import report
from bcfl_client.experiments.stage import PARAMETERS, Stage, word
from bcfl_client.learning.datasets import Dataset
from bcfl_client.learning.encoding import encode_model, encode_parameters
from bcfl_client.learning.manifest import Hyperparameters
from bcfl_client.learning.models import build_model
from bcfl_client.learning.training import LocalTrainer
from bcfl_client.learning.tree import parameter_root
from bcfl_client.scoring.similarity import EarlierRound, judge_updates
from bcfl_client.scoring.validation_accuracy import ValidationScorer

__all__ = ["SCALE", "Scale"]

_RUNS = 3  # gas does not vary, and seconds little
_SAMPLES = 600  # of a trainer
_VALIDATION = 1000


@dataclass(frozen=True)
class Scale:
    """`measured` trainers, of which the last is not fitted but predicted; `modelled` ones; `miners` in each task."""

    measured: tuple[int, ...] = (10, 20, 40, 70, 100)
    modelled: tuple[int, ...] = (10, 30, 100, 300, 1000, 3000, 10_000)
    miners: int = 3


def _cells(setting: Scale, seeds: Sequence[int]) -> list[Cell]:
    return [
        Cell(
            f"run{run}-trainers{count}", {"run": run, "seed": seed, "trainers": count, "miners": setting.miners}, count
        )
        for run, seed in enumerate(seeds[:_RUNS])
        for count in setting.measured
    ]


def _play(values: Mapping[str, Any], dataset: Dataset) -> list[Row]:
    """The second round of a task, whose storage is no longer empty, and a miner's work on so many updates."""
    count, miners = values["trainers"], values["miners"]
    with DevChain() as chain, closing(connect(chain.url)) as connection:
        on_chain = _chain_round(connection, chain.accounts[0], count, miners)
    return [{"run": values["run"], "trainers": count, "miners": miners, **on_chain, **_work(dataset, count, values)}]


def _chain_round(connection: Connection, key: str, count: int, miners: int) -> dict[str, Any]:
    """Gas of all transactions of the round, their calldata in bytes, seconds until all were in blocks."""
    receipts: list[Receipt] = []
    factory = deploy(Sender(connection, Account.from_key(key))).factory
    stage = Stage(
        connection, factory, f"scale.{count}", count, lambda name, receipt: receipts.append(receipt), miners=miners
    )
    for _ in range(2):
        receipts.clear()
        start = time.perf_counter()
        openings = stage.openings()
        places = [stage.task.place(stage.task.status().round.id, 0, a.sender.address) for a in stage.trainer_actors]
        digests = [update_digest(place, opening) for place, opening in zip(places, openings)]
        codec = stage.task.codec
        sent = _in_bulk(stage, [codec.call("commit", digest) for digest in digests])
        sent += _in_bulk(stage, [codec.call("reveal", *opening.values) for opening in openings])
        sealed = [stage.opening(salt=seat) for seat in range(miners)]
        stage.check_and_seal(sealed)
        stage.propose_and_open(sealed)
        seconds = time.perf_counter() - start
    calldata = sum(
        len(connection.request("eth_getTransactionByHash", one.transaction)["input"]) // 2 - 1
        for one in (*sent, *receipts)
    )
    return {
        "trainer_gas": sum(one.gas_used for one in sent),
        "miner_gas": sum(one.gas_used for one in receipts),
        "calldata_bytes": calldata,
        "chain_seconds": seconds,
    }


def _in_bulk(stage: Stage, encoded: Sequence[bytes]) -> list[Receipt]:
    """One call of every trainer, as many in a block as fit."""
    accounts = [Account.from_key(word("key", "trainer", i)) for i in range(stage.trainers)]
    calls = [BulkCall(account, stage.task.address, data) for account, data in zip(accounts, encoded)]
    outcomes = BulkSender(stage.connection, stage.task.codec).send(calls)
    for outcome in outcomes:
        if not isinstance(outcome, Receipt):
            raise ChainError(f"a trainer's transaction was not included: {outcome}")
    return [outcome for outcome in outcomes if isinstance(outcome, Receipt)]


def _work(dataset: Dataset, count: int, values: Mapping[str, Any]) -> dict[str, Any]:
    """Seconds that one trainer trains (one core), and that one miner verifies, judges, scores and averages for."""
    model = build_model("2nn", dataset.input_shape, dataset.classes, values["seed"])
    base = encode_model(model)
    images, labels = dataset.train_images, dataset.train_labels
    trainer = LocalTrainer(model, images[:_SAMPLES], labels[:_SAMPLES], Hyperparameters(), values["seed"])
    trainer.train(base, 0)  # compiles
    start = time.perf_counter()
    update = trainer.train(base, 0)
    trained = time.perf_counter() - start
    updates = _like(update, count, values["seed"])
    scorer = ValidationScorer(model, images[-_VALIDATION:], labels[-_VALIDATION:])
    start = time.perf_counter()
    for one in updates:
        parameter_root(one)
    judge_updates(base, dict(enumerate(updates)), [EarlierRound(base, updates)])
    for one in updates:
        scorer.count(one)
    result = weighted_mean(updates, [_SAMPLES] * count)
    parameter_root(result)
    return {
        "training_seconds": trained,
        "miner_seconds": time.perf_counter() - start,
        "update_bytes": len(encode_parameters(update)),
    }


def _like(update: NDArray[np.int32], count: int, seed: int) -> list[NDArray[np.int32]]:
    """Updates of as many trainers: what work on them costs does not depend on how they were trained."""
    random = np.random.default_rng(seed)
    return [update + random.integers(-(2**16), 2**16, len(update), dtype=np.int32) for _ in range(count)]


SCALE = Experiment(
    f"gas, bytes and seconds of a round with 10 to 10,000 trainers ({PARAMETERS:,} parameters)",
    {"default": Scale()},
    _cells,
    _play,
    report,
    is_timed=True,
    is_stackable=False,
)
