"""Scores computed again from the bytes."""

from __future__ import annotations

import threading

from bcfl_client.audit.content import Parameters, Public
from bcfl_client.audit.report import Findings
from bcfl_client.errors import ConfigError
from bcfl_client.learning.manifest import Manifest
from bcfl_client.learning.model import Model
from bcfl_client.learning.models import build_model, is_built_in
from bcfl_client.learning.validation import ValidationSet
from bcfl_client.scoring.validation_accuracy import Counted, ValidationScorer

__all__ = ["Rescorer", "make_rescorer"]

_TOLERANCE_SHARE = 200  # one image of so many: ties between logits that another machine rounds the other way
_LEAST_TOLERANCE = 3


class Rescorer:
    """Counts correct predictions, each model once. Safe to use from threads."""

    def __init__(self, name: str, manifest: Manifest, validation: ValidationSet) -> None:
        self.tolerance = max(_LEAST_TOLERANCE, len(validation.labels) // _TOLERANCE_SHARE)
        self._name = name
        self._manifest = manifest
        self._validation = validation
        self._local = threading.local()
        self._counted: dict[bytes, Counted] = {}

    def build(self) -> Model:
        """A fresh model. Raises ConfigError when it cannot be built."""
        return build_model(self._name, self._manifest.input_shape, self._manifest.classes)

    def count(self, root: bytes, values: Parameters) -> Counted:
        """Correct predictions of the model with these parameters, which `root` binds."""
        if root not in self._counted:
            self._counted[root] = self.scorer().count(values)
        return self._counted[root]

    def scorer(self) -> ValidationScorer:
        """This thread's own."""
        scorer: ValidationScorer | None = getattr(self._local, "scorer", None)
        if scorer is None:
            scorer = ValidationScorer(self.build(), self._validation.images, self._validation.labels)
            self._local.scorer = scorer
        return scorer

    def around(self, counted: Counted) -> tuple[Counted, Counted]:
        """The lowest and the highest count that another machine may have had."""
        low = max(0, counted.correct - self.tolerance)
        high = min(counted.count, counted.correct + self.tolerance)
        return Counted(low, counted.count), Counted(high, counted.count)


def make_rescorer(public: Public, model: str | None, findings: Findings) -> Rescorer | None:
    """A rescorer for the auditor's own `model`, or the built-in one that the manifest names.

    Another name in a manifest is never imported: without `model` a note says that scores are not recomputed.
    """
    manifest, validation = public.manifest, public.validation
    if manifest is None or validation is None:
        findings.notes.append("scores not recomputed: manifest or validation set could not be read")
        return None
    images = (validation.input_shape, validation.classes)
    if not findings.expect("terms", "images and classes of the validation set", _images(manifest), images):
        return None
    name = model or (manifest.model if is_built_in(manifest.model) else None)
    if name is None:
        findings.notes.append(
            f"scores not recomputed: the task's model {manifest.model!r} is not built in; install it and name it"
        )
        return None
    rescorer = Rescorer(name, manifest, validation)
    if tuple((one.name, one.shape) for one in rescorer.build().shapes) != manifest.tensors:
        if model is not None:
            raise ConfigError(f"the model {model} does not fit this task: its tensors are not those of the manifest")
        findings.notes.append(f"scores not recomputed: the built-in model {name} has other tensors than the manifest")
        return None
    return rescorer


def _images(manifest: Manifest) -> tuple[tuple[int, int], int]:
    return manifest.input_shape, manifest.classes
