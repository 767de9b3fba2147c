"""Every custom error of the contracts is provoked by some test, and no test names one that does not exist."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any


def test_every_error_is_provoked(
    LearningTask: Any, TaskBidding: Any, TaskBlocks: Any, TaskSettlement: Any, TaskFactory: Any, Reputation: Any
) -> None:
    declared = {
        item["name"]
        for contract in (LearningTask, TaskBidding, TaskBlocks, TaskSettlement, TaskFactory, Reputation)
        for item in contract.abi
        if item["type"] == "error"
    }
    assert provoked() <= declared
    assert {name for name in declared if "_" in name} <= provoked()  # the others are the library's


def provoked() -> set[str]:
    """The names in all calls of `reverts("Contract_Reason", ...)` of this folder."""
    return {
        call.args[0].value
        for path in Path(__file__).parent.rglob("test_*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "reverts"
        if isinstance(call.args[0], ast.Constant)
    }
