"""Content ids: CIDv1 of UnixFS, byte for byte what `ipfs add --cid-version=1 --raw-leaves` gives.

A file is cut into 256 KiB chunks, the leaves, each a raw block. One leaf is its own root; more are joined by a
balanced tree of dag-pb nodes with up to 174 links each. An id names the sha2-256 digest of the root block, so whoever
recomputes it from the whole bytes trusts no daemon and no gateway.

The chain stores the digest alone: the codec follows from the length, which is known there.

Sources: https://github.com/multiformats/cid, https://ipld.io/specs/codecs/dag-pb/spec/,
https://specs.ipfs.tech/unixfs/ (layout "balanced").
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import NamedTuple

from bcfl_client.errors import ContentError

__all__ = ["CHUNK_BYTES", "DAG_PB", "MAX_LINKS", "RAW", "content_digest", "content_id", "parse_content_id"]

CHUNK_BYTES = 256 * 1024
MAX_LINKS = 174
RAW = 0x55
DAG_PB = 0x70

_SHA2_256 = b"\x12\x20"  # multihash: function code, digest length
_CID_TEXT = re.compile(r"b[a-z2-7]{58}")


class _Block(NamedTuple):
    """What a parent says about a child."""

    cid: bytes
    file_bytes: int  # bytes of the file below this block
    dag_bytes: int  # bytes of all blocks below and including this one: the link's Tsize


def content_digest(data: bytes) -> bytes:
    """Return the 32-byte sha2-256 digest of the root block of `data`."""
    if len(data) <= CHUNK_BYTES:
        return hashlib.sha256(data).digest()
    view = memoryview(data)
    level = [_leaf(view[start : start + CHUNK_BYTES]) for start in range(0, len(view), CHUNK_BYTES)]
    while len(level) > 1:
        level = [_node(level[start : start + MAX_LINKS]) for start in range(0, len(level), MAX_LINKS)]
    return level[0].cid[-32:]


def content_id(digest: bytes, size: int) -> str:
    """Return the CIDv1 text (base32, lower case) of content with this root digest (32 bytes) and length in bytes.

    Raises ValueError on a digest of another length or a negative size.
    """
    if len(digest) != 32 or size < 0:
        raise ValueError(f"a content id needs a digest of 32 bytes and a size >= 0, not {len(digest)} and {size}")
    return _text(_cid(RAW if size <= CHUNK_BYTES else DAG_PB, digest))


def parse_content_id(text: str) -> tuple[bytes, int]:
    """Return (32-byte digest, codec) of the one form of content id in use here.

    Raises ContentError for anything else: version 0, other bases, codecs or hash functions, the identity "hash"
    (which would let an id carry its own content), upper case, padding, stray bits.
    """
    if not _CID_TEXT.fullmatch(text):
        raise ContentError(ascii(text)[:80], "is not a CIDv1 in base32 of 59 characters")
    cid = base64.b32decode(text[1:].upper() + "=" * 6)
    codec, digest = cid[1], cid[4:]
    # Written again it must be the same text: that covers version, hash function, its length and stray bits at the end.
    if codec not in (RAW, DAG_PB) or _text(_cid(codec, digest)) != text:
        raise ContentError(text, "is not a CIDv1 of a raw or dag-pb block by sha2-256")
    return digest, codec


def _cid(codec: int, digest: bytes) -> bytes:
    return bytes((1, codec)) + _SHA2_256 + digest


def _text(cid: bytes) -> str:
    return "b" + base64.b32encode(cid).decode("ascii").lower().rstrip("=")


def _leaf(chunk: memoryview) -> _Block:
    return _Block(_cid(RAW, hashlib.sha256(chunk).digest()), len(chunk), len(chunk))


def _node(children: list[_Block]) -> _Block:
    """Join up to 174 blocks by a dag-pb node: its links, then UnixFS data that holds no bytes, only lengths."""
    file_bytes = sum(child.file_bytes for child in children)
    links = b"".join(
        # PBNode.Links = 2 of PBLink { Hash = 1, Name = 2 (present and empty), Tsize = 3 }
        _field(2, _field(1, child.cid) + _field(2, b"") + b"\x18" + _varint(child.dag_bytes))
        for child in children
    )
    # UnixFS { Type = 1: File (2), filesize = 3, blocksizes = 4, not packed }
    unixfs = b"\x08\x02\x18" + _varint(file_bytes) + b"".join(b"\x20" + _varint(c.file_bytes) for c in children)
    block = links + _field(1, unixfs)  # dag-pb writes links before data, against the order of field numbers
    dag_bytes = len(block) + sum(child.dag_bytes for child in children)
    return _Block(_cid(DAG_PB, hashlib.sha256(block).digest()), file_bytes, dag_bytes)


def _field(number: int, payload: bytes) -> bytes:
    """Encode a length-delimited protobuf field."""
    return bytes((number << 3 | 2,)) + _varint(len(payload)) + payload


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
