"""Python and the contracts' libraries on a few thousand random cases; `scripts/equivalence` compares a million."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_few_thousand_cases_are_alike() -> None:
    command = [sys.executable, ROOT / "scripts" / "equivalence", "--count", "5000"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("5,000 coordinates alike")
