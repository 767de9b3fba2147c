"""Fetching a data set with torchvision, which knows the mirrors and their checksums, within a time limit.

The work is done in a process of its own (`python -m bcfl_client.learning.download NAME FOLDER`), because only a process
can be ended on time whatever it waits for, and because torchvision takes seconds to import.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from types import ModuleType

from bcfl_client.errors import DataError
from bcfl_client.learning.datasets import TORCHVISION_FOLDERS

__all__ = ["download_dataset", "torchvision_datasets"]

# Asked before torchvision is imported, so that a machine without a network knows it at once.
_HOSTS = {
    "mnist": "https://ossci-datasets.s3.amazonaws.com/",
    "fashion-mnist": "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "kmnist": "http://codh.rois.ac.jp/",
}


def download_dataset(name: str, root: Path, limit_seconds: float = 10.0) -> None:
    """Puts the data set `name` into `root` in torchvision's layout; only complete, checked files are put there.

    Raises DataError when it is none of torchvision's, and when it has not arrived after `limit_seconds`.
    """
    if name not in TORCHVISION_FOLDERS:
        raise DataError(f"data set {name} cannot be downloaded: known are {', '.join(TORCHVISION_FOLDERS)}")
    advice = "set BCFL_DATA to a folder that holds it, or use the data set digits"
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".download-", dir=root) as folder:
        command = [sys.executable, "-m", "bcfl_client.learning.download", name, folder]
        try:
            done = subprocess.run(
                command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=limit_seconds
            )
        except subprocess.TimeoutExpired as error:
            raise DataError(f"data set {name} did not arrive within {limit_seconds:g} s: {advice}") from error
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise DataError(f"data set {name} could not be downloaded ({reason}): {advice}")
        raw = root / TORCHVISION_FOLDERS[name] / "raw"
        raw.mkdir(parents=True, exist_ok=True)
        for file in (Path(folder) / TORCHVISION_FOLDERS[name] / "raw").iterdir():
            os.replace(file, raw / file.name)


def torchvision_datasets() -> ModuleType:
    """Returns `torchvision.datasets`.

    torchvision attaches information to its native operators on import. Next to a CPU-only torch its native library does
    not load and the operators are unknown, so the import fails although no data set needs them: two of them have to be
    declared, without an implementation.
    """
    try:
        return importlib.import_module("torchvision.datasets")
    except RuntimeError:
        import torch

        for operator in ("torchvision::nms", "torchvision::qnms"):
            torch.library.define(operator, "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        return importlib.import_module("torchvision.datasets")


def _main(name: str, folder: str) -> str | None:
    """Downloads into `folder`; returns what went wrong."""
    try:
        urllib.request.urlopen(urllib.request.Request(_HOSTS[name], method="HEAD"), timeout=5).close()
    except urllib.error.HTTPError:
        pass  # it answers, and that is all that was asked
    except OSError as error:
        return f"no network: {getattr(error, 'reason', error)}"
    try:
        getattr(torchvision_datasets(), TORCHVISION_FOLDERS[name])(folder, train=True, download=True)
    except (OSError, RuntimeError) as error:
        return str(error)
    return None


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1], sys.argv[2]))
