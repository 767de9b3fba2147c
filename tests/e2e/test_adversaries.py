"""The demo with participants that do not keep the rules: they end out of pocket, the honest ones do not."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .conftest import BCFL, run_demo

EVERYBODY = "lazy=1,liar=1,sleeper=1,thief=1"


def test_each_of_them_loses(tmp_path: Path) -> None:
    """What the chain's logs say of each, beside an honest majority that learns, is paid, and is audited."""
    report = run_demo(tmp_path, "--dataset", "digits", "--rounds", "3", "--trainers", "6", "--adversaries", EVERYBODY)
    bad = _losers(report)
    assert list(bad) == ["lazy-0", "sleeper-0", "liar-0", "thief-0", "outsider-0"]

    assert set(bad["lazy-0"]["faults"]) == {"copy"}
    assert set(bad["sleeper-0"]["faults"]) == {"committed and did not reveal"}
    assert bad["liar-0"]["faults"] == {"false result, proven": [1]} and bad["liar-0"]["struck_out"] == 2
    assert bad["thief-0"]["faults"] == {"a seal that it could not open": [1, 2]}
    deposit = 4 * 10**16
    assert bad["liar-0"]["slashed_wei"] == bad["thief-0"]["slashed_wei"] == deposit
    assert all("taken" not in outcome for outcomes in bad["thief-0"]["tried"].values() for outcome in outcomes)
    # Too late where all had committed before it saw the first.
    refusals = bad["outsider-0"]["tried"]["a copied commit"]
    assert refusals and set(refusals) <= {"NotTrainer", "WrongPhase"}

    assert report["audit"]["ok"] and report["totals"]["left_in_contracts_wei"] == 0
    honest = [one for one in report["participants"] if one["role"] in ("trainer", "miner")]
    assert len(honest) == 9 and not any(one["slashed_wei"] for one in honest if one["role"] == "miner")
    assert all(one["paid_wei"] > 0 for one in honest)
    assert "parameter 0 of the aggregate of liar-0 is false: shown to the contract by" in report["output"]
    assert "  liar-0      lost 0.04" in report["output"]


@pytest.mark.skipif("BCFL_DATA" not in os.environ, reason="BCFL_DATA does not name a folder with MNIST")
def test_poison_is_not_paid(tmp_path: Path) -> None:
    """With data enough for scores to tell good from bad, it is out after two rounds, and the model is learnt."""
    report = run_demo(tmp_path, "--rounds", "3", "--adversaries", "poison=2")
    bad = _losers(report)
    assert all(one["faults"] == {"low score": [1, 2]} and one["struck_out"] == 3 for one in bad.values())
    assert report["rounds"][-1]["accuracy"] > 0.85
    assert report["audit"]["ok"]


def test_counts_are_checked_before_anything_starts(tmp_path: Path) -> None:
    """One line, exit code 2."""
    done = subprocess.run(
        [*BCFL, "demo", "--miners", "1", "--adversaries", "liar=1"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert "votes need an honest majority, so name at least --miners 2" in done.stderr
    assert not list(tmp_path.iterdir())


def _losers(report: dict[str, Any]) -> dict[str, Any]:
    """The adversaries by name; none of them has earned anything."""
    bad = {one["name"]: one for one in report["adversaries"]}
    assert all(one["profit_wei"] < 0 and one["earned_wei"] == one["bonds_lost_wei"] == 0 for one in bad.values())
    return bad
