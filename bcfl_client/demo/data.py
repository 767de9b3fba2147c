"""Which data set a demo runs on: the one asked for, or the embedded one when it cannot be had."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from bcfl_client.errors import DataError
from bcfl_client.learning.datasets import DIGITS, TORCHVISION_FOLDERS, Dataset, load_dataset
from bcfl_client.learning.download import download_dataset

__all__ = ["DATA_VARIABLE", "choose_dataset"]

DATA_VARIABLE = "BCFL_DATA"


def choose_dataset(name: str, folder: Path, say: Callable[[str], None]) -> tuple[Dataset, Path | None]:
    """The data set and the folder it came from: BCFL_DATA, else `folder`/data, downloaded once if there is a network.

    Falls back to the digits that come with scikit-learn, and says so. Raises DataError when BCFL_DATA is set and does
    not hold it: whoever names a folder wants that data.
    """
    given = os.environ.get(DATA_VARIABLE)
    if name not in TORCHVISION_FOLDERS or given:
        root = Path(given) if given else None
        dataset = load_dataset(name, root)
    else:
        root = folder / "data"
        try:
            dataset = _downloaded(name, root, say)
        except DataError as error:
            say(f"{error}")
            say(f"no {DATA_VARIABLE} and no download: running on scikit-learn's handwritten digits (8 x 8) instead")
            return load_dataset(DIGITS), None
    say(f"data: {dataset.name}, {len(dataset.train_labels)} training and {len(dataset.test_labels)} test images")
    return dataset, root


def _downloaded(name: str, root: Path, say: Callable[[str], None]) -> Dataset:
    try:
        return load_dataset(name, root)
    except DataError:
        say(f"{DATA_VARIABLE} is not set: downloading {name} to {root} (10 s at most)")
        download_dataset(name, root)
        return load_dataset(name, root)
