"""Both stores against a real IPFS daemon: the same bytes have the same content id everywhere."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bcfl_client.errors import ContentMissing
from bcfl_client.storage import Content, open_store

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "content_ids.json").read_text())["vectors"]


@pytest.fixture
def store(ipfs_api):
    return open_store(f"ipfs:{ipfs_api}")


def test_daemon_answers(store):
    """The check names the daemon and its version."""
    assert store.check().startswith("IPFS daemon 0.")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["size"]))
def test_vectors(store, tmp_path, vector):
    """The daemon, this package and the vector file agree on the id, and both stores return the bytes."""
    size = vector["size"]
    data = hashlib.shake_128(b"bcfl content id %d" % size).digest(size)
    content = store.put(data)  # compares with the id that the daemon gave
    assert content.cid == vector["cid"]
    assert store.get(content, timeout_seconds=30) == data
    folder = open_store(str(tmp_path))
    assert folder.put(data) == content
    assert folder.get(content) == data


def test_content_nobody_put(store):
    """The daemon would look for it for ever: the deadline holds."""
    started = time.monotonic()
    with pytest.raises(ContentMissing, match=r"within 1\.5 s"):
        store.get(Content.of(os.urandom(796_840)), timeout_seconds=1.5)
    assert 1.5 <= time.monotonic() - started < 2.5


def test_content_that_comes_later(store):
    """A get that waits receives what is put meanwhile."""
    data = os.urandom(300_000)
    writer = threading.Timer(0.5, store.put, [data])
    writer.start()
    assert store.get(Content.of(data), timeout_seconds=30) == data
    writer.join()


def test_many_threads(store):
    """One store object serves several threads at once."""
    blobs = [os.urandom(300_000) for _ in range(12)]
    with ThreadPoolExecutor(6) as threads:
        contents = list(threads.map(store.put, blobs))
        assert list(threads.map(lambda content: store.get(content, timeout_seconds=30), contents)) == blobs
