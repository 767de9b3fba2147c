"""Custom errors as Brownie shows them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from brownie.exceptions import VirtualMachineError

OUT_OF_RANGE = "Index out of range"  # of an array: a seat that nobody has


@contextmanager
def reverts(name: str, *args: Any) -> Iterator[None]:
    """The block must revert with the error `name` and exactly these arguments.

    Brownie decodes an error by its selector, whichever contract declares it, so errors that come out of the
    delegatecall to a task's pieces read like all others.
    """
    with pytest.raises(VirtualMachineError) as caught:
        yield
    expected = f"{name}: {', '.join(map(_shown, args))}" if name.isidentifier() else name
    assert caught.value.revert_msg == expected


def _shown(value: Any) -> str:
    if isinstance(value, int):
        return str(int(value))  # enum members too
    if isinstance(value, bytes):
        return str(value)
    return str(value).lower()  # accounts and contracts


def term(name: str) -> bytes:
    """A term's name as `TermsRules` gives it."""
    return name.encode().ljust(32, b"\x00")
