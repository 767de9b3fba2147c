"""What a task is about: manifest, validation set and models, fetched and checked against its terms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bcfl_client.chain.digests import content_hash
from bcfl_client.chain.task import Task
from bcfl_client.errors import ConfigError, ContentMismatch
from bcfl_client.learning.encoding import decode_parameters
from bcfl_client.learning.manifest import Manifest
from bcfl_client.learning.model import Model
from bcfl_client.learning.models import build_model
from bcfl_client.learning.tree import parameter_root
from bcfl_client.learning.validation import ValidationSet, decode_validation
from bcfl_client.storage import Content, ContentStore

__all__ = ["Materials", "build_task_model", "fetch_materials", "fetch_parameters"]

_FETCH_SECONDS = 30.0


@dataclass(frozen=True)
class Materials:
    """The public parts of a task."""

    manifest: Manifest
    validation: ValidationSet


def fetch_materials(task: Task, store: ContentStore) -> Materials:
    """Manifest and validation set of `task`. Raises ContentError, ConfigError or DataError for what does not fit."""
    terms = task.terms
    manifest = Manifest.from_bytes(_fetch(store, terms, "manifest"))
    if manifest.parameter_count != terms["parameterCount"]:
        raise ConfigError(
            f"the manifest speaks of {manifest.parameter_count} parameters, the terms of {terms['parameterCount']}"
        )
    validation = decode_validation(_fetch(store, terms, "validation"))
    if (validation.input_shape, validation.classes) != (manifest.input_shape, manifest.classes):
        raise ConfigError("the validation set has other images or classes than the manifest")
    return Materials(manifest, validation)


def fetch_parameters(
    store: ContentStore, digest: bytes, root: bytes, parameter_count: int, timeout_seconds: float = _FETCH_SECONDS
) -> NDArray[np.int32]:
    """The model or update int32 [parameter_count] with this content digest and parameter root.

    Raises ContentError when the bytes are not there in time, too many, or not what the root binds.
    """
    content = Content(digest, 4 * parameter_count)
    data = store.get(content, timeout_seconds)
    values = decode_parameters(data, parameter_count, content.cid)
    if parameter_root(values) != root:
        raise ContentMismatch(content.cid, f"its parameter root is not {root.hex()}")
    return values


def build_task_model(name: str, materials: Materials) -> Model:
    """The participant's own model `name`, if it has the tensors that the manifest lists. Raises ConfigError."""
    model = build_model(name, materials.manifest.input_shape, materials.manifest.classes)
    shapes = tuple((tensor.name, tensor.shape) for tensor in model.shapes)
    if shapes != materials.manifest.tensors:
        count = sum(tensor.size for tensor in model.shapes)
        raise ConfigError(
            f"the model {name} does not fit this task: it has {count} parameters, the task's model "
            f"{materials.manifest.model!r} has {materials.manifest.parameter_count} in other tensors; "
            "name another with --model"
        )
    return model


def _fetch(store: ContentStore, terms: dict[str, object], what: str) -> bytes:
    digest, size, wanted = terms[f"{what}Content"], terms[f"{what}Size"], terms[f"{what}Hash"]
    assert isinstance(digest, bytes) and isinstance(size, int)
    content = Content(digest, size)
    data = store.get(content, _FETCH_SECONDS)
    if content_hash(data) != wanted:
        raise ContentMismatch(content.cid, f"its keccak256 is not the {what} hash of the terms")
    return data
