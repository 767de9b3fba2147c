"""Local training: the fast path is the slow path, and the same inputs give the same bytes in any process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from bcfl_client.errors import ConfigError, DataError
from bcfl_client.learning import perceptron, torch_model
from bcfl_client.learning.datasets import Dataset
from bcfl_client.learning.encoding import encode_model
from bcfl_client.learning.manifest import Hyperparameters
from bcfl_client.learning.model import Model
from bcfl_client.learning.models import build_model
from bcfl_client.learning.torch_model import TorchModel, from_module, is_perceptron, to_inputs
from bcfl_client.learning.training import LocalTrainer

HYPER = Hyperparameters(learning_rate=0.1)


def train(model: Model, images: NDArray, labels: NDArray, hyper: Hyperparameters = HYPER) -> NDArray[np.int32]:
    return LocalTrainer(model, images, labels, hyper, seed=1, trainer_id=2).train(encode_model(model), 3)


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize(("batch_size", "momentum"), [(1, 0.0), (32, 0.0), (150, 0.0), (500, 0.0), (1, 0.3), (32, 0.9)])
def test_without_autograd_the_same_steps(
    images: NDArray[np.uint8], labels: NDArray[np.uint8], layers: int, batch_size: int, momentum: float
) -> None:
    """In float64 two epochs agree with autograd to 1e-10, as exponentials do, for any depth and batch, the short last
    batch included."""
    hyper = replace(HYPER, batch_size=batch_size, momentum=momentum)
    widths = (*[784, 20, 15][:layers], 10)
    torch.manual_seed(0)
    module = plain(*widths).double()
    epochs = np.stack([np.random.default_rng(seed).permutation(160) for seed in (0, 1)])

    fast = perceptron.from_state(flat(module), widths)
    perceptron.descend(fast, widths, images.reshape(len(images), -1), labels, epochs, batch_size, 0.03, momentum)
    inputs, targets = to_inputs(images).double(), torch.from_numpy(labels.astype(np.int64))
    torch_model.descend(module, inputs, targets, torch.from_numpy(epochs), hyper, 0.03)
    assert np.abs(perceptron.to_state(fast, widths) - flat(module)).max() < 1e-10


def plain(*widths: int) -> nn.Module:
    hidden = [layer for pair in pairwise(widths[:-1]) for layer in (nn.Linear(*pair), nn.ReLU())]
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(*widths[-2:]))


def flat(model: nn.Module) -> NDArray:
    return np.concatenate([tensor.detach().numpy().ravel() for tensor in model.state_dict().values()])


@pytest.mark.parametrize("layers", [(784, 9), (785, 10)])
def test_what_does_not_fit_the_layers_is_refused(
    images: NDArray[np.uint8], labels: NDArray[np.uint8], layers: tuple[int, int]
) -> None:
    """Labels beyond the outputs, images of another size: nothing is read or written outside of the arrays."""
    parameters = np.zeros((layers[0] + 1) * layers[1], dtype=np.float32)
    with pytest.raises(ValueError, match="do not fit layers"):
        perceptron.descend(
            parameters, layers, images.reshape(len(images), -1), labels, np.arange(160)[np.newaxis], 32, 0.1
        )


def test_without_autograd_the_same_update(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
    """In float32, as used, an update agrees with autograd's to a millionth: 17 units of the encoding."""
    torch.manual_seed(0)
    module = plain(784, 200, 200, 10)
    start = encode_model(from_module(module))
    for hyper in (HYPER, replace(HYPER, momentum=0.5)):
        fast, slow = (train(model, images, labels, hyper) for model in (from_module(module), TorchModel(module)))
        assert np.abs(fast.astype(np.int64) - slow).max() <= 17
        assert np.abs(fast.astype(np.int64) - start).max() > 10_000


def test_without_torch_the_same_logits(images: NDArray[np.uint8]) -> None:
    """Predictions of a perceptron are its module's, for any images and however they lie in memory."""
    module = plain(784, 30, 20, 10)
    fast, slow = from_module(module), TorchModel(module)
    parameters = np.random.default_rng(0).normal(0, 0.3, len(fast.initial())).astype(np.float32)
    for some in (images, images[::3], images[:1], images[:0]):
        expected = slow.logits(parameters, some) if len(some) else np.zeros((0, 10))
        assert np.allclose(fast.logits(parameters, some), expected, atol=1e-4)
    with pytest.raises(ValueError, match="do not fit layers"):
        fast.logits(parameters, images[:, 1:])


@pytest.mark.parametrize(
    "module",
    [
        nn.Sequential(nn.Linear(28, 10), nn.ReLU(), nn.Linear(10, 10)),
        nn.Sequential(nn.Flatten(), nn.Linear(784, 10), nn.Tanh(), nn.Linear(10, 10)),
        nn.Sequential(nn.Flatten(), nn.Linear(784, 10, bias=False)),
        nn.Sequential(nn.Flatten(), nn.Linear(784, 10), nn.ReLU(), *[nn.Linear(10, 10), nn.ReLU()] * 2),
        nn.Sequential(nn.Flatten(), nn.Linear(784, 10)).requires_grad_(False),
        nn.Sequential(nn.Flatten(2), nn.Linear(784, 10)),
        nn.Sequential(),
    ],
)
def test_only_plain_perceptrons_take_the_fast_path(module: nn.Module) -> None:
    """Anything that it would train differently is left to autograd."""
    assert not is_perceptron(module)


def test_buffers_take_the_slow_path(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
    """A tensor that no layer has is averaged with the others, and training leaves it as it is."""
    module = plain(784, 10)
    module.register_buffer("mean", torch.full((3,), 0.5))
    model = from_module(module)
    assert not is_perceptron(module) and model.shapes[0].name == "mean"
    assert list(train(model, images, labels, HYPER)[:3]) == [2**23] * 3


def test_shared_layers_take_the_slow_path() -> None:
    """A layer that occurs twice gets two gradients before it changes, which only autograd knows."""
    shared = nn.Linear(10, 10)
    assert not is_perceptron(nn.Sequential(nn.Flatten(), shared, nn.ReLU(), shared))
    assert is_perceptron(nn.Sequential(nn.Flatten(), shared, nn.ReLU(), nn.Linear(10, 10)))


def test_momentum_and_any_module_follow_torch(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
    """The general path is torch.optim.SGD, momentum included, on a convolutional network, over two epochs."""
    hyper = replace(HYPER, momentum=0.9, batch_size=60, local_epochs=2)
    images, labels = images[:100, :8, :8], labels[:100]
    torch.manual_seed(4)
    layers = (nn.Conv2d(1, 6, 3, padding=1), nn.Tanh(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(96, 10))
    twin = nn.Sequential(*layers)
    update = train(from_module(deepcopy(twin)), images, labels, hyper)

    optimiser = torch.optim.SGD(twin.parameters(), lr=0.1, momentum=0.9)
    order = np.random.Generator(np.random.PCG64(np.random.SeedSequence([1, 2, 3])))
    inputs, targets = to_inputs(images), torch.from_numpy(labels.astype(np.int64))
    for _ in range(2):
        for batch in torch.from_numpy(order.permutation(100)).split(60):
            optimiser.zero_grad()
            nn.functional.cross_entropy(twin(inputs[batch]), targets[batch]).backward()
            optimiser.step()
    assert np.abs(update.astype(np.int64) - encode_model(from_module(twin))).max() <= 50


PROGRAM = """
import hashlib
import numpy as np
from bcfl_client.learning.encoding import encode_model
from bcfl_client.learning.manifest import Hyperparameters
from bcfl_client.learning.models import build_model
from bcfl_client.learning.training import LocalTrainer

def digest(name, round_id):
    images = np.random.default_rng(1).integers(0, 256, (100, 8, 8), dtype=np.uint8)
    model = build_model(name, (8, 8), 10, 7)
    trainer = LocalTrainer(model, images, images[:, 0, 0] % 10, Hyperparameters(), 5, 1)
    return hashlib.sha256(trainer.train(encode_model(model), round_id).tobytes()).hexdigest()
"""


def test_same_bytes_in_another_process() -> None:
    """Seed, trainer, round, data and model decide every byte; the process, and what it did before, do not."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM + "print(digest('2nn', 2), digest('cnn', 2))"],
        capture_output=True,
        text=True,
        check=True,
    )
    here: dict[str, Callable[[str, int], str]] = {}
    exec(PROGRAM, here)
    assert here["digest"]("2nn", 1) != done.stdout.split()[0]
    assert [here["digest"](name, 2) for name in ("2nn", "cnn")] == done.stdout.split()


def test_built_in_models_need_no_torch() -> None:
    """Its import takes longer than a round: who trains, scores and averages what a task can name does without it."""
    code = PROGRAM + (
        "digest('2nn', 0)\ndigest('cnn', 0)\nimport sys\n"
        "import bcfl_client.aggregation\nimport bcfl_client.learning.engine\n"
        "import bcfl_client.scoring.similarity\nimport bcfl_client.scoring.validation_accuracy\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_dropout_is_repeatable(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
    """Randomness inside a user's module is seeded too, and torch's global generator is left alone."""
    model = from_module(nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(784, 10)))
    trainer = LocalTrainer(model, images, labels, HYPER, seed=0)
    start = encode_model(model)
    torch.manual_seed(1)
    first, after = trainer.train(start, 0), torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(after, torch.rand(1))
    assert np.array_equal(first, trainer.train(start, 0))


def test_C04_diverged_training_names_the_tensor(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
    """A step far too large ends in an error that says what to do, not in an update."""
    model = build_model("2nn", (28, 28), 10)
    with pytest.raises(ConfigError, match=r"tensor '1\.weight' .* lower learning rate"):
        train(model, images, labels, replace(HYPER, learning_rate=100.0, local_epochs=3))


def test_refuses_no_data_and_other_models(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
    """No samples, labels that do not match, and a global model of another size."""
    model = build_model("2nn", (28, 28), 10)
    for some, other in ((images[:0], labels[:0]), (images, labels[1:])):
        with pytest.raises(DataError, match="cannot train on"):
            LocalTrainer(model, some, other, HYPER, seed=0)
    with pytest.raises(ConfigError, match="199210 parameters, the task's has 5"):
        LocalTrainer(model, images, labels, HYPER, seed=0).train(np.zeros(5, dtype=np.int32), 0)


@pytest.mark.parametrize("name", ["2nn", "cnn", "own"])
def test_a_part_of_shared_data_is_data_of_ones_own(
    images: NDArray[np.uint8], labels: NDArray[np.uint8], name: str
) -> None:
    """Trained on in place or cut out, the same samples give the same bytes; indices that are none are refused."""
    own = from_module(nn.Sequential(nn.Flatten(), nn.Linear(784, 5), nn.Tanh(), nn.Linear(5, 10)))
    model = own if name == "own" else build_model(name, (28, 28), 10)
    part = np.random.default_rng(0).permutation(len(labels))[:45]
    shared = LocalTrainer(model, images, labels, HYPER, seed=0, part=part)
    cut_out = LocalTrainer(model, images[part], labels[part], HYPER, seed=0)
    start = encode_model(model)
    assert shared.train(start, 1).tobytes() == cut_out.train(start, 1).tobytes()
    for wrong in (part[:0], np.array([len(labels)]), np.array([-1])):
        with pytest.raises(DataError, match="they must be some of them"):
            LocalTrainer(model, images, labels, HYPER, seed=0, part=wrong)


def test_rate_decays_by_round(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
    """With decay 0.000001 a later round hardly moves the model."""
    model = build_model("2nn", (28, 28), 10)
    start = encode_model(model)
    trainer = LocalTrainer(model, images, labels, replace(HYPER, learning_rate_decay=0.000001), seed=0)
    first, second = (np.abs(trainer.train(start, r).astype(np.int64) - start).max() for r in (0, 1))
    assert first > 10_000 and second <= 1


def test_steps_are_clipped_to_the_norm_of_the_task(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
    """The same direction, as long as the bound; no bound, or a wide one, changes nothing."""
    model = build_model("2nn", (28, 28), 10)
    start = encode_model(model).astype(np.int64)
    free = train(model, images, labels) - start
    assert np.array_equal(train(model, images, labels, replace(HYPER, clipping_norm=1000.0)) - start, free)
    short = train(model, images, labels, replace(HYPER, clipping_norm=0.0625)) - start
    assert np.linalg.norm(short) == pytest.approx(0.0625 * 2**24, rel=1e-3)
    assert free @ short > 0.9999 * np.linalg.norm(free.astype(float)) * np.linalg.norm(short.astype(float))


def test_learns_mnist(mnist: Dataset) -> None:
    """Three rounds over a tenth of MNIST with the default hyperparameters pass 88 % of the test images."""
    from bcfl_client.scoring.validation_accuracy import ValidationScorer

    model = build_model("2nn", (28, 28), 10)
    trainer = LocalTrainer(model, mnist.train_images[:6000], mnist.train_labels[:6000], Hyperparameters(), seed=0)
    parameters = encode_model(model)
    for round_id in range(3):
        parameters = trainer.train(parameters, round_id)
    assert ValidationScorer(model, mnist.test_images, mnist.test_labels).count(parameters).accuracy_bps > 8800
