"""The compiler: the launcher that stands for a native one, and the settings that three tools share."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from bcfl_client.chain.compiler import ROOT, SETTINGS, SOLC_VERSION

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SOLC = ROOT / "scripts" / "solc" / f"solc-v{SOLC_VERSION}"


def ask(question: dict[str, Any], *options: str, cwd: Path, **environment: str) -> dict[str, Any]:
    """The launcher's answer to standard JSON."""
    answer = subprocess.run(
        [SOLC, "--standard-json", *options],
        input=json.dumps(question),
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(answer.stdout)


def test_three_tools_compile_alike() -> None:
    """forge, Brownie and the client's own compile step give the same code."""
    forge = tomllib.loads((ROOT / "foundry.toml").read_text())["profile"]["default"]
    brownie = yaml.safe_load((ROOT / "brownie-config.yaml").read_text())["compiler"]
    assert forge["evm_version"] == brownie["evm_version"] == SETTINGS["evmVersion"]
    assert {"enabled": forge["optimizer"], "runs": forge["optimizer_runs"]} == SETTINGS["optimizer"]
    assert brownie["solc"]["optimizer"] == SETTINGS["optimizer"]
    assert forge["remappings"] == brownie["solc"]["remappings"] == SETTINGS["remappings"]
    assert (ROOT / forge["solc"], brownie["solc"]["version"]) == (SOLC, SOLC_VERSION)
    assert "viaIR" not in SETTINGS
    assert not forge["via_ir"]


def test_the_launcher_tells_the_compilers_version() -> None:
    """The answer that saves loading the compiler is the compiler's own."""
    told = subprocess.run([SOLC, "--version"], capture_output=True, text=True, check=True).stdout
    real = subprocess.run(
        ["node", "-p", "require('solc').version()"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert f"Version: {real.strip()}\n" in told


def test_imports_only_from_allowed_folders(tmp_path: Path) -> None:
    """Like a native compiler, the launcher reads no file outside the base path unless told to."""
    base, other = tmp_path / "base", tmp_path / "other"
    for folder in (base, other):
        folder.mkdir()
        (folder / "Part.sol").write_text("pragma solidity 0.8.30; contract Part {}")
    source = 'pragma solidity 0.8.30; import "%s"; contract Whole is Part {}'
    outputs = {"*": {"*": ["evm.bytecode.object"]}}

    def question(path: str) -> dict[str, Any]:
        sources = {"Whole.sol": {"content": source % path}}
        return {"language": "Solidity", "sources": sources, "settings": {"outputSelection": outputs}}

    inside = ask(question("Part.sol"), "--base-path", str(base), cwd=tmp_path)
    assert "Whole" in inside["contracts"]["Whole.sol"]
    outside = ask(question(str(other / "Part.sol")), "--base-path", str(base), cwd=tmp_path)
    assert any("outside the allowed paths" in error["message"] for error in outside["errors"])
    allowed = ask(
        question(str(other / "Part.sol")), "--base-path", str(base), "--allow-paths", str(other), cwd=tmp_path
    )
    assert "Whole" in allowed["contracts"]["Whole.sol"]


@pytest.mark.parametrize(("version", "taken"), [("0.8.30+commit.73712a01", True), ("0.8.31+commit.fd3a2265", False)])
def test_a_native_compiler_takes_over(tmp_path: Path, version: str, taken: bool) -> None:
    """A solc of exactly this version on PATH does the work; any other does not."""
    native = tmp_path / "solc"
    native.write_text(f"#!/bin/sh\necho 'Version: {version}.Linux.g++'\n")
    native.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    told = subprocess.run([SOLC, "--version"], env={**os.environ, "PATH": path}, capture_output=True, text=True).stdout
    assert ("Linux.g++" in told) == taken


def test_unknown_options_are_refused() -> None:
    """A tool that needs more of the compiler finds out at once."""
    refused = subprocess.run([SOLC, "--gas"], capture_output=True, text=True)
    assert refused.returncode == 1
    assert "--gas" in refused.stderr
