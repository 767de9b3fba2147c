"""The journal: what must not be forgotten survives, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from bcfl_client.errors import ConfigError
from bcfl_client.roles.journal import Journal


def test_entries_survive_a_restart(tmp_path: Path) -> None:
    """What `write` returned is what the next process finds: the newest under a kind and round, bytes as hex."""
    journal = Journal(tmp_path)
    journal.write("update", 1, salt=b"\x01" * 32)
    journal.write("update", 2, salt=b"\x02" * 32)
    written = journal.write("update", 2, salt=b"\x03" * 32)
    journal.close()
    again = Journal(tmp_path)
    assert again.find("update", 2) == written
    assert again.find("update", 1)["salt"] == "01" * 32  # type: ignore[index]
    assert again.find("seal", 1) is None
    again.close()


def test_half_written_line_is_dropped(tmp_path: Path) -> None:
    """A power cut in the middle of a line loses that line only, and the next entry starts on a line of its own."""
    journal = Journal(tmp_path)
    journal.write("update", 1, salt=b"\x01" * 32)
    journal.close()
    with open(tmp_path / "journal.jsonl", "a") as file:
        file.write('{"kind": "update", "rou')
    again = Journal(tmp_path)
    assert again.find("update", 1) is not None
    again.write("update", 2, salt=b"\x02" * 32)
    again.close()
    last = Journal(tmp_path)
    assert last.find("update", 1) is not None and last.find("update", 2) is not None
    last.close()


def test_one_process_at_a_time(tmp_path: Path) -> None:
    """Two processes of one account would send the same nonce twice: the second one is told so."""
    journal = Journal(tmp_path)
    with pytest.raises(ConfigError, match="another process"):
        Journal(tmp_path)
    journal.close()
    Journal(tmp_path).close()


def test_folder_is_the_owners_alone(tmp_path: Path) -> None:
    """Salts are secrets until they are revealed."""
    Journal(tmp_path / "state").close()
    assert (tmp_path / "state").stat().st_mode & 0o077 == 0


def test_files_are_whole(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.save("update-1.bin", b"abc")
    assert journal.read("update-1.bin") == b"abc"
    journal.drop("update-1.bin")
    journal.drop("update-1.bin")
    assert not list(tmp_path.glob("*.bin*"))
    journal.close()


def test_entries_of_a_kind(tmp_path: Path) -> None:
    """The newest of each kind and round, by round, after a restart too."""
    journal = Journal(tmp_path)
    for round_id, kind in ((2, "case-b"), (1, "case-a"), (2, "case-a"), (2, "seal")):
        journal.write(kind, round_id, salt=b"\x01")
    journal.write("case-b", 2, salt=b"\x02")
    journal.close()
    again = Journal(tmp_path)
    assert [(one["kind"], one["round"], one["salt"]) for one in again.entries("case-")] == [
        ("case-a", 1, "01"),
        ("case-b", 2, "02"),
        ("case-a", 2, "01"),
    ]
    again.close()
