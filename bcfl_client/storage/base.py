"""What a content store is, and what names a piece of content in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from bcfl_client.errors import ContentMismatch, ContentTooLarge
from bcfl_client.storage.cid import content_digest, content_id

__all__ = ["Content", "ContentStore"]


@dataclass(frozen=True)
class Content:
    """Bytes, by the digest of their root block (32 bytes, as the chain holds it) and their length in bytes.

    Raises ValueError for a digest of another length or a negative size.
    """

    digest: bytes
    size: int

    def __post_init__(self) -> None:
        content_id(self.digest, self.size)

    @classmethod
    def of(cls, data: bytes) -> Content:
        """Return what names `data`."""
        return cls(content_digest(data), len(data))

    @cached_property
    def cid(self) -> str:
        """The CIDv1 text, as a daemon gives it."""
        return content_id(self.digest, self.size)

    def verify(self, data: bytes, source: str) -> None:
        """Raise ContentTooLarge or ContentMismatch, naming `source`, unless `data` is exactly this content."""
        if len(data) > self.size:
            raise ContentTooLarge(self.cid, f"{source} holds more than the promised {self.size} bytes")
        if len(data) < self.size:
            raise ContentMismatch(self.cid, f"{source} holds {len(data)} bytes, {self.size} are promised")
        if content_digest(data) != self.digest:
            raise ContentMismatch(self.cid, f"{source} holds other bytes: their content id is {Content.of(data).cid}")


class ContentStore(Protocol):
    """Where updates, models, manifests and validation sets lie. Safe to use from many threads and processes at once."""

    @property
    def url(self) -> str:
        """The text that opens the same store again, from any folder: see `open_store`."""

    def check(self) -> str:
        """Return one line that says what answers; raise ConnectionFailed if nothing does. Writes nothing."""

    def put(self, data: bytes) -> Content:
        """Store `data` durably and return what names it. Storing the same bytes again changes nothing.

        Raises ConnectionFailed if the store cannot be reached or written to.
        """

    def get(self, content: Content, timeout_seconds: float = 0) -> bytes:
        """Return exactly the bytes that `content` names, whoever serves them: length and digest are checked.

        Waits up to `timeout_seconds` for content that is not there yet, transfer included; 0 is a single look.
        At most `content.size` + 1 bytes are ever read.

        Raises ContentMissing when the time is over, ContentMismatch and ContentTooLarge for other bytes, and
        ConnectionFailed if the fault is not the content's: the store itself cannot be reached.
        """
