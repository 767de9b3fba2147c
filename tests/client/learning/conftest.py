"""Shared by the tests of learning: MNIST where BCFL_DATA names it, and random images everywhere."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bcfl_client.learning.datasets import Dataset, load_dataset


@pytest.fixture(scope="session")
def mnist_root() -> Path:
    root = os.environ.get("BCFL_DATA")
    if not root:
        pytest.skip("BCFL_DATA is not set: it names a folder that holds MNIST/raw")
    return Path(root)


@pytest.fixture(scope="session")
def mnist(mnist_root: Path) -> Dataset:
    return load_dataset("mnist", mnist_root)


@pytest.fixture(scope="session")
def images() -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (160, 28, 28), dtype=np.uint8)


@pytest.fixture(scope="session")
def labels() -> NDArray[np.uint8]:
    return np.random.default_rng(2).integers(0, 10, 160, dtype=np.uint8)
