"""Content stores: where bytes too large for the chain lie, named by what they are.

A store is opened by one line of text, the same in options, configuration files and between processes:

    dir:PATH        a folder (the prefix may be left out)
    ipfs:ADDRESS    an IPFS daemon's RPC API: ipfs:http://127.0.0.1:5001, or ipfs:/ip4/127.0.0.1/tcp/5001
"""

from __future__ import annotations

import re

from bcfl_client.errors import ConfigError
from bcfl_client.storage.base import Content, ContentStore
from bcfl_client.storage.directory import DirectoryStore

__all__ = ["Content", "ContentStore", "open_store"]

_SYNTAX = "write dir:PATH for a folder or ipfs:http://HOST:PORT for an IPFS daemon"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(.*)", re.DOTALL)
_MULTIADDR = re.compile(r"/(ip4|ip6|dns|dns4|dns6)/[^/]+/tcp/")


def open_store(url: str) -> ContentStore:
    """Return the store that `url` names; nothing is created or contacted yet. Raises ConfigError for other text."""
    named = _SCHEME.fullmatch(url)
    scheme, address = (named[1], named[2]) if named else ("dir", url)
    if not address or "\0" in address:
        raise ConfigError(f"the content store {url!r} names no place: {_SYNTAX}")
    if scheme == "ipfs":
        from bcfl_client.storage.ipfs import IpfsStore  # slow to import, and most never need it

        return IpfsStore(address)
    if scheme != "dir" or _MULTIADDR.match(address):
        shown = re.sub(r"//.*@", "//***@", url)
        raise ConfigError(f"the content store {shown!r} is of no known kind: {_SYNTAX}")
    return DirectoryStore(address)
