"""Image data sets by name, as bytes in memory.

MNIST and its relatives are read from torchvision's layout, `<root>/<Folder>/raw/*-ubyte`. The idx files are parsed here
rather than by torchvision: its import alone takes longer than a round, and it trusts what the files say.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bcfl_client.errors import DataError

__all__ = ["DIGITS", "Dataset", "held_out_validation", "load_dataset", "stratified_order"]

DIGITS = "digits"

# Names used here -> torchvision's class, which is also its folder.
TORCHVISION_FOLDERS = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST", "kmnist": "KMNIST"}

_IDX_IMAGES, _IDX_LABELS = 0x00000803, 0x00000801
_MAX_SIDE, _MAX_CLASSES = 1024, 256

# The original files. A file of the same length that differs is a damaged copy, and a header would not show it.
_MNIST_MD5 = {
    ("train-images-idx3-ubyte", 47040016): "6bbc9ace898e44ae57da46a324031adb",
    ("train-labels-idx1-ubyte", 60008): "a25bea736e30d166cdddb491f175f624",
    ("t10k-images-idx3-ubyte", 7840016): "2646ac647ad5339dbf082846283269ea",
    ("t10k-labels-idx1-ubyte", 10008): "27ae3e4e09519cfbb04c329615203637",
}


@dataclass(frozen=True)
class Dataset:
    """Grey images and their classes.

    Images are uint8 [n, height, width], labels uint8 [n] below `classes`. Raises DataError when that does not hold.
    """

    name: str
    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]
    classes: int

    def __post_init__(self) -> None:
        for images, labels in ((self.train_images, self.train_labels), (self.test_images, self.test_labels)):
            if images.dtype != np.uint8 or images.ndim != 3 or labels.dtype != np.uint8:
                raise DataError(f"data set {self.name}: images must be uint8 [n, height, width] and labels uint8 [n]")
            if labels.shape != images.shape[:1] or images.shape[1:] != self.input_shape or not len(labels):
                raise DataError(f"data set {self.name}: images {images.shape} and labels {labels.shape} do not agree")
            if int(labels.max()) >= self.classes:
                raise DataError(f"data set {self.name}: label {int(labels.max())} with only {self.classes} classes")

    @property
    def input_shape(self) -> tuple[int, int]:
        """(height, width) of one image."""
        return self.train_images.shape[1], self.train_images.shape[2]


def load_dataset(name: str, root: Path | None = None) -> Dataset:
    """Returns the data set `name`: digits, mnist, fashion-mnist, kmnist, or any folder in torchvision's layout.

    `root` is the folder that holds `MNIST/raw` and the like; `digits` comes with scikit-learn and needs none.
    `name` comes from the user's own configuration, never from a task.
    Raises DataError when the data set is unknown, missing or damaged; the message names the file.
    """
    if name == DIGITS:
        return _load_digits()
    folder = TORCHVISION_FOLDERS.get(name, name)
    known = ", ".join([DIGITS, *TORCHVISION_FOLDERS])
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", folder):
        raise DataError(f"unknown data set {name!r}: known are {known}, or the name of a folder in BCFL_DATA")
    if root is None:
        raise DataError(f"data set {name} needs a folder: set BCFL_DATA to the one that holds {folder}/raw")
    raw = Path(root) / folder / "raw"
    if not raw.is_dir():
        what = "missing" if name in TORCHVISION_FOLDERS else f"unknown (known are {known})"
        raise DataError(f"data set {name} is {what}: there is no folder {raw}")
    train_images, train_labels = _read_pair(raw, "train")
    test_images, test_labels = _read_pair(raw, "t10k")
    classes = max(int(train_labels.max()), int(test_labels.max())) + 1
    return Dataset(name, train_images, train_labels, test_images, test_labels, classes)


def held_out_validation(dataset: Dataset, count: int = 1000, seed: int = 0) -> tuple[Dataset, NDArray[np.int64]]:
    """Returns the data set without its validation images, and their indices among the original training images.

    Drawn from the training images, never from the test images: `count` of them, at most a sixth of a small set, with
    every class in proportion: else scores would favour who holds what chance drew more often. Raises DataError when
    there are too few.
    """
    total = len(dataset.train_labels)
    count = min(count, total // 6)
    if count < 1:
        raise DataError(f"data set {dataset.name}: {total} training images are too few to hold some out")
    random = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 0x56414C])))
    order = stratified_order(dataset.train_labels, random)
    held_out, rest = np.sort(order[:count]), np.sort(order[count:])
    remaining = replace(dataset, train_images=dataset.train_images[rest], train_labels=dataset.train_labels[rest])
    return remaining, held_out


def stratified_order(labels: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.int64]:
    """Returns the indices of `labels` in a random order, of which every beginning holds the classes in proportion."""
    order = random.permutation(len(labels))
    places = np.empty(len(labels))
    for label in np.unique(labels):
        own = np.flatnonzero(labels[order] == label)
        places[own] = (np.arange(len(own)) + 0.5) / len(own)
    return order[np.argsort(places, kind="stable")]


def _load_digits() -> Dataset:
    # Imported here: scikit-learn takes a second to import and only this data set needs it.
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = (bunch.images.astype(np.uint16) * 255 // 16).astype(np.uint8)  # 0..16 -> 0..255, [1797, 8, 8]
    labels = bunch.target.astype(np.uint8)
    # Writers follow each other in the file, so the split is shuffled, always in the same way.
    order = np.random.Generator(np.random.PCG64(np.random.SeedSequence([0x44494749]))).permutation(len(labels))
    test, train = order[:297], order[297:]
    return Dataset(DIGITS, images[train], labels[train], images[test], labels[test], 10)


def _read_pair(raw: Path, part: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    images = _read_idx(raw / f"{part}-images-idx3-ubyte", _IDX_IMAGES)
    labels = _read_idx(raw / f"{part}-labels-idx1-ubyte", _IDX_LABELS)
    if len(images) != len(labels):
        raise DataError(f"{raw}: {len(images)} {part} images but {len(labels)} labels")
    if max(images.shape[1:]) > _MAX_SIDE:
        raise DataError(f"{raw}: {part} images of {images.shape[1]} x {images.shape[2]}, at most {_MAX_SIDE} a side")
    return images, labels


def _read_idx(path: Path, magic: int) -> NDArray[np.uint8]:
    """Parses one idx file of bytes. Source: the format's description on the MNIST page (LeCun, Cortes, Burges)."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    dimensions = magic & 0xFF
    header = 4 + 4 * dimensions
    if len(data) < header or int.from_bytes(data[:4], "big") != magic:
        raise DataError(f"{path} is not an idx file of {dimensions} dimensions (magic number {data[:4].hex()})")
    shape = tuple(int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(dimensions))
    size = 1
    for side in shape:
        size *= side
    if size == 0 or len(data) != header + size:
        raise DataError(f"{path} is damaged: {len(data)} bytes, its header promises {header + size} for {shape}")
    if path.parent.parent.name == "MNIST":
        expected = _MNIST_MD5.get((path.name, len(data)))
        if expected and hashlib.md5(data, usedforsecurity=False).hexdigest() != expected:
            raise DataError(f"{path} is damaged: its md5 is not that of the original MNIST file; fetch it again")
    return np.frombuffer(data, dtype=np.uint8, offset=header).reshape(shape)
