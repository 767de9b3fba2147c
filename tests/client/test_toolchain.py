"""Setup, lock files and launchers: the parts around the code that decide whether a clean clone works."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ["package.json", "tests/ipfs/package.json"]


# ------------------------------------------------------------ lock files


@pytest.mark.parametrize("manifest", LOCKS)
def test_npm_packages_are_pinned(manifest: str) -> None:
    """Exact versions; every package from the public registry's name, which npm replaces by the configured mirror."""
    wanted = json.loads((ROOT / manifest).read_text())["devDependencies"]
    locked = json.loads((ROOT / manifest.replace("package.json", "package-lock.json")).read_text())["packages"]
    for name, version in wanted.items():
        assert locked[f"node_modules/{name}"]["version"] == version
    hosts = {entry["resolved"].split("/")[2] for entry in locked.values() if "resolved" in entry}
    assert hosts == {"registry.npmjs.org"}


def test_npm_lock_knows_every_system() -> None:
    """`npm ci` refuses a lock without the builds for other systems that the packages name."""
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    for tool in ("anvil", "forge"):
        builds = locked[f"node_modules/@foundry-rs/{tool}"]["optionalDependencies"]
        assert {f"node_modules/{name}" for name in builds} <= set(locked)


def test_python_packages_are_pinned() -> None:
    """One exact version per line, and nothing of requirements.in or pyproject.toml is missing."""

    def name(line: str) -> str:
        return re.split(r"[\[=;> ]", line)[0].lower().replace("_", "-")

    def lines(file: str) -> list[str]:
        return [line for line in (ROOT / file).read_text().splitlines() if line and not line.startswith("#")]

    pinned = lines("requirements.txt")
    assert [line for line in pinned if not re.match(r"[A-Za-z0-9._-]+==[^ ]+( ; |$)", line)] == []
    package = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert {name(line) for line in [*lines("requirements.in"), *package]} <= {name(line) for line in pinned}


# ----------------------------------------------------------------- setup


@pytest.fixture
def bare(tmp_path: Path) -> tuple[Path, Path]:
    """A clone without anything installed, and a PATH with only the shell's own tools."""
    clone, tools = tmp_path / "clone", tmp_path / "bin"
    (clone / "scripts").mkdir(parents=True)
    (clone / "tests" / "ipfs").mkdir(parents=True)
    for file in (
        "scripts/setup",
        "requirements.txt",
        "pyproject.toml",
        "package-lock.json",
        "tests/ipfs/package-lock.json",
    ):
        shutil.copy(ROOT / file, clone / file)
    tools.mkdir()
    for tool in ("sh", "cat", "cksum", "date", "dirname", "grep", "head", "mkdir", "uname"):
        (tools / tool).symlink_to(str(shutil.which(tool)))
    return clone, tools


def test_setup_names_everything_that_is_missing(bare: tuple[Path, Path]) -> None:
    """Each missing requirement with its fix in one line, before anything is installed."""
    clone, tools = bare
    refused = subprocess.run(
        ["sh", "scripts/setup"], cwd=clone, env={"PATH": str(tools)}, capture_output=True, text=True
    )
    assert refused.returncode == 2
    first, *lines = refused.stderr.splitlines()
    assert "nothing was installed" in first
    assert [line.split()[0] for line in lines] == ["Python", "Node", "npm.", "git."]
    assert not (clone / ".venv").exists()


@pytest.mark.parametrize(("tool", "answer"), [("python3", "exit 1"), ("node", "echo v18.19.0; exit 1")])
def test_setup_refuses_old_versions(bare: tuple[Path, Path], tool: str, answer: str) -> None:
    """A tool that is there but too old is missing too."""
    clone, tools = bare
    for name in {"python3", "node", "npm", "git", "cc"} - {tool}:
        (tools / name).symlink_to(sys.executable if name == "python3" else str(shutil.which(name)))
    (tools / tool).write_text(f"#!/bin/sh\n{answer}\n")
    (tools / tool).chmod(0o755)
    refused = subprocess.run(
        ["sh", "scripts/setup"], cwd=clone, env={"PATH": str(tools)}, capture_output=True, text=True
    )
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 2
    assert {"python3": "Python 3.10", "node": "Node 20"}[tool] in refused.stderr


def test_nothing_is_written_to_the_home_folder(tmp_path: Path) -> None:
    """Brownie and forge keep their data in ~ by themselves; the launchers give them a home in the clone."""
    for launcher in ("brownie", "forge"):
        subprocess.run(
            [ROOT / "scripts" / launcher, "--version"],
            env={**os.environ, "HOME": str(tmp_path)},
            capture_output=True,
            check=True,
        )
    assert list(tmp_path.iterdir()) == []


def test_make_prints_its_targets() -> None:
    """`make` alone explains itself: every target with its purpose."""
    printed = subprocess.run(["make", "-s"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.M)
    assert phony
    assert re.findall(r"^  make ([\w-]+) +\w", printed, re.M) == phony[1].split()


# ----------------------------------------------------------- test runner


@pytest.mark.parametrize(
    ("line", "code", "counts"),
    [
        ("=== 2 failed, 475 passed, 3 skipped in 96.17s (0:01:36) ===", 1, {"failed": 2, "passed": 475, "skipped": 3}),
        ("3 passed, 1 error in 0.50s", 1, {"passed": 3, "failed": 1}),
        (
            "Ran 2 test suites in 1.33s (2.43s CPU time): 89 tests passed, 1 failed, 0 skipped (90 total tests)",
            1,
            {"passed": 89, "failed": 1, "skipped": 0},
        ),
        ("no summary: 3 failed attempts", 3, {"failed": 1}),
    ],
)
def test_the_runner_counts(line: str, code: int, counts: dict[str, int], capfd: pytest.CaptureFixture[str]) -> None:
    """Summary lines of both test tools are understood, other lines are not, and the output is passed on."""
    loader = importlib.machinery.SourceFileLoader("runner", str(ROOT / "scripts" / "test"))
    spec = importlib.util.spec_from_loader("runner", loader)
    assert spec
    runner = importlib.util.module_from_spec(spec)
    loader.exec_module(runner)
    command = [sys.executable, "-c", f"print({line!r}); raise SystemExit({code})"]
    runner.PARTS["part"] = command
    about, counted = runner.run("part")
    assert counted == Counter(counts) and f"{counts['failed']} failed" in about
    assert f"part    | {line}" in capfd.readouterr().out
