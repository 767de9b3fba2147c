"""The one line of text that names a store."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bcfl_client.errors import ConfigError
from bcfl_client.storage import Content, open_store


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("dir:/a/b", "dir:/a/b"),
        ("/a/b", "dir:/a/b"),
        ("ipfs:http://127.0.0.1:5001", "ipfs:http://127.0.0.1:5001"),
        ("ipfs:http://127.0.0.1:5001/", "ipfs:http://127.0.0.1:5001"),
        ("ipfs:https://ipfs.example.org:443", "ipfs:https://ipfs.example.org:443"),
        ("ipfs:/ip4/127.0.0.1/tcp/5001", "ipfs:http://127.0.0.1:5001"),
        ("ipfs:/dns4/ipfs.example.org/tcp/443/https", "ipfs:https://ipfs.example.org:443"),
        ("ipfs:/ip6/::1/tcp/5001/http", "ipfs:http://[::1]:5001"),
    ],
)
def test_known_forms(text, url):
    """Each form opens, and the store's own text opens the same again."""
    assert open_store(text).url == url
    assert open_store(url).url == url


def test_relative_path(tmp_path, monkeypatch):
    """A relative folder keeps its meaning in processes that run elsewhere."""
    monkeypatch.chdir(tmp_path)
    assert open_store("store").url == f"dir:{tmp_path}/store"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "dir:",
        "ipfs:",
        "/a\0b",
        "s3:bucket",
        "http://127.0.0.1:5001",  # a daemon or a gateway? it must be said
        "/ip4/127.0.0.1/tcp/5001",  # not a folder of that name
        "ipfs:127.0.0.1:5001",
        "ipfs:http://127.0.0.1",
        "ipfs:http://127.0.0.1:0",
        "ipfs:http://127.0.0.1:65536",
        "ipfs:http://127.0.0.1:5001/api/v0",
        "ipfs:http://user:secret@127.0.0.1:5001",
        "s3://user:secret@bucket",
        "ipfs:http://127.0.0.1:5001\r\nHost: x",
        "ipfs:/ip4/127.0.0.1/udp/5001",
        "ipfs:/ip4/127.0.0.1/tcp/5001/p2p/x",
    ],
)
def test_other_text_is_refused(text):
    """Anything else is refused in one printable line without its password, before anything is contacted."""
    with pytest.raises(ConfigError) as error:
        open_store(text)
    assert str(error.value).isprintable()
    assert "secret" not in str(error.value)


def test_content_checks_itself():
    """A wrong digest or size cannot be built."""
    for digest, size in [(b"short", 1), (bytes(32), -1)]:
        with pytest.raises(ValueError, match="a digest of 32 bytes and a size >= 0"):
            Content(digest, size)


def test_folder_store_starts_fast():
    """Who uses a folder does not pay for the IPFS client's imports."""
    code = (
        "import sys; from bcfl_client import storage; storage.open_store('x'); print('ipfshttpclient' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
