"""Content ids against a real daemon's (tests/vectors/content_ids.json), and what is refused as one."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest

from bcfl_client.errors import ContentError
from bcfl_client.storage import cid as cid_module
from bcfl_client.storage.cid import DAG_PB, RAW, content_digest, content_id, parse_content_id

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "content_ids.json").read_text())["vectors"]
DIGEST = bytes(range(32))


def text_of(cid: bytes) -> str:
    return "b" + base64.b32encode(cid).decode().lower().rstrip("=")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["size"]))
def test_vectors_of_a_real_daemon(vector):
    """One chunk, many chunks, one level of nodes full to the last link, two levels: digest and text as the daemon's."""
    size = vector["size"]
    data = hashlib.shake_128(b"bcfl content id %d" % size).digest(size)
    assert content_digest(data).hex() == vector["digest"]
    assert content_id(content_digest(data), size) == vector["cid"]
    assert parse_content_id(vector["cid"]) == (content_digest(data), RAW if size <= 262144 else DAG_PB)


def test_three_levels(monkeypatch):
    """174 x 174 + 1 chunks need a third level. The id is a real daemon's, for chunks of 16 bytes to keep it small."""
    monkeypatch.setattr(cid_module, "CHUNK_BYTES", 16)
    size = 16 * (174 * 174 + 1)
    digest = content_digest(hashlib.shake_128(b"levels").digest(size))
    assert content_id(digest, size) == "bafybeidsr2wa35hebfyvpsf3qbmwnl5le6nlcbmoc4j4i4g763dufx36me"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH",  # version 0
        "zb2rhmy65F3REf8SZp7De11gxtECBGgUKaLdiDj7MCGCHxbDW",  # base58
        content_id(DIGEST, 1).upper(),
        content_id(DIGEST, 1) + "=",
        content_id(DIGEST, 1) + "\n",
        content_id(DIGEST, 1)[:-1],
        content_id(DIGEST, 1)[:-1] + "b",  # stray bits after the last byte
        "../" + content_id(DIGEST, 1)[3:],
        text_of(b"\x01\x55\x00\x20" + DIGEST),  # the identity "hash"
        text_of(b"\x01\x55\x00\x03abc"),
        text_of(b"\x01\x55\x1b\x20" + DIGEST),  # keccak-256
        text_of(b"\x01\x71\x12\x20" + DIGEST),  # dag-cbor
        text_of(b"\x02\x55\x12\x20" + DIGEST),  # version 2
        text_of(b"\x01\x55\x12\x1f" + DIGEST),  # a shorter digest than there is
        "\x1b[2J" + content_id(DIGEST, 1)[4:],
    ],
)
def test_E03_other_ids_are_refused(text):
    """Every other version, base, codec, hash function or spelling is refused, in words that are safe to print."""
    with pytest.raises(ContentError) as error:
        parse_content_id(text)
    assert str(error.value).isprintable()


@pytest.mark.parametrize(("digest", "size"), [(DIGEST[:31], 1), (DIGEST, -1)])
def test_bad_digest_and_size(digest, size):
    """A digest of another length or a negative size has no id."""
    with pytest.raises(ValueError, match="a digest of 32 bytes and a size >= 0"):
        content_id(digest, size)
