"""A content store on an IPFS daemon (Kubo and its like), by its RPC API."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import ipfshttpclient
from ipfshttpclient.exceptions import Error as ClientError

from bcfl_client.errors import ConfigError, ConnectionFailed, ContentMismatch, ContentMissing, ContentTooLarge
from bcfl_client.storage.base import Content
from bcfl_client.storage.cid import CHUNK_BYTES, MAX_LINKS, parse_content_id
from bcfl_client.storage.ipfs_transport import AnswerTooLong, BoundedTransport, Refused

__all__ = ["IpfsStore"]

SHORTEST_LOOK_SECONDS = 1.0  # a daemon cannot say that content is nowhere, it can only look for so long
PAUSE_SECONDS = 0.2  # between two looks, when a daemon without peers says at once that it has nothing
CHECK_SECONDS = 5.0
PUT_SECONDS = 60.0
REPLY_BYTES = 64 * 1024  # of anything but content

# Each import parameter that the content id depends on: a daemon's own defaults differ by version and configuration.
_IMPORT = {
    "cid-version": "1",
    "cid-base": "base32",
    "hash": "sha2-256",
    "chunker": f"size-{CHUNK_BYTES}",
    "raw-leaves": "true",
    "max-file-links": str(MAX_LINKS),
    "trickle": "false",
    "inline": "false",
    "wrap-with-directory": "false",
    "pin": "true",
}
_URL = re.compile(r"(https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5}))/?")
_MULTIADDR = re.compile(r"/(?:ip4|ip6|dns|dns4|dns6)/([^/]+)/tcp/([0-9]+)(?:/(https?))?")


class IpfsStore:
    """The store of the daemon whose RPC API is at `address`: http://HOST:PORT, https://HOST:PORT or a multiaddr.

    The daemon is trusted to keep what it is given, not to tell the truth: what it serves is checked, and so is the
    content id under which it says it stored something.

    Raises ConfigError for an address of another form.
    """

    def __init__(self, address: str) -> None:
        self._api = _api_url(address)
        self._name = f"the IPFS daemon at {self._api}"

    @property
    def url(self) -> str:
        return f"ipfs:{self._api}"

    def check(self) -> str:
        version = self._ask(lambda client: client.version()["Version"], CHECK_SECONDS)
        return f"IPFS daemon {version} at {self._api}"

    def put(self, data: bytes) -> Content:
        content = Content.of(data)
        stored_as = self._ask(lambda client: client.add_bytes(data, opts=_IMPORT), PUT_SECONDS)
        if parse_content_id(stored_as) != parse_content_id(content.cid):
            raise ContentMismatch(content.cid, f"{self._name} stored it as {stored_as}")
        return content

    def get(self, content: Content, timeout_seconds: float = 0) -> bytes:
        seconds = max(timeout_seconds, SHORTEST_LOOK_SECONDS)
        deadline = time.monotonic() + seconds
        while True:
            try:
                data = self._look(content, deadline)
            except AnswerTooLong as error:
                raise ContentTooLarge(content.cid, f"{self._name} sends more than {content.size} bytes") from error
            except (Refused, OSError) as error:
                if deadline - time.monotonic() <= PAUSE_SECONDS:
                    reason = f"{self._name} did not serve it within {seconds:g} s ({error})"
                    raise ContentMissing(content.cid, reason) from error
                time.sleep(PAUSE_SECONDS)
            else:
                content.verify(data, self._name)
                return data

    def _look(self, content: Content, deadline: float) -> bytes:
        # The daemon is told the limits too, so that it does not go on looking or fetching for nobody.
        left_ms = max(1, int(1000 * (deadline - time.monotonic())))
        limits = {"length": str(content.size + 1), "timeout": f"{left_ms}ms"}
        data: bytes = _client(self._api, content.size, deadline).cat(content.cid, opts=limits)
        return data

    def _ask(self, call: Callable[[Any], object], seconds: float) -> str:
        """Return the text of a short reply. Raises ConnectionFailed if the daemon gives none."""
        try:
            reply = call(_client(self._api, REPLY_BYTES, time.monotonic() + seconds))
        except TimeoutError as error:
            raise ConnectionFailed(f"{self._name} did not answer within {seconds:g} s: is it overloaded?") from error
        except (Refused, OSError) as error:
            raise ConnectionFailed(f"{self._name} refused: {error}") from error
        # ipfshttpclient takes the shape of a reply for granted: whatever else comes ends in one of these.
        except (AnswerTooLong, ClientError, AssertionError, LookupError, TypeError, ValueError) as error:
            raise ConnectionFailed(f"{self._name} does not answer as one: check the address") from error
        return ascii(reply)[1:-1][:100]


def _client(api: str, limit_bytes: int, deadline: float) -> Any:
    """Return an ipfshttpclient for one call within limits.

    Built without `ipfshttpclient.connect`, which refuses daemons newer than 0.8 although these calls are the same.
    """
    client = ipfshttpclient.Client()
    client._client = BoundedTransport(f"{api}/api/v0/", limit_bytes, deadline)
    return client


def _api_url(address: str) -> str:
    """Return scheme://host:port of an address in either form."""
    if named := _MULTIADDR.fullmatch(address):
        host, port, scheme = named.groups()
        address = f"{scheme or 'http'}://{f'[{host}]' if ':' in host else host}:{port}"
    # A name and password would end up in logs and process lists: refused, and not repeated in the message.
    if (url := _URL.fullmatch(address)) and 0 < int(url[2]) < 65536:
        return url[1]
    shown = re.sub(r"//.*@", "//***@", address)
    raise ConfigError(
        f"the IPFS address {shown!r} is not of the form http://HOST:PORT or /ip4/HOST/tcp/PORT, without a password"
    )
