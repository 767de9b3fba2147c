"""What a participant must not forget: written and synced to disk before the transaction that relies on it is sent.

One folder per chain, task and account. After a crash the same bytes go out again: no lost salt, no second opening.
"""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any

from bcfl_client.errors import ConfigError

__all__ = ["Journal"]


class Journal:
    """Entries by (kind, round), JSON lines in `folder`; bytes values as hex. Holds the folder for one process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = open(folder / "lock", "w")  # noqa: SIM115, held open on purpose
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._entries = self._load()
            self._file = open(folder / "journal.jsonl", "a")  # noqa: SIM115, kept for every write
        except BlockingIOError as error:
            self._lock.close()
            raise ConfigError(
                f"another process works for this account in {folder}; end it first"
                " (who trains and mines with one account runs `bcfl node`)"
            ) from error
        except OSError as error:
            raise ConfigError(f"cannot use the state folder {folder}: {error.strerror}") from error

    def find(self, kind: str, round_id: int) -> dict[str, Any] | None:
        """The entry written last under `kind` and `round_id`, or None."""
        return self._entries.get((kind, round_id))

    def entries(self, prefix: str) -> list[dict[str, Any]]:
        """The newest entry of each kind that starts with `prefix`, and round; by round."""
        return sorted(
            (entry for (kind, _), entry in self._entries.items() if kind.startswith(prefix)),
            key=lambda entry: int(entry["round"]),
        )

    def write(self, kind: str, round_id: int, **values: object) -> dict[str, Any]:
        """Adds an entry; returns it when it is safely on disk."""
        entry = {"kind": kind, "round": round_id, **values}
        self._file.write(json.dumps(entry, default=bytes.hex) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._entries[kind, round_id] = json.loads(json.dumps(entry, default=bytes.hex))
        return self._entries[kind, round_id]

    def save(self, name: str, data: bytes) -> None:
        """Writes the file `name` in the folder, whole or not at all."""
        temporary = self.folder / f"{name}.tmp"
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self.folder / name)

    def read(self, name: str) -> bytes:
        """The bytes of the file `name`."""
        return (self.folder / name).read_bytes()

    def drop(self, name: str) -> None:
        """Removes the file `name`, if it is there."""
        (self.folder / name).unlink(missing_ok=True)

    def close(self) -> None:
        """Lets another process use the folder."""
        self._file.close()
        self._lock.close()

    def _load(self) -> dict[tuple[str, int], dict[str, Any]]:
        entries: dict[tuple[str, int], dict[str, Any]] = {}
        path = self.folder / "journal.jsonl"
        if not path.exists():
            return entries
        lines = path.read_text().split("\n")
        for line in lines:
            try:
                entry = json.loads(line)
                entries[entry["kind"], entry["round"]] = entry
            except ValueError:
                continue  # a power cut while it was written: nothing was sent yet that relies on it
        if lines[-1]:
            path.write_text("\n".join([*lines[:-1], ""]))
        return entries
