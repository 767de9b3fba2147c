"""Models by name, and a user's own factory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from bcfl_client.errors import ConfigError
from bcfl_client.learning.encoding import encode_model
from bcfl_client.learning.model import Model
from bcfl_client.learning.models import build_model, is_built_in


@pytest.mark.parametrize(("name", "shape", "count"), [("2nn", (28, 28), 199_210), ("cnn", (28, 28), 1_663_370)])
def test_has_the_parameters_of_mcmahan_et_al(name: str, shape: tuple[int, int], count: int) -> None:
    """The sizes that the paper of federated averaging gives."""
    model = build_model(name, shape, 10)
    assert sum(tensor.size for tensor in model.shapes) == count
    assert shape_of_logits(model, shape) == (2, 10)


def shape_of_logits(model: Model, shape: tuple[int, int]) -> tuple[int, ...]:
    return model.logits(model.initial(), np.zeros((2, *shape), dtype=np.uint8)).shape


def test_one_hidden_layer_of_a_given_width() -> None:
    """The model of BLADE-FL; a width that is none is refused."""
    assert sum(tensor.size for tensor in build_model("mlp:32", (28, 28), 10).shapes) == 784 * 32 + 32 + 330
    for name in ("mlp:0", "mlp:", "mlp:-3", "mlp:100000"):
        with pytest.raises(ConfigError, match="mlp:"):
            build_model(name, (28, 28), 10)


@pytest.mark.parametrize("name", ["2nn", "cnn"])
def test_fits_other_images(name: str) -> None:
    """Both take the digits' 8 x 8 images and any number of classes."""
    assert shape_of_logits(build_model(name, (8, 8), 3), (8, 8)) == (2, 3)


@pytest.mark.parametrize("name", ["mlp:20", "cnn"])
def test_initial_parameters_depend_on_the_seed_alone(name: str) -> None:
    """The same seed, the same bytes, whatever torch's global generator did before; and that one is left alone."""
    first = encode_model(build_model(name, (8, 8), 10, seed=5))
    torch.manual_seed(123)
    expected = torch.rand(1)
    torch.manual_seed(123)
    assert np.array_equal(first, encode_model(build_model(name, (8, 8), 10, seed=5)))
    assert torch.equal(expected, torch.rand(1))
    assert not np.array_equal(first, encode_model(build_model(name, (8, 8), 10, seed=6)))


TWINS = {
    "2nn": (nn.Flatten(), nn.Linear(64, 200), nn.ReLU(), nn.Linear(200, 200), nn.ReLU(), nn.Linear(200, 9)),
    "cnn": (
        *(nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(256, 512), nn.ReLU(), nn.Linear(512, 9)),
    ),
}


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
@pytest.mark.parametrize("name", ["2nn", "cnn"])
def test_initial_parameters_are_those_of_torchs_layers(name: str, seed: int) -> None:
    """A user rebuilds a built-in model in plain torch and starts from the same bits, under the same names."""
    torch.manual_seed(seed)
    for layer in TWINS[name]:
        if isinstance(layer, nn.Linear | nn.Conv2d):
            layer.reset_parameters()
    state = nn.Sequential(*TWINS[name]).state_dict()
    model = build_model(name, (8, 8), 9, seed)
    assert [(tensor.name, tensor.shape) for tensor in model.shapes] == [
        (name, tuple(tensor.shape)) for name, tensor in state.items()
    ]
    assert model.initial().tobytes() == b"".join(tensor.numpy().tobytes() for tensor in state.values())


def test_runs_a_users_own_factory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With (input_shape, classes), without arguments, or a class."""
    (tmp_path / "own_model.py").write_text(
        "from torch import nn\n"
        "def sized(input_shape, classes): return nn.Sequential(nn.Flatten(), nn.Linear(input_shape[0] ** 2, classes))\n"
        "def fixed(): return nn.Linear(3, 4)\n"
        "class Net(nn.Linear):\n    def __init__(self): super().__init__(2, 2)\n"
        "def wrong(): return 'a model'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert shape_of_logits(build_model("own_model:sized", (8, 8), 10), (8, 8)) == (2, 10)
    assert [tensor.shape for tensor in build_model("own_model:fixed", (8, 8), 10).shapes] == [(4, 3), (4,)]
    assert [tensor.shape for tensor in build_model("own_model:Net", (8, 8), 10).shapes] == [(2, 2), (2,)]
    with pytest.raises(ConfigError, match=r"returned str, not a torch\.nn\.Module"):
        build_model("own_model:wrong", (8, 8), 10)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("3nn", "unknown model '3nn'"),
        ("", "unknown model"),
        ("no_such_package:factory", "ModuleNotFoundError"),
        ("json:no_such_name", "AttributeError"),
        ("json:loads", "json:loads"),
        (":x", "ValueError"),
    ],
)
def test_refuses_what_is_no_model(name: str, message: str) -> None:
    """Unknown names and factories that fail end in one clear error with the cause."""
    with pytest.raises(ConfigError, match=message):
        build_model(name, (8, 8), 10)


def test_what_a_task_may_name_is_built_in() -> None:
    """Nothing that would be imported."""
    assert all(is_built_in(name) for name in ("2nn", "cnn", "mlp:1", "mlp:9999"))
    assert not any(is_built_in(name) for name in ("mlp:0", "mlp:10000", "mlp:32x", "package.module:factory", "", "mlp"))
