"""docs/gas.json is what the contracts cost today, and what was promised for updates and fraud proofs holds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMITS = {
    "update.direct.10": 76_000,
    "update.direct.100": 76_000,
    "update.batch.10": 32_000,
    "update.batch.100": 28_000,
    "challenge.mean.10": 300_000,
    "challenge.mean.100": 1_630_000,
    "challenge.median.10": 300_000,
    "challenge.trimmed_mean.10": 300_000,
    "challenge.trimmed_mean.100": 1_900_000,
}


def test_within_limits() -> None:
    gas = json.loads((ROOT / "docs" / "gas.json").read_text())
    assert {name: gas[name] for name in LIMITS if gas[name] > LIMITS[name]} == {}


def test_an_update_costs_the_same_in_every_round_and_company() -> None:
    """Flat in the rounds played and in the number of trainers."""
    gas = json.loads((ROOT / "docs" / "gas.json").read_text())
    direct = gas["update.direct.10"]
    assert abs(gas["update.direct.100"] - direct) < 0.01 * direct
    assert abs(gas["commit.first"] + gas["reveal.first"] - direct) < 0.01 * direct
    assert abs(gas["commit.last"] + gas["reveal.last"] - direct) < 0.01 * direct


def test_snapshot_is_current() -> None:
    """Measured again on a chain of its own: nothing has moved by more than 2 %."""
    done = subprocess.run([sys.executable, ROOT / "scripts" / "gas.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
