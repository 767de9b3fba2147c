"""Data sets: torchvision's layout read strictly, digits, and the validation images held out."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from bcfl_client.errors import DataError
from bcfl_client.learning.datasets import Dataset, held_out_validation, load_dataset, stratified_order


def write_idx(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    header = bytes([0, 0, 8, values.ndim]) + b"".join(side.to_bytes(4, "big") for side in values.shape)
    path.write_bytes(header + values.astype(np.uint8).tobytes())


@pytest.fixture
def fashion(tmp_path: Path) -> Path:
    """A small data set in torchvision's layout, as a user would bring it."""
    rng = np.random.default_rng(0)
    for part, count in (("train", 60), ("t10k", 20)):
        write_idx(tmp_path / f"FashionMNIST/raw/{part}-images-idx3-ubyte", rng.integers(0, 256, (count, 28, 28)))
        write_idx(tmp_path / f"FashionMNIST/raw/{part}-labels-idx1-ubyte", np.arange(count) % 10)
    return tmp_path


def test_reads_mnist(mnist: Dataset) -> None:
    """The real MNIST arrives whole: shapes, classes and the published counts of labels."""
    assert mnist.train_images.shape == (60000, 28, 28) and mnist.test_images.shape == (10000, 28, 28)
    assert mnist.classes == 10 and mnist.input_shape == (28, 28)
    assert np.bincount(mnist.train_labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


def test_agrees_with_torchvision(mnist: Dataset, mnist_root: Path) -> None:
    """Our reading of the files is torchvision's, which also proves that torchvision imports next to this torch."""
    from bcfl_client.learning.download import torchvision_datasets

    theirs = torchvision_datasets().MNIST(mnist_root, train=False)
    assert np.array_equal(theirs.data.numpy(), mnist.test_images)
    assert np.array_equal(theirs.targets.numpy(), mnist.test_labels)


def test_reads_any_folder_in_torchvisions_layout(fashion: Path) -> None:
    """Known names map to torchvision's folders, other folders go by their own name."""
    assert len(load_dataset("fashion-mnist", fashion).train_labels) == 60
    (fashion / "FashionMNIST").rename(fashion / "Own_Data")
    assert load_dataset("Own_Data", fashion).classes == 10


def test_reads_digits_without_any_folder() -> None:
    """The embedded data set: 1,797 images of 8 x 8 with the full range of grey, always split in the same way."""
    digits = load_dataset("digits")
    assert digits.train_images.shape == (1500, 8, 8) and digits.test_images.shape == (297, 8, 8)
    assert digits.train_images.max() == 255 and digits.classes == 10
    assert np.array_equal(digits.test_labels, load_dataset("digits").test_labels)
    assert np.bincount(digits.test_labels).min() > 15


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mnist", "mnist is missing"),
        ("cifar", "unknown"),
        ("../FashionMNIST", "unknown data set"),
        ("", "unknown data set"),
        ("a/b", "unknown data set"),
    ],
)
def test_refuses_unknown_and_missing(fashion: Path, name: str, message: str) -> None:
    """A name that is no data set, a path in disguise included, is one clear error."""
    with pytest.raises(DataError, match=message):
        load_dataset(name, fashion)


def test_says_which_variable_is_missing() -> None:
    """Without a folder the message says what to set."""
    with pytest.raises(DataError, match="BCFL_DATA"):
        load_dataset("mnist", None)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: b"", "not an idx file"),
        (lambda data: b"\x80\x04pickle" + data, "not an idx file"),
        (lambda data: data[:-1], "is damaged"),
        (lambda data: data + b"\0", "is damaged"),
        (lambda data: data[:4] + b"\xff\xff\xff\xff" + data[8:], "is damaged"),
        (lambda data: data[:4] + b"\0\0\0\0" + data[8:16], "is damaged"),
    ],
)
def test_refuses_damaged_files(fashion: Path, damage, message: str) -> None:
    """Wrong magic number, length or header: an error that names the file."""
    path = fashion / "FashionMNIST/raw/train-images-idx3-ubyte"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=message) as caught:
        load_dataset("fashion-mnist", fashion)
    assert str(path) in str(caught.value)


def test_refuses_images_and_labels_that_do_not_match(fashion: Path) -> None:
    """As many labels as images, in both parts."""
    write_idx(fashion / "FashionMNIST/raw/t10k-labels-idx1-ubyte", np.zeros(19))
    with pytest.raises(DataError, match="20 t10k images but 19 labels"):
        load_dataset("fashion-mnist", fashion)


def test_refuses_mnist_with_one_changed_byte(mnist_root: Path, tmp_path: Path) -> None:
    """A flipped bit inside an original file, which no header shows, is found by its md5."""
    shutil.copytree(mnist_root / "MNIST/raw", tmp_path / "MNIST/raw")
    path = tmp_path / "MNIST/raw/t10k-images-idx3-ubyte"
    data = bytearray(path.read_bytes())
    data[5000] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    with pytest.raises(DataError, match="t10k-images-idx3-ubyte is damaged: its md5"):
        load_dataset("mnist", tmp_path)


def test_holds_out_training_images_only(fashion: Path) -> None:
    """Validation and remaining images are disjoint and together the whole; tests are untouched; same by seed."""
    dataset = load_dataset("fashion-mnist", fashion)
    remaining, held_out = held_out_validation(dataset, count=7, seed=3)
    assert len(held_out) == 7 and len(remaining.train_labels) == 53
    rest = np.setdiff1d(np.arange(60), held_out)
    assert np.array_equal(remaining.train_images, dataset.train_images[rest])
    assert np.array_equal(remaining.test_images, dataset.test_images)
    assert np.array_equal(held_out, held_out_validation(dataset, count=7, seed=3)[1])
    assert not np.array_equal(held_out, held_out_validation(dataset, count=7, seed=4)[1])
    assert len(held_out_validation(dataset)[1]) == 10  # a small set gives a sixth, not 1,000


def test_validation_images_hold_the_classes_in_proportion() -> None:
    """Of classes of 600, 300 and 100 every beginning of the order has its part, to within one image each."""
    labels = np.repeat(np.arange(3, dtype=np.uint8), (600, 300, 100))
    order = stratified_order(labels, np.random.default_rng(5))
    assert np.array_equal(np.sort(order), np.arange(1000))
    for count in (1, 10, 137, 500, 1000):
        found = np.bincount(labels[order[:count]], minlength=3)
        assert np.abs(found - count * np.array([0.6, 0.3, 0.1])).max() <= 1, count
    assert not np.array_equal(order, stratified_order(labels, np.random.default_rng(6)))
