"""What an experiment leaves: a file per finished cell while it runs, then a CSV of all rows and a JSON about them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import os
import platform
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bcfl_client import __version__
from bcfl_client.errors import ConfigError
from bcfl_client.experiments.cells import Cell, Row
from bcfl_client.files import write_whole
from bcfl_client.learning.datasets import Dataset

__all__ = ["CellFiles", "describe_dataset", "markdown", "require_folder", "versions", "write_csv", "write_json"]

_PACKAGES = ("numpy", "numba", "torch", "scipy", "matplotlib")


class CellFiles:
    """Finished cells in `folder`: written whole or not at all, and reused only for the same settings, data and code."""

    def __init__(self, folder: Path, data: Mapping[str, Any]) -> None:
        self._folder = folder
        self._data = data

    def load(self, cell: Cell) -> list[Row] | None:
        """The cell's rows from an earlier run; None when there are none, or of other settings, data or code."""
        try:
            found = json.loads(self._path(cell).read_text())
        except (OSError, ValueError):
            return None
        if not isinstance(found, dict) or found.get("made_of") != self._made_of(cell):
            return None
        rows: list[Row] = found["rows"]
        return rows

    def save(self, cell: Cell, rows: Sequence[Row]) -> None:
        """Keeps the cell's rows. Raises ConfigError when that is not possible."""
        text = json.dumps({"made_of": self._made_of(cell), "rows": list(rows)}, indent=1)
        write_whole(self._path(cell), lambda file: file.write(text.encode()))

    def _path(self, cell: Cell) -> Path:
        return self._folder / f"{cell.key}.json"

    def _made_of(self, cell: Cell) -> dict[str, Any]:
        made_of = {"values": dict(cell.values), "data": dict(self._data), "code": _code_digest()}
        as_read: dict[str, Any] = json.loads(json.dumps(made_of))  # tuples become lists
        return as_read


@cache
def _code_digest() -> str:
    """SHA-256 of what decides the rows: the contracts, and this package but for figures and commands."""
    package, digest = Path(__file__).resolve().parents[1], hashlib.sha256()
    contracts = package.with_name("contracts")
    for path in sorted((*package.rglob("*.py"), *contracts.rglob("*.sol"))):
        if path.parent.name != "cli" and not path.stem.endswith("figures"):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def describe_dataset(dataset: Dataset) -> dict[str, Any]:
    """Its name, sizes and SHA-256, which tells it from another of the same name."""
    digest = hashlib.sha256()
    for part in (dataset.train_images, dataset.train_labels, dataset.test_images, dataset.test_labels):
        digest.update(part.tobytes())
    sizes = {"train": len(dataset.train_labels), "test": len(dataset.test_labels)}
    return {"name": dataset.name, **sizes, "sha256": digest.hexdigest()}


def markdown(table: Mapping[str, Any]) -> str:
    """A report's table as Markdown, its columns aligned."""
    lines = [table["columns"], *table["rows"]]
    widths = [max(map(len, column)) for column in zip(*lines)]
    rows = [" | ".join(text.rjust(width) for text, width in zip(line, widths)) for line in lines]
    rule = "|".join("-" * (width + 1) + ":" for width in widths)
    return "\n".join([f"| {rows[0]} |", f"|{rule}|", *(f"| {row} |" for row in rows[1:])])


def require_folder(folder: Path) -> None:
    """Makes the folder. Raises ConfigError: that it cannot be written to is better known before a run than after."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--out {folder}: {error.strerror}; name a folder that can be written to") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(f"--out {folder}: permission denied; name a folder that can be written to")


def versions() -> dict[str, str]:
    """What the numbers were made with."""
    made_with = {"bcfl": __version__, "code": _code_digest()}
    made_with |= {"python": platform.python_version(), "machine": platform.machine()}
    return made_with | {package: version(package) for package in _PACKAGES}


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """One line per row; numbers are written so that they are read back as they were."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_whole(path, lambda file: file.write(text.getvalue().encode()))


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Indented, in the order of `values`; null for numbers that do not exist, as the interval of a single run."""
    text = json.dumps(_finite(values), indent=1, allow_nan=False) + "\n"
    write_whole(path, lambda file: file.write(text.encode()))


def _finite(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
