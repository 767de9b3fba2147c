"""Figures that can be read alone, as PNG and SVG: the only place that knows matplotlib.

Colours are those of Okabe and Ito, which people with any colour vision tell apart; markers and lines differ as well.
The same numbers give the same bytes.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bcfl_client.experiments.intervals import Estimate
from bcfl_client.files import write_whole

__all__ = ["Curve", "Panel", "draw"]

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_ROOM, _LOG_ROOM = 0.12, 1.5
_ASIDE = 0.14  # between curves at a named place
_FEW = 10  # values of x that are all named on a logarithmic scale
_STYLE: Any = {
    "svg.hashsalt": "bcfl",
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "legend.fontsize": 8,
    "figure.dpi": 110,
}


@dataclass(frozen=True)
class Curve:
    """Estimates over `x`. `best` marks one of its points with a star; `dashed` sets a reading or a model apart;
    `colour` repeats that of another curve by its place; without a `label` the legend leaves it out."""

    label: str
    x: Sequence[float]
    y: Sequence[Estimate]
    best: int | None = None
    dashed: bool = False
    colour: int | None = None


@dataclass(frozen=True)
class Panel:
    """One pair of axes; `log` names those on a logarithmic scale, "x", "y" or "xy"; `dashed` explains dashed lines;
    `ticks` name the places 0, 1, ... of x where these are no numbers: no lines lead from one to the next.

    The axis of y spans the means: a few runs can have intervals that would hide everything else.
    """

    title: str
    x_label: str
    y_label: str
    curves: Sequence[Curve]
    log: str = ""
    dashed: str = ""
    ticks: Sequence[str] = ()


def draw(stem: Path, title: str, panels: Sequence[Panel], caption: str = "") -> None:
    """Writes `stem`.png and `stem`.svg: panels, two in a row, under a title, a caption below."""
    with matplotlib.rc_context(_STYLE):
        across = 2 if len(panels) > 1 else 1
        down = -(-len(panels) // across)
        figure = Figure(figsize=(5.8 * across, 0.6 + 3.8 * down), layout="constrained")
        drawn = []
        for axes, panel in zip_longest(figure.subplots(down, across, squeeze=False).flat, panels):
            if panel is None:
                axes.set_axis_off()
            else:
                _fill(axes, panel)
                drawn.append(axes)
        _explain(figure, drawn)
        figure.suptitle(title)
        if caption:
            figure.supxlabel(caption, fontsize=8)
        _save(figure, stem, "png", {"Software": None})
        _save(figure, stem, "svg", {"Date": None})


def _save(figure: Figure, stem: Path, suffix: str, metadata: dict[str, Any]) -> None:
    data = io.BytesIO()
    figure.savefig(data, format=suffix, metadata=metadata)
    write_whole(stem.with_name(f"{stem.name}.{suffix}"), lambda file: file.write(data.getvalue()))


def _fill(axes: Axes, panel: Panel) -> None:
    for place, curve in enumerate(panel.curves):
        look = place if curve.colour is None else curve.colour
        style: dict[str, Any] = {"color": _COLOURS[look % len(_COLOURS)]}
        means, halves = [one.mean for one in curve.y], [one.half for one in curve.y]
        is_exact = all(map(math.isnan, halves))
        aside = _ASIDE * (place - (len(panel.curves) - 1) / 2) if panel.ticks else 0
        axes.errorbar(
            [x + aside for x in curve.x],
            means,
            None if is_exact else halves,
            marker="" if curve.dashed and is_exact else _MARKERS[look % len(_MARKERS)],
            markersize=4,
            capsize=2,
            linestyle=_line(panel, curve, look),
            linewidth=1.3,
            label=curve.label or None,
            **style,
        )
        if curve.best is not None:
            axes.plot(curve.x[curve.best], means[curve.best], marker="*", markersize=13, linestyle="", **style)
    if any(curve.best is not None for curve in panel.curves):
        axes.plot([], [], marker="*", markersize=10, color="grey", linestyle="", label="optimum")
    if panel.dashed:
        axes.plot([], [], color="grey", linestyle="--", label=panel.dashed)
    for axis in panel.log:
        getattr(axes, f"set_{axis}scale")("log")
        getattr(axes, f"{axis}axis").set_major_formatter(matplotlib.ticker.FormatStrFormatter("%g"))
    places = sorted({x for curve in panel.curves for x in curve.x})
    if panel.ticks:
        axes.set_xticks(range(len(panel.ticks)), panel.ticks, rotation=35, ha="right")
    elif "x" in panel.log and len(places) <= _FEW:
        axes.set_xticks(places, [f"{x:g}" for x in places])
        axes.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    elif "x" not in panel.log and all(x == int(x) for x in places):
        axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True))
    axes.set(title=panel.title, xlabel=panel.x_label, ylabel=panel.y_label)
    _limit(axes, [one.mean for curve in panel.curves for one in curve.y], "y" in panel.log)


def _line(panel: Panel, curve: Curve, look: int) -> str:
    """Dashed as asked for; dotted where the colours come round again."""
    if panel.ticks:
        return ""
    if curve.dashed:
        return "--"
    return "-" if look < len(_COLOURS) else ":"


def _explain(figure: Figure, drawn: Sequence[Axes]) -> None:
    """One legend beside the panels where that of one panel holds for all of them, else one in each."""
    legends = [axes.get_legend_handles_labels() for axes in drawn]
    most = max(legends, key=lambda legend: len(legend[1]))
    if len(drawn) > 1 and all(set(labels) <= set(most[1]) for _, labels in legends):
        figure.legend(*most, loc="outside right center")
    else:
        for axes in drawn:
            axes.legend()


def _limit(axes: Axes, means: Sequence[float], is_log: bool) -> None:
    low, high = min(means), max(means)
    if is_log:
        axes.set_ylim(low / _LOG_ROOM, high * _LOG_ROOM)
    elif high > low:
        room = _ROOM * (high - low)
        axes.set_ylim(low - room, high + room)
