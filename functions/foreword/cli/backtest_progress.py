"""While a backtest runs: a progress bar, and each broken record by its line."""

from __future__ import annotations

from pathlib import Path

from rich.progress import BarColumn, TextColumn, TimeRemainingColumn

from foreword.cli.progress import Waiting


class WaitingForBacktest(Waiting):
    def __init__(self, *, shown: bool) -> None:
        super().__init__(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
            shown=shown,
        )
        self._reading = self.progress.add_task("Reading", total=None)
        self._replaying = self.progress.add_task("Replaying", total=None, visible=False)

    def reading(self, done: int, total: int) -> None:
        self.progress.update(self._reading, completed=done, total=total)

    def replaying(self, done: int, total: int) -> None:
        self.progress.update(self._replaying, completed=done, total=total, visible=True)

    def broken(self, path: Path, number: int, reason: str) -> None:
        self.console.print(f"{path}:{number}: {reason}")
