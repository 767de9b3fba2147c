"""A task's result as files: the final model, how to read it, and what happened."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np

from bcfl_client.chain.history import TaskHistory
from bcfl_client.chain.task import Task
from bcfl_client.errors import ConfigError
from bcfl_client.files import write_whole
from bcfl_client.learning.encoding import FRACTIONAL_BITS
from bcfl_client.learning.manifest import Manifest
from bcfl_client.roles.materials import fetch_materials, fetch_parameters
from bcfl_client.storage import ContentStore

__all__ = ["export_task"]

_TENSOR_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.]*")


def export_task(task: Task, history: TaskHistory, store: ContentStore, folder: Path) -> list[Path]:
    """Writes the task's newest model and record into `folder`; returns the files.

    `model.bin` is the model as the chain binds it (int32, 24 fractional bits), `model.npz` the same as float32 arrays
    by tensor name (`numpy.load`, no pickle), `manifest.json` the manifest, `events.json` terms and every event.
    Raises ContentError when bytes are missing or wrong; then nothing is written.
    """
    head = task.status().head
    manifest = fetch_materials(task, store).manifest
    values = fetch_parameters(store, head.content_digest, head.root, task.terms["parameterCount"])
    arrays = _arrays(manifest, values)
    record = {
        "chain_id": history.chain_id,
        "task": history.published.task,
        "factory": history.factory,
        "publisher": history.published.publisher,
        "terms": history.published.terms,
        "events": [
            {"event": event.name, "block": event.block, "transaction": event.transaction, **event.args}
            for event in history.events
        ],
    }

    def write_arrays(file: IO[bytes]) -> None:
        with zipfile.ZipFile(file, "w") as archive:
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                    np.lib.format.write_array(entry, array, allow_pickle=False)

    text = json.dumps(record, indent=1, default=_plain) + "\n"
    contents: dict[str, Callable[[IO[bytes]], object]] = {
        "model.bin": lambda file: file.write(values.astype("<i4").tobytes()),
        "model.npz": write_arrays,
        "manifest.json": lambda file: file.write(manifest.to_bytes()),
        "events.json": lambda file: file.write(text.encode()),
    }
    return [write_whole(folder / name, write) for name, write in contents.items()]


def _arrays(manifest: Manifest, values: np.ndarray) -> dict[str, np.ndarray]:
    arrays, offset = {}, 0
    for name, shape in manifest.tensors:
        # A stranger's text, about to be a file name in an archive.
        if not _TENSOR_NAME.fullmatch(name) or ".." in name or name in arrays:
            raise ConfigError(f"the manifest names a tensor {ascii(name)[:60]}: no name for an array")
        size = int(np.prod(shape, dtype=np.int64))
        piece = values[offset : offset + size].astype(np.float32) * np.float32(2.0**-FRACTIONAL_BITS)
        arrays[name] = piece.reshape(shape)
        offset += size
    return arrays


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    raise TypeError(type(value).__name__)
