"""Events as plain Python values."""

from __future__ import annotations

from typing import Any


def logs(tx: Any, name: str) -> list[dict[str, Any]]:
    """All events `name` of a transaction, in order."""
    return [plain(dict(event)) for event in tx.events[name]] if name in tx.events else []


def log(tx: Any, name: str) -> dict[str, Any]:
    """The only event `name` of a transaction."""
    (only,) = logs(tx, name)
    return only


def names(tx: Any) -> list[str]:
    """The names of all events in order."""
    return [event.name for event in tx.events]


def plain(value: Any) -> Any:
    """`value` without Brownie's types: bytes, str, int, bool, tuple, dict."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return tuple(plain(part) for part in value)
    if isinstance(value, bytes):
        return bytes(value)
    return value
