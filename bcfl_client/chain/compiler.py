"""Compiles the contracts into one JSON file each: `python -m bcfl_client.chain.compiler`, part of `make setup`.

The same compiler and settings as in `foundry.toml` and `brownie-config.yaml`; a test keeps the three alike.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bcfl_client.errors import BcflError, ConfigError

__all__ = ["SETTINGS", "SOLC_VERSION", "compile_contracts"]

ROOT = Path(__file__).resolve().parents[2]
SOLC_VERSION = "0.8.30"
SETTINGS: dict[str, Any] = {
    "evmVersion": "shanghai",
    "optimizer": {"enabled": True, "runs": 200},
    "remappings": ["@openzeppelin/contracts/=node_modules/@openzeppelin/contracts/"],
}
_LIBRARY = Path("node_modules/@openzeppelin/contracts")
_OUTPUTS = ["abi", "evm.bytecode.object", "evm.bytecode.linkReferences", "evm.deployedBytecode.object"]
_STAMP = ".sources"
_log = logging.getLogger(__name__)


def compile_contracts(root: Path = ROOT) -> dict[str, Path]:
    """The files of all contracts of `root/contracts`, by contract name, compiled first where the sources have changed.

    They lie in `root/build/contracts` and hold `contractName`, `sourceName`, `abi`, `bytecode` and `deployedBytecode`
    (0x-prefixed; plain `0x` for interfaces and abstract contracts). A reader finds the old file or the new one, never
    half of one. Raises ConfigError when the compiler is not installed or refuses the sources.
    """
    target = root / "build" / "contracts"
    sources = {path.relative_to(root).as_posix(): path.read_text() for path in sorted(root.glob("contracts/**/*.sol"))}
    digest = _digest(root, sources)
    if not _is_current(target, digest):
        _log.info("compiling %d Solidity files with solc %s", len(sources), SOLC_VERSION)
        _write(target, _artifacts(_compile(root, sources)), digest)
    return {path.stem: path for path in sorted(target.glob("*.json"))}


def _digest(root: Path, sources: dict[str, str]) -> str:
    """Changes with everything that the output depends on."""
    try:
        library = json.loads((root / _LIBRARY / "package.json").read_text())["version"]
    except OSError as error:
        raise ConfigError(f"no OpenZeppelin contracts in {root / _LIBRARY}; run `make setup`") from error
    everything = json.dumps([SOLC_VERSION, SETTINGS, _OUTPUTS, library, sources], sort_keys=True)
    return hashlib.sha256(everything.encode()).hexdigest()


def _is_current(target: Path, digest: str) -> bool:
    """The stamp's first line is the digest, the others are the files that belong to it."""
    try:
        stamp, *names = (target / _STAMP).read_text().splitlines()
    except (OSError, ValueError):
        return False
    return stamp == digest and all((target / name).is_file() for name in names)


def _compile(root: Path, sources: dict[str, str]) -> dict[str, dict[str, Any]]:
    """The compiler's output: source name -> contract name -> output."""
    if not sources:
        raise ConfigError(f"no Solidity files in {root / 'contracts'}")
    folder = root / "scripts" / "solc"
    # py-solc-x makes ~/.solcx when it is imported, unless told where compilers are.
    os.environ.setdefault("SOLCX_BINARY_PATH", str(folder))
    import solcx
    from solcx.exceptions import SolcError

    question = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sources.items()},
        "settings": {**SETTINGS, "outputSelection": {"*": {"*": _OUTPUTS}}},
    }
    compiler = folder / f"solc-v{SOLC_VERSION}"
    try:
        answer = solcx.compile_standard(question, base_path=root, allow_paths=root, solc_binary=compiler)
    except SolcError as error:
        reason = str(error.message if error.error_dict else error.stderr_data)
        raise ConfigError(f"the contracts do not compile: {reason.strip()}") from error
    for message in answer.get("errors", []):
        print(message["formattedMessage"], file=sys.stderr)
    return {name: found for name, found in answer["contracts"].items() if name in sources}


def _artifacts(output: dict[str, dict[str, Any]]) -> Iterable[dict[str, Any]]:
    seen: dict[str, str] = {}
    for source, contracts in output.items():
        for name, compiled in contracts.items():
            if name in seen:
                raise ConfigError(f"{seen[name]} and {source} both define {name}; rename one of them")
            seen[name] = source
            code, deployed = compiled["evm"]["bytecode"], compiled["evm"]["deployedBytecode"]
            if code["linkReferences"]:
                raise ConfigError(f"{name} needs a deployed library; make the library's functions internal")
            yield {
                "contractName": name,
                "sourceName": source,
                "abi": compiled["abi"],
                "bytecode": "0x" + code["object"],
                "deployedBytecode": "0x" + deployed["object"],
            }


def _write(target: Path, artifacts: Iterable[dict[str, Any]], digest: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.mkdir(exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix="contracts-", dir=target.parent))
    try:
        names = []
        for artifact in artifacts:
            names.append(f"{artifact['contractName']}.json")
            (fresh / names[-1]).write_text(json.dumps(artifact, indent=1) + "\n")
        (fresh / _STAMP).write_text("\n".join([digest, *names]) + "\n")
        # The stamp goes last: a run that is cut short is done again.
        for name in [*names, _STAMP]:
            (fresh / name).replace(target / name)
        for path in target.glob("*.json"):
            if path.name not in names:
                path.unlink(missing_ok=True)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _main() -> int:
    logging.basicConfig(level=logging.INFO, format="setup: %(message)s")
    try:
        compile_contracts()
    except BcflError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(_main())
