"""Models by name, and a user's own factory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from bcfl_client.errors import ConfigError
from bcfl_client.learning.encoding import encode_model, tensor_shapes
from bcfl_client.learning.models import build_model, is_built_in


@pytest.mark.parametrize(("name", "shape", "count"), [("2nn", (28, 28), 199_210), ("cnn", (28, 28), 1_663_370)])
def test_has_the_parameters_of_mcmahan_et_al(name: str, shape: tuple[int, int], count: int) -> None:
    """The sizes that the paper of federated averaging gives."""
    model = build_model(name, shape, 10)
    assert sum(tensor.size for tensor in tensor_shapes(model)) == count
    assert model(torch.zeros(2, 1, *shape)).shape == (2, 10)


def test_one_hidden_layer_of_a_given_width() -> None:
    """The model of BLADE-FL; a width that is none is refused."""
    assert sum(tensor.size for tensor in tensor_shapes(build_model("mlp:32", (28, 28), 10))) == 784 * 32 + 32 + 330
    for name in ("mlp:0", "mlp:", "mlp:-3", "mlp:100000"):
        with pytest.raises(ConfigError, match="mlp:"):
            build_model(name, (28, 28), 10)


@pytest.mark.parametrize("name", ["2nn", "cnn"])
def test_fits_other_images(name: str) -> None:
    """Both take the digits' 8 x 8 images and any number of classes."""
    assert build_model(name, (8, 8), 3)(torch.zeros(1, 1, 8, 8)).shape == (1, 3)


def test_initial_parameters_depend_on_the_seed_alone() -> None:
    """The same seed, the same bytes, whatever torch's global generator did before; and that one is left alone."""
    first = encode_model(build_model("2nn", (8, 8), 10, seed=5))
    torch.manual_seed(123)
    expected = torch.rand(1)
    torch.manual_seed(123)
    assert np.array_equal(first, encode_model(build_model("2nn", (8, 8), 10, seed=5)))
    assert torch.equal(expected, torch.rand(1))
    assert not np.array_equal(first, encode_model(build_model("2nn", (8, 8), 10, seed=6)))


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
    assert build_model("own_model:sized", (8, 8), 10)(torch.zeros(1, 1, 8, 8)).shape == (1, 10)
    assert build_model("own_model:fixed", (8, 8), 10)(torch.zeros(1, 3)).shape == (1, 4)
    assert build_model("own_model:Net", (8, 8), 10)(torch.zeros(1, 2)).shape == (1, 2)
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
