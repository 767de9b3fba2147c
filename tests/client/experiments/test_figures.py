"""Figures: the same bytes for the same numbers, legible axes whatever the intervals."""

from __future__ import annotations

import math
from pathlib import Path

from bcfl_client.experiments.figures import Curve, Panel, draw
from bcfl_client.experiments.intervals import Estimate


def panel(half: float = 0.1, log: str = "") -> Panel:
    measured = Curve("measured", [1, 2, 4], [Estimate(y, half) for y in (3.0, 1.0, 2.0)], best=1)
    model = Curve("", [1, 2, 4], [Estimate(y, math.nan) for y in (2.0, 1.5, 2.5)], dashed=True, colour=0)
    return Panel("Loss", "rounds", "nats", [measured, model], log, "model")


def test_same_numbers_same_bytes(tmp_path: Path) -> None:
    """No date and no random name in them."""
    for name in ("one", "two"):
        draw(tmp_path / name, "Title", [panel(), panel(log="xy")], "a caption")
    for suffix in ("png", "svg"):
        assert (tmp_path / f"one.{suffix}").read_bytes() == (tmp_path / f"two.{suffix}").read_bytes()


def test_says_what_it_shows(tmp_path: Path) -> None:
    """Title, axes, legend and caption are text in the SVG; an interval a thousand times the curve does not hide it."""
    draw(tmp_path / "figure", "Title", [panel(half=5000.0)], "a caption")
    text = (tmp_path / "figure.svg").read_text()
    for part in ("Title", "Loss", "rounds", "nats", "measured", "optimum", "model", "a caption"):
        assert f">{part}<" in text, part
    assert ">4000<" not in text
