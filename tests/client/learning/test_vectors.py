"""Rounding that the source fixes: in one order, fused or not, whatever else is compiled and for whatever processor."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba import njit

from bcfl_client.learning.dense import aligned, backward
from bcfl_client.learning.manifest import Hyperparameters
from bcfl_client.learning.model import Samples
from bcfl_client.learning.models import build_model
from bcfl_client.learning.vectors import ROWS, SAMPLES, exponential, fma, scalar_product, scalar_products


@njit
def fused(a, b, c):  # type: ignore[no-untyped-def]
    return fma(a, b, c)


@njit
def tile(weights, above, below):  # type: ignore[no-untyped-def]
    scalar_products(weights, 0, above, 0, below)


@njit
def one_by_one(weights, above, below):  # type: ignore[no-untyped-def]
    for b in range(len(above)):
        for i in range(len(weights)):
            scalar_product(weights, i, above, b, below)


@njit
def exponentials(values, out):  # type: ignore[no-untyped-def]
    for i in range(len(values)):
        out[i] = exponential(values[i])


def trained() -> str:
    """The hash of a small model after three batches."""
    random = np.random.default_rng(0)
    images, labels = random.integers(0, 256, (30, 8, 8), dtype=np.uint8), random.integers(0, 3, 30, dtype=np.uint8)
    model = build_model("mlp:20", (8, 8), 3)
    logits = model.logits(model.initial(), images)
    epochs, hyper = np.arange(30)[None], Hyperparameters(momentum=0.5)
    parameters = model.train(model.initial(), Samples(images, labels), epochs, hyper, 0.1, 0)
    return hashlib.sha256(parameters.tobytes() + logits.tobytes()).hexdigest()


def test_a_product_and_its_sum_are_rounded_once() -> None:
    """In two roundings the small part is lost."""
    a = np.float32(1 + 2**-12)
    assert fused(a, a, np.float32(-1)) == np.float32(2**-11 + 2**-24)
    assert np.float32(a * a) - np.float32(1) == np.float32(2**-11)
    assert fused(3.0, 4.0, 5.0) == 17.0


def test_an_exponential_is_the_same_on_every_machine() -> None:
    """A million values of float32 from -0 down to where it vanishes, to the bit; off by half a unit, and a little."""
    values = -(np.arange(2**20, dtype=np.uint64) * 0x42D1_0000 >> 20).astype(np.uint32).view(np.float32)
    found = np.empty_like(values)
    exponentials(values, found)
    digest = hashlib.sha256(found.astype("<f4").tobytes()).hexdigest()
    assert digest == "4d75c0d6feeb60ec8ee6a147a4980ecd259da59d976692ecbbe4631fcac7e5d5"
    right = np.exp(values.astype(np.float64))
    unit = np.spacing(np.maximum(found, np.float32(2**-126))).astype(np.float64)
    assert (np.abs(found - right) <= 0.502 * unit).all()


def test_exponentials_at_the_ends() -> None:
    """What is no number stays so, that training diverged is not hidden; far below nothing is left."""
    ends, found = np.array([0.0, -np.inf, np.nan, -104.5, -1e30]), np.empty(5)
    exponentials(ends, found)
    assert np.array_equal(found, [1.0, 0.0, np.nan, 0.0, 0.0], equal_nan=True)


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 200])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_tile_is_the_products_one_by_one(count: int, kind: type) -> None:
    """To the bit; and they are the scalar products, in lanes of eight and the rest."""
    random = np.random.default_rng(count)
    weights, above = random.standard_normal((ROWS, count)).astype(kind), random.standard_normal((SAMPLES, count))
    above = above.astype(kind)
    tiled, single = np.empty((SAMPLES, ROWS), kind), np.empty((SAMPLES, ROWS), kind)
    tile(weights, above, tiled)
    one_by_one(weights, above, single)
    assert tiled.tobytes() == single.tobytes()
    assert np.allclose(tiled, above @ weights.T, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("ins", "outs", "samples"), [(1, 1, 1), (5, 3, 3), (13, 40, 9), (64, 16, 32), (9, 20000, 3)])
def test_gradients_by_inputs_pass_through_those_that_are_not_zero(ins: int, outs: int, samples: int) -> None:
    """For any shape: whole tiles, what is left over of them, and more blocks than one."""
    random = np.random.default_rng(ins)
    layer = random.standard_normal((ins + 1) * outs).astype(np.float32)
    above = random.standard_normal((samples, outs)).astype(np.float32)
    outputs = np.maximum(random.standard_normal((samples, ins)), 0).astype(np.float32)
    below = np.full((samples, ins), np.nan, dtype=np.float32)
    backward(layer, above, outputs, below)
    expected = np.where(outputs != 0, above @ layer[: ins * outs].reshape(ins, outs).T, 0)
    assert np.allclose(below, expected, rtol=1e-4, atol=1e-3)


def test_an_aligned_copy_begins_with_a_cache_line() -> None:
    for count in (1, 3, 1000):
        values = np.arange(count, dtype=np.float32)
        copy = aligned(values)
        assert copy.ctypes.data % 64 == 0 and np.array_equal(copy, values) and not np.shares_memory(copy, values)


def test_another_processor_gives_the_same_bytes(tmp_path: Path) -> None:
    """In a process that compiles anew, in another order, for a processor without AVX and fused products."""
    code = (
        "import sys, importlib.util as u; s = u.spec_from_file_location('t', sys.argv[1]);"
        "t = u.module_from_spec(s); s.loader.exec_module(t); print(t.trained())"
    )
    other = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code, __file__], env=os.environ | other, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == trained()
