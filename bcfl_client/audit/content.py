"""The bytes behind a task, each piece read once and held against what the chain promised."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bcfl_client.audit.report import Findings, Unavailable
from bcfl_client.chain.digests import content_hash
from bcfl_client.errors import ConfigError, ContentError, ContentMissing, DataError
from bcfl_client.learning.encoding import decode_parameters
from bcfl_client.learning.manifest import Manifest
from bcfl_client.learning.tree import parameter_root
from bcfl_client.learning.validation import ValidationSet, decode_validation
from bcfl_client.storage import Content, ContentStore

__all__ = ["ContentReader", "Parameters", "Public"]

Parameters = NDArray[np.int32]  # [parameter count]

_PATIENCE_PIECES = 20  # after so many full waits in vain each piece gets a single look


@dataclass(frozen=True)
class Public:
    """Manifest and validation set, as far as they are there and readable."""

    manifest: Manifest | None
    validation: ValidationSet | None


class ContentReader:
    """Reads a task's content from `store`, waiting up to `wait_seconds` for each piece. Safe to use from threads."""

    def __init__(self, store: ContentStore, terms: Mapping[str, Any], wait_seconds: float) -> None:
        self._store = store
        self._terms = terms
        self._wait = wait_seconds
        self._patience = wait_seconds * _PATIENCE_PIECES

    def cid(self, digest: bytes) -> str:
        """Content id of a model or update."""
        return Content(digest, 4 * self._terms["parameterCount"]).cid

    def public(self, findings: Findings) -> Public:
        """Checks what the terms name: manifest, validation set and initial model."""
        manifest: Manifest | None = None
        validation: ValidationSet | None = None
        if (data := self._named("manifest", findings)) is not None:
            try:
                manifest = Manifest.from_bytes(data)
                count = self._terms["parameterCount"]
                findings.expect("terms", "parameters in the manifest", count, manifest.parameter_count)
            except ConfigError as error:
                findings.expect("terms", "manifest", "a readable one", str(error))
        if (data := self._named("validation", findings)) is not None:
            try:
                validation = decode_validation(data)
            except DataError as error:
                findings.expect("terms", "validation set", "a readable one", str(error))
        digest, root = self._terms["initialContent"], self._terms["initialRoot"]
        self.parameters("terms", "initial model", digest, root, findings)
        return Public(manifest, validation)

    def parameters(self, where: str, what: str, digest: bytes, root: bytes, findings: Findings) -> Parameters | None:
        """The parameters under content `digest` if they are there, whole, and bound by `root`."""
        count = self._terms["parameterCount"]
        content = Content(digest, 4 * count)
        data = self._fetch(where, what, content, findings)
        if data is None:
            return None
        values = decode_parameters(data, count, content.cid)
        same = findings.expect(where, f"parameter root of the {what} {content.cid}", root, parameter_root(values))
        return values if same else None

    def _named(self, what: str, findings: Findings) -> bytes | None:
        content = Content(self._terms[f"{what}Content"], self._terms[f"{what}Size"])
        data = self._fetch("terms", what, content, findings)
        if data is not None:
            findings.expect("terms", f"keccak256 of the {what}", self._terms[f"{what}Hash"], content_hash(data))
        return data

    def _fetch(self, where: str, what: str, content: Content, findings: Findings) -> bytes | None:
        """The bytes of `content`; None when they are missing or wrong, which is noted."""
        start = time.monotonic()
        try:
            return self._store.get(content, min(self._wait, max(0.0, self._patience)))
        except ContentMissing as error:
            self._patience -= time.monotonic() - start
            findings.unavailable.append(Unavailable(where, what, content.cid, str(error)))
        except ContentError as error:
            findings.expect(where, f"stored bytes of the {what}", f"those of {content.cid}", str(error))
        return None
