"""What `poisoning` found: accuracy after the last round, success of the backdoor, and what attackers earned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bcfl_client.experiments.cells import Row
from bcfl_client.experiments.figures import Curve, Panel, draw
from bcfl_client.experiments.intervals import Estimate, describe_runs, estimate

__all__ = ["report"]

_MEASURES = ("accuracy", "backdoor", "attackers_pay", "attackers_denied", "honest_denied", "honest_out", "diverged")


def report(setting: Any, rows: Sequence[Row], stem: Path) -> dict[str, Any]:
    """Draws accuracy and pay by attack, and accuracy by round; returns the last round's means, and what an attack
    takes from the plain mean without attackers."""
    learning = setting.learning
    defences = list(dict.fromkeys(row["defence"] for row in rows))
    last = [row for row in rows if row["round"] == setting.rounds]
    caption = f"{learning}, {setting.rounds} rounds; {describe_runs(rows)}"
    ticks = ("none", *setting.attacks)

    def curves(measure: str, count: int, ticks: Sequence[str]) -> list[Curve]:
        return [
            Curve(name, range(len(ticks)), [_final(last, measure, name, attack, count) for attack in ticks])
            for name in defences
        ]

    def panels(measure: str, label: str, ticks: Sequence[str]) -> list[Panel]:
        return [
            Panel(f"{count} of {learning.nodes} attack", "attack", label, curves(measure, count, ticks), ticks=ticks)
            for count in setting.attackers
        ]

    accuracy = "share of test images classified correctly"
    draw(stem, "Accuracy under attack", panels("accuracy", accuracy, ticks), caption)
    pay = panels("attackers_pay", "attackers' pay per sample, honest = 1", setting.attacks)
    draw(stem.with_name(f"{stem.name}-pay"), "What attackers earn", pay, caption)
    draw(
        stem.with_name(f"{stem.name}-rounds"),
        f"Accuracy by round, {setting.attackers[-1]} of {learning.nodes} attack",
        [
            Panel(name, "round", accuracy, [_course(rows, name, attack, setting) for attack in setting.attacks])
            for name in defences[1:]
        ],
        caption,
    )
    clean = _final(last, "accuracy", defences[0], "none", 0).mean
    cases = sorted({(row["attack"], row["attackers"]) for row in last}, key=lambda case: (case[1], case[0]))
    return {
        "accuracy_without_attack": clean,
        "cases": [
            {"defence": name, "attack": attack, "attackers": count}
            | {measure: asdict(_final(last, measure, name, attack, count)) for measure in _MEASURES}
            | {"drop_points": 100 * (clean - _final(last, "accuracy", name, attack, count).mean)}
            for name in defences
            for attack, count in cases
        ],
        "table": _table(last, defences, cases),
    }


def _table(last: Sequence[Row], defences: Sequence[str], cases: Sequence[tuple[str, int]]) -> dict[str, Any]:
    """One row for each attack and number of attackers: accuracies, then what the last defence leaves the attackers."""
    columns = ["attack", "attackers", *(f"accuracy, {name}" for name in defences)]
    rows = []
    for attack, count in cases:
        final = {name: _final(last, "accuracy", name, attack, count).mean for name in defences}
        row = [attack, str(count), *(f"{accuracy:.3f}" for accuracy in final.values())]
        for measure in ("backdoor", "attackers_pay"):
            row.append(f"{_final(last, measure, defences[-1], attack, count).mean:.3f}")
        rows.append(row)
    return {"columns": [*columns, f"trigger works, {defences[-1]}", f"attackers' pay, {defences[-1]}"], "rows": rows}


def _final(last: Sequence[Row], measure: str, defence: str, attack: str, count: int) -> Estimate:
    wanted = (defence, attack, 0 if attack == "none" else count)
    return estimate([row[measure] for row in last if (row["defence"], row["attack"], row["attackers"]) == wanted])


def _course(rows: Sequence[Row], defence: str, attack: str, setting: Any) -> Curve:
    wanted = (defence, attack, setting.attackers[-1])
    own = [row for row in rows if (row["defence"], row["attack"], row["attackers"]) == wanted]
    rounds = range(1, setting.rounds + 1)
    return Curve(attack, rounds, [estimate([row["accuracy"] for row in own if row["round"] == one]) for one in rounds])
