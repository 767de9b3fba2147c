"""Configuration files: TOML, read strictly. Unknown keys and values of another type are errors, never ignored."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bcfl_client.errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["Table", "format_wei", "parse_wei", "read_toml"]

_MAX_BYTES = 1_000_000
_DECIMALS = {"wei": 0, "gwei": 9, "ether": 18}
_AMOUNT = re.compile(r"([0-9]{1,40})(?:\.([0-9]{1,40}))? ?(wei|gwei|ether)")


class Table:
    """One table of a file, whose keys are taken one by one; `finish` refuses what is left over.

    `where` starts every message. Raises ConfigError for a value of another type than asked for.
    """

    def __init__(self, values: Mapping[str, Any], where: str) -> None:
        self.where = where
        self._values = dict(values)

    def table(self, key: str) -> Table:
        """The table `key`, empty when it is not there."""
        return Table(self._take(key, (dict,), "a table") or {}, f"{self.where} [{key}]")

    def text(self, key: str) -> str | None:
        """The text `key`, or None when it is not there."""
        value: str | None = self._take(key, (str,), 'a text in quotes, "like this"')
        return value

    def integer(self, key: str) -> int | None:
        """The whole number `key`, or None when it is not there."""
        value: int | None = self._take(key, (int,), "a whole number")
        return value

    def wei(self, key: str) -> int | None:
        """The amount `key` in wei, or None when it is not there; see `parse_wei`."""
        value = self._take(key, (int, str), 'an amount: whole wei, or a text like "0.5 ether" or "20 gwei"')
        return None if value is None else parse_wei(value, f"{self.where}: {key}")

    def rest(self) -> dict[str, Any]:
        """All that was not taken yet."""
        values, self._values = self._values, {}
        return values

    def finish(self, known: Iterable[str]) -> None:
        """Raises ConfigError when something is left; `known` are the keys that the message lists."""
        if self._values:
            unknown = ascii(next(iter(self._values)))[1:-1][:60]
            raise ConfigError(f"{self.where}: unknown key {unknown}; known are {', '.join(known)}")

    def _take(self, key: str, kinds: tuple[type, ...], wanted: str) -> Any:
        value = self._values.pop(key, None)
        # A bool is an int to Python, not to a reader of the file.
        if value is not None and (not isinstance(value, kinds) or isinstance(value, bool)):
            raise ConfigError(f"{self.where}: {key} must be {wanted}, not {ascii(value)[:60]}")
        return value


def read_toml(path: Path) -> Table:
    """The file's top table. Raises ConfigError when it cannot be read or is no TOML."""
    try:
        with open(path, "rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    if len(data) > _MAX_BYTES:
        raise ConfigError(f"{path} is longer than {_MAX_BYTES} bytes: this is no configuration file")
    try:
        return Table(tomllib.loads(data.decode()), str(path))
    except (ValueError, RecursionError) as error:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
        raise ConfigError(f"{path} is not a TOML file: {error}") from error


def parse_wei(value: int | str, where: str = "amount") -> int:
    """Wei of a whole number (wei already) or of a text with its unit: "20 gwei", "0.5 ether".

    Exact; raises ConfigError for anything else, and for parts of a wei.
    """
    if isinstance(value, int):
        if value < 0:
            raise ConfigError(f"{where}: an amount is not negative")
        return value
    if value.isascii() and value.isdigit():
        return int(value[:80])
    match = _AMOUNT.fullmatch(value.strip())
    if match is None:
        raise ConfigError(f'{where}: {ascii(value)[:60]} is not an amount; write wei, "20 gwei" or "0.5 ether"')
    decimals = _DECIMALS[match[3]]
    fraction = (match[2] or "").rstrip("0")
    if len(fraction) > decimals:
        raise ConfigError(f"{where}: {ascii(value)[:60]} is not a whole number of wei")
    return int(match[1] + fraction.ljust(decimals, "0"))


def format_wei(wei: int) -> str:
    """`wei` for people: exact, in the unit that suits its size."""
    unit = "ether" if abs(wei) >= 10**15 else "gwei" if abs(wei) >= 10**6 else "wei"
    whole, fraction = divmod(abs(wei), 10 ** _DECIMALS[unit])
    decimals = f".{fraction:0{_DECIMALS[unit]}d}".rstrip("0") if fraction else ""
    return f"{'-' if wei < 0 else ''}{whole:,}{decimals} {unit}"
