"""While the history of an experiment is read: a progress bar on stderr, where there is a terminal."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


class Waiting:
    """Nobody knows beforehand how many messages a scan goes over; how many customers are left is known."""

    def __init__(self) -> None:
        console = Console(stderr=True, highlight=False, emoji=False, markup=False)
        columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._messages = self._progress.add_task("Reading messages", total=None)
        self._journals = self._progress.add_task("Reading journals", total=None, visible=False)

    def __enter__(self) -> Waiting:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def found(self, exposures: int) -> None:
        self._progress.update(self._messages, description=f"Reading messages: {exposures} decisions")

    def read(self, done: int, total: int) -> None:
        self._progress.update(self._journals, completed=done, total=total, visible=True)
