"""Proof of work: the search for a nonce (paper, section III-C, model recording and publishing)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bcfl_client.chain.digests import target
from bcfl_client.learning.keccak import BLOCK_BYTES, keccak256_blocks

__all__ = ["search_nonce"]

_AT_ONCE = 4096  # nonces between two looks at the clock; a few milliseconds


def search_nonce(
    header: bytes, difficulty: int, stop: Callable[[], bool], first: int = 0, below: int | None = None
) -> tuple[int | None, int]:
    """The smallest nonce from `first` on whose `work_digest` meets `difficulty`, or None once `stop()` says so; and
    hashes tried. With `below` the digest, as a number, must be lower than that as well."""
    largest = target(difficulty) if below is None else min(target(difficulty), below - 1)
    limit = largest.to_bytes(32, "big")
    blocks = np.zeros((_AT_ONCE, BLOCK_BYTES), dtype=np.uint8)
    blocks[:, :32] = np.frombuffer(header, dtype=np.uint8)
    blocks[:, 64] = 0x01  # Keccak's padding
    blocks[:, -1] = 0x80
    first_bytes = limit[:8]
    start = first
    while not stop():
        nonces = np.arange(start, start + _AT_ONCE, dtype=">u8")
        blocks[:, 56:64] = nonces.view(np.uint8).reshape(-1, 8)
        digests = keccak256_blocks(blocks)
        heads = digests[:, :8].copy().view(">u8").ravel()
        for i in np.flatnonzero(heads <= int.from_bytes(first_bytes, "big")):
            if digests[i].tobytes() <= limit:
                return start + int(i), start + int(i) + 1 - first
        start += _AT_ONCE
    return None, start - first
