"""The whole life cycle on another chain than Anvil: same bytecode, same clients."""

from __future__ import annotations

from pathlib import Path

from bcfl_client.chain.devchain import DevChain

from .conftest import run_demo


def test_life_cycle_on_ganache(tmp_path: Path) -> None:
    """From deployment to audit, a task on Ganache: nothing relies on what only Anvil does."""
    with DevChain(kind="ganache", block_time=0) as chain:
        report = run_demo(
            tmp_path, "--rpc", chain.url, "--dataset", "digits", "--rounds", "1", "--trainers", "2", "--miners", "2"
        )
    assert report["audit"] == {"ok": True, "differences": []}
    assert report["totals"]["left_in_contracts_wei"] == 0
    assert report["rounds"][0]["block_hash"] is not None
