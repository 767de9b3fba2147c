"""The compile step, with the real compiler on small projects in folders of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bcfl_client.chain.compiler import ROOT, compile_contracts
from bcfl_client.errors import ConfigError

MAX_DEPLOYED_BYTES = 24_576  # EIP-170
HEAD = "// SPDX-License-Identifier: MIT\npragma solidity 0.8.30;\n"
CLONER = HEAD + (
    'import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";\n'
    'import {ICloner} from "./parts/ICloner.sol";\n'
    "contract Cloner is ICloner {\n"
    "    error Cloner_Refused(uint256 actual, uint256 limit);\n"
    "    function clone(address of_) external returns (address) { return Clones.clone(of_); }\n"
    "}\n"
)
INTERFACE = HEAD + "interface ICloner { function clone(address of_) external returns (address); }\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of two files that uses the compiler and the library of this clone."""
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "solc").symlink_to(ROOT / "scripts" / "solc")
    (tmp_path / "contracts" / "parts").mkdir(parents=True)
    (tmp_path / "contracts" / "Cloner.sol").write_text(CLONER)
    (tmp_path / "contracts" / "parts" / "ICloner.sol").write_text(INTERFACE)
    return tmp_path


def test_one_file_for_each_contract(project: Path) -> None:
    """Own contracts only, interfaces without code, errors in the interface."""
    files = compile_contracts(project)
    assert sorted(files) == ["Cloner", "ICloner"]
    cloner = json.loads(files["Cloner"].read_text())
    assert (cloner["contractName"], cloner["sourceName"]) == ("Cloner", "contracts/Cloner.sol")
    assert {entry["name"] for entry in cloner["abi"]} == {
        "Cloner_Refused",
        "clone",
        "FailedDeployment",
        "InsufficientBalance",
    }
    assert cloner["deployedBytecode"][2:] in cloner["bytecode"]
    assert json.loads(files["ICloner"].read_text())["bytecode"] == "0x"


def test_compiles_only_what_changed(project: Path) -> None:
    """Unchanged sources need no compiler; changed ones are compiled, and contracts that are gone leave no file."""
    files = compile_contracts(project)
    written = files["Cloner"].stat().st_mtime_ns
    (project / "scripts" / "solc").unlink()
    assert compile_contracts(project)["Cloner"].stat().st_mtime_ns == written

    (project / "scripts" / "solc").symlink_to(ROOT / "scripts" / "solc")
    (project / "contracts" / "Cloner.sol").write_text(HEAD + "contract Other {}\n")
    assert sorted(compile_contracts(project)) == ["ICloner", "Other"]


def test_a_lost_file_is_made_again(project: Path) -> None:
    """A folder that somebody tidied by hand does not count as current."""
    compile_contracts(project)["Cloner"].unlink()
    assert compile_contracts(project)["Cloner"].exists()


def test_a_mistake_is_shown_and_leaves_the_old_files(project: Path) -> None:
    """The message names file and line; what was compiled before stays as it was."""
    before = compile_contracts(project)["Cloner"].read_text()
    (project / "contracts" / "Cloner.sol").write_text(CLONER.replace("Clones.clone(of_)", "nowhere"))
    with pytest.raises(ConfigError, match=r"(?s)do not compile: .*contracts/Cloner\.sol:7:.*nowhere"):
        compile_contracts(project)
    assert (project / "build" / "contracts" / "Cloner.json").read_text() == before
    assert [path.name for path in (project / "build").iterdir()] == ["contracts"]


def test_two_contracts_of_one_name(project: Path) -> None:
    """One would overwrite the other's file: refused, naming both places."""
    (project / "contracts" / "Again.sol").write_text(HEAD + "contract ICloner {}\n")
    with pytest.raises(ConfigError, match=r"Again\.sol and contracts/parts/ICloner\.sol both define ICloner"):
        compile_contracts(project)


@pytest.mark.parametrize("gone", ["node_modules", "contracts"])
def test_names_what_is_not_there(project: Path, gone: str) -> None:
    """Without library or sources: one line that names the folder."""
    (project / gone).rename(project / "elsewhere")
    with pytest.raises(ConfigError, match=gone):
        compile_contracts(project)


def test_our_contracts_fit_the_chain() -> None:
    """No contract of this project is larger than Ethereum takes."""
    sizes = {
        name: len(json.loads(path.read_text())["deployedBytecode"]) // 2 - 1
        for name, path in compile_contracts().items()
    }
    assert {name: size for name, size in sizes.items() if size > MAX_DEPLOYED_BYTES} == {}
