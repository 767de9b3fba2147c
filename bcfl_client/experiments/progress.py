"""What an experiment shows while it runs, on stderr: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

__all__ = ["CellProgress"]

_LINE_SECONDS = 15.0


class CellProgress:
    """Counts cells; tells the time left from how much of the cost is done. A context manager."""

    def __init__(self, title: str, cells: int, cost: float) -> None:
        self._title, self._cells, self._cost = title, cells, cost
        self._done, self._spent = 0, 0.0
        self._start = self._told = time.monotonic()
        console = Console(stderr=True)
        columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("cells")]
        self._bar = Progress(
            *columns, TimeElapsedColumn(), TextColumn("{task.fields[left]}"), console=console, transient=True
        )
        self._console = console
        self._task = self._bar.add_task(title, total=cells, left="")

    def finished(self, cost: float) -> None:
        """One more cell is done."""
        self._done += 1
        self._spent += cost
        now = time.monotonic()
        left = f"about {_span((now - self._start) * (self._cost / self._spent - 1))} left"
        self._bar.update(self._task, completed=self._done, left=left)
        if not self._console.is_terminal and (now - self._told >= _LINE_SECONDS or self._done == self._cells):
            self._told = now
            took = _span(now - self._start)
            self._console.print(
                f"{self._title}: {self._done}/{self._cells} cells after {took}, {left}", highlight=False
            )

    def __enter__(self) -> CellProgress:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()


def _span(seconds: float) -> str:
    """As people say it."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"
