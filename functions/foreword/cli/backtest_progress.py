"""While a backtest runs: a progress bar on stderr, and each broken record by its line."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


class Waiting:
    """The bar is for people: without a terminal there is none."""

    def __init__(self, *, shown: bool) -> None:
        self._console = Console(stderr=True, highlight=False, emoji=False, markup=False, soft_wrap=True)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
        )
        self._progress = Progress(
            *columns, console=self._console, transient=True, disable=not (shown and self._console.is_terminal)
        )
        self._reading = self._progress.add_task("Reading", total=None)
        self._replaying = self._progress.add_task("Replaying", total=None, visible=False)

    def __enter__(self) -> Waiting:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def reading(self, done: int, total: int) -> None:
        self._progress.update(self._reading, completed=done, total=total)

    def replaying(self, done: int, total: int) -> None:
        self._progress.update(self._replaying, completed=done, total=total, visible=True)

    def broken(self, path: Path, number: int, reason: str) -> None:
        self._console.print(f"{path}:{number}: {reason}")
