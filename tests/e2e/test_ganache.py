"""The whole life cycle on another chain than Anvil: same bytecode, same clients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bcfl_client.chain.devchain import DevChain

from .conftest import run_demo

ATTEMPTS = 3  # Ganache 7.9 leaves a request unanswered now and then, which can cost a round its block


def _run(folder: Path) -> dict[str, Any]:
    with DevChain(kind="ganache", block_time=0) as chain:
        return run_demo(
            folder, "--rpc", chain.url, "--dataset", "digits", "--rounds", "1", "--trainers", "2", "--miners", "2"
        )


def test_life_cycle_on_ganache(tmp_path: Path) -> None:
    """From deployment to audit, a task on Ganache: nothing relies on what only Anvil does. With a block or without,
    every wei is accounted for and the audit agrees; and a block there must be."""
    for _ in range(ATTEMPTS):
        report = _run(tmp_path)
        assert report["audit"] == {"ok": True, "differences": []}
        assert report["totals"]["left_in_contracts_wei"] == 0
        if report["rounds"][0]["block_hash"] is not None:
            return
    raise AssertionError("no round got its block")
