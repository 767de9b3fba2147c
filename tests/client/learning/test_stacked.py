"""The stacked engine: what the trainer processes compute, but for rounding, with any stack of clients.

Run on torch's `cpu` device, whose code is that of any other.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from bcfl_client.errors import BcflError, ConfigError
from bcfl_client.learning import stacked
from bcfl_client.learning.datasets import load_dataset
from bcfl_client.learning.encoding import FRACTIONAL_BITS, encode_model
from bcfl_client.learning.engine import Engine, open_engine
from bcfl_client.learning.manifest import Hyperparameters
from bcfl_client.learning.models import build_model
from bcfl_client.learning.partitions import partition
from bcfl_client.learning.stacked import StackedEngine
from bcfl_client.learning.torch_model import from_module
from bcfl_client.learning.training import LocalTrainer

CLIENTS = 5
BOUND, USUAL = 0.02, 1e-4
"""How far from a trainer process's update a stacked one may be, in lengths of its step: of any client, of most.

One rounding that puts a value on the other side of ReLU's kink makes the difference."""
HYPER = Hyperparameters(learning_rate=0.1, local_epochs=2)


def trainers(name: str = "2nn", hyper: Hyperparameters = HYPER) -> tuple[list[LocalTrainer], NDArray[np.int32]]:
    """Clients with unlike numbers of samples; some share images, of which one has other labels."""
    data = load_dataset("digits")
    model = from_module(own_module()) if name == "own" else build_model(name, data.input_shape, data.classes)
    parts = partition(data.train_labels, CLIENTS, "dirichlet:0.5", 0)
    labels = (data.train_labels, data.train_labels, 9 - data.train_labels)
    made = [
        LocalTrainer(model, data.train_images, labels[number], hyper, 7, number, part)
        if number < len(labels)
        else LocalTrainer(model, data.train_images[part], data.train_labels[part], hyper, 7, number)
        for number, part in enumerate(parts)
    ]
    return made, encode_model(model)


def own_module(dropped: float = 0.0) -> nn.Module:
    torch.manual_seed(0)
    layers = (nn.Conv2d(1, 6, 3, padding=1), nn.GroupNorm(2, 6), nn.Tanh(), nn.Flatten(), nn.Dropout(dropped))
    return nn.Sequential(*layers, nn.Linear(384, 10))


def apart(one: NDArray[np.int32], two: NDArray[np.int32], start: NDArray[np.int32]) -> float:
    """The distance of two updates in lengths of the first one's step."""
    difference, step = one.astype(np.float64) - two, one.astype(np.float64) - start
    return float(np.linalg.norm(difference) / np.linalg.norm(step))


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("model", ["2nn", "mlp:32", "cnn", "own"])
def test_client_i_is_trainer_process_i(model: str, momentum: float) -> None:
    """To a fiftieth of the step for every client, to a ten-thousandth for most: who has fewer samples stops earlier,
    short batches count by their samples."""
    hyper = replace(HYPER, momentum=momentum, learning_rate=0.02 if momentum else 0.1, learning_rate_decay=0.9)
    made, start = trainers(model, hyper)
    with open_engine(made, device="cpu") as engine:
        together = list(engine.train(start, 3))
    away = [apart(trainer.train(start, 3), update, start) for trainer, update in zip(made, together, strict=True)]
    assert max(away) <= BOUND and sorted(away)[CLIENTS // 2] <= USUAL


def test_any_stack_of_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some clients in any order, and stacks that hold only two: each gets what it gets beside all others."""
    made, start = trainers()
    with StackedEngine(made, "cpu") as engine:
        together = list(engine.train(start, 3))
        for client, update in zip((4, 0), engine.train(start, 3, [4, 0]), strict=True):
            assert apart(together[client], update, start) <= BOUND
        assert list(engine.train(start, 3, [])) == []
        monkeypatch.setattr(stacked, "_STACK", 2 * len(start))
        parts = list(engine.train(start, 3))
    assert max(apart(one, two, start) for one, two in zip(together, parts, strict=True)) <= BOUND


PROCESS = """
import hashlib
from bcfl_client.learning.stacked import StackedEngine
from tests.client.learning.test_stacked import trainers
made, start = trainers("cnn")
print(hashlib.sha256(b"".join(one.tobytes() for one in StackedEngine(made, "cpu").train(start, 3))).hexdigest())
"""


def test_the_same_stack_gives_the_same_bytes() -> None:
    """In this process, which has one thread, and in another that could have two."""
    made, start = trainers("cnn")
    with StackedEngine(made, "cpu") as engine:
        here = [b"".join(one.tobytes() for one in engine.train(start, 3)) for _ in range(2)]
    done = subprocess.run([sys.executable, "-c", PROCESS], capture_output=True, text=True, check=True)
    assert {done.stdout.strip()} == {hashlib.sha256(one).hexdigest() for one in here}


def test_dropout_is_drawn_anew_in_each_round_and_again_for_the_same() -> None:
    """Whatever the module did before, and without moving the caller's own random numbers."""
    model = from_module(own_module(0.5))
    one = [LocalTrainer(model, *samples(), HYPER, 7)]
    start, state = encode_model(model), torch.random.get_rng_state()
    StackedEngine(trainers("cnn")[0], "cpu")
    (first,) = StackedEngine(one, "cpu").train(start, 3)
    model.logits(model.initial(), samples()[0])  # which leaves the module without dropout
    (again,) = StackedEngine(one, "cpu").train(start, 3)
    (other,) = StackedEngine(one, "cpu").train(start, 4)
    plain = LocalTrainer(from_module(own_module()), *samples(), HYPER, 7).train(start, 3)
    assert np.array_equal(first, again) and apart(first, other, start) > 0.1 < apart(first, plain, start)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_full_device_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """While data go there, and while it trains: an injected fault."""

    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError

    made, start = trainers()
    engine = StackedEngine(made, "cpu")
    monkeypatch.setattr(torch, "from_numpy", full)
    with pytest.raises(BcflError, match="the memory of cpu is full"):
        list(engine.train(start, 0))
    with pytest.raises(BcflError, match="the memory of cpu is full"):
        StackedEngine(made, "cpu")


def test_steps_are_clipped() -> None:
    """No update is farther from the global model than the task allows, to the encoding's last unit."""
    made, start = trainers(hyper=replace(HYPER, clipping_norm=0.5))
    with StackedEngine(made, "cpu") as engine:
        steps = [np.linalg.norm(update.astype(np.float64) - start) for update in engine.train(start, 0)]
    assert max(steps) / 2**FRACTIONAL_BITS == pytest.approx(0.5, rel=1e-4) and max(steps) <= 0.5 * 2**FRACTIONAL_BITS


def test_what_cannot_be_stacked_is_refused() -> None:
    """No such device; shared layers and buffers; clients of different tasks."""
    made, _ = trainers()
    for name in ("nonsense", "cuda:99", "hpu", "meta", ""):
        with pytest.raises(ConfigError, match="torch cannot use the device"):
            StackedEngine(made, name)
    shared = nn.Linear(8, 8)
    with_buffer = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    with_buffer.register_buffer("seen", torch.zeros(1))
    for module in (nn.Sequential(shared, nn.ReLU(), shared, nn.Flatten(), nn.Linear(64, 10)), with_buffer):
        one = LocalTrainer(from_module(module), *samples(), HYPER, 0)
        with pytest.raises(ConfigError, match="without buffers, shared and frozen"):
            StackedEngine([one], "cpu")
    for other in (trainers(hyper=replace(HYPER, batch_size=8))[0][0], trainers()[0][0]):
        with pytest.raises(ValueError, match="one model and one set of hyperparameters"):
            StackedEngine([*made, other], "cpu")


def samples() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    data = load_dataset("digits")
    return data.train_images[:20], data.train_labels[:20]


def test_without_a_device_the_cores_train() -> None:
    """What they always do."""
    made, start = trainers()
    with open_engine(made, 2) as engine:
        assert isinstance(engine, Engine)
        assert all(np.array_equal(one, made[i].train(start, 0)) for i, one in enumerate(engine.train(start, 0)))
