"""Where two models differ first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["first_difference"]


def first_difference(own: bytes | NDArray[np.int32], other: bytes | NDArray[np.int32]) -> int | None:
    """The first coordinate at which `other` is not `own`; None where there is none.

    Both are encoded (int32 little-endian) or values int32 [count]. Where one is longer, zeros are taken to follow the
    end of the other, as in a tree's last leaf: what differs there is padding, a coordinate after the last parameter.
    None does not say that the two are the same content: the same parameters under another content id differ nowhere,
    and nothing can be shown against them. Raises ValueError for bytes that are no whole number of parameters.
    """
    a, b = _values(own), _values(other)
    common = min(len(a), len(b))
    differs = np.flatnonzero(a[:common] != b[:common])
    if len(differs):
        return int(differs[0])
    rest = np.flatnonzero(a[common:] if len(a) > common else b[common:])
    return common + int(rest[0]) if len(rest) else None


def _values(data: bytes | NDArray[np.int32]) -> NDArray[np.int32]:
    if isinstance(data, np.ndarray):
        return data
    if len(data) % 4:
        raise ValueError(f"{len(data)} bytes are no whole number of 4-byte parameters")
    return np.frombuffer(data, dtype="<i4")
