"""What the documents show is what the program does today."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from bcfl_client.roles.task_config import read_task_config

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()


def test_every_command_in_the_readme_exists_with_its_options() -> None:
    """Each `bcfl COMMAND --option` that a reader may copy is known to the command line."""
    shown = re.findall(r"^bcfl (\w+)(.*?)(?:#.*)?$", README, flags=re.M)
    assert {"chain", "key", "deploy", "publish", "train", "mine", "status"} <= {name for name, _ in shown}
    for name, rest in shown:
        done = subprocess.run(
            [sys.executable, "-m", "bcfl_client.cli", name, "--help"], capture_output=True, text=True, check=True
        )
        for option in re.findall(r"--[a-z-]+", rest):
            assert option in done.stdout, (name, option)


def test_every_make_target_in_the_readme_exists() -> None:
    for target in set(re.findall(r"(?:^|`)make ([a-z-]+)", README, flags=re.M)):
        assert re.search(rf"^{target}:", MAKEFILE, flags=re.M), target


def test_task_file_in_the_readme_is_valid(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", README, flags=re.S)
    path = tmp_path / "task.toml"
    path.write_text(block)
    assert read_task_config(path).terms["rounds"] == 10


def test_gas_table_is_the_measured_one() -> None:
    """The README's figures are those of docs/gas.json, which `make gas` writes."""
    gas = json.loads((ROOT / "docs" / "gas.json").read_text())
    rows = dict(re.findall(r"^\| `([\w+.]+)` \| ([\d,]+) \|", README, flags=re.M))
    assert len(rows) >= 13
    assert {name: int(value.replace(",", "")) for name, value in rows.items()} == {name: gas[name] for name in rows}


def test_links_lead_somewhere() -> None:
    for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", document.read_text()):
            assert (document.parent / link).exists(), (document.name, link)
