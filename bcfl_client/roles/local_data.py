"""The data that one trainer works with: its own part of a data set, without the public validation images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bcfl_client.errors import ConfigError
from bcfl_client.learning.datasets import held_out_validation, load_dataset
from bcfl_client.learning.partitions import partition

__all__ = ["local_data"]


def local_data(
    name: str, root: Path | None, split: str, part: tuple[int, int], seed: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images uint8 [n, height, width] and labels uint8 [n] of part `part` = (k, of n), k from 1.

    `name` and `root` as in `load_dataset`, `split` as in `partition`; whoever gives the same `split`, number of parts
    and `seed` gets parts that do not overlap. Raises DataError, ConfigError.
    """
    number, parts = part
    if not 1 <= number <= parts:
        raise ConfigError(f"part {number}/{parts}: the first number is from 1 to the second")
    dataset, _ = held_out_validation(load_dataset(name, root))
    indices = partition(dataset.train_labels, parts, split, seed)[number - 1]
    return dataset.train_images[indices], dataset.train_labels[indices]
