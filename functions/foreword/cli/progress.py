"""A progress bar on stderr, for people: without a terminal there is none."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import Progress, ProgressColumn


class Waiting:
    """Shown from `with` on, and gone with it. Those who wait add their tasks to `progress`."""

    def __init__(self, *columns: ProgressColumn, shown: bool = True) -> None:
        self.console = Console(stderr=True, highlight=False, emoji=False, markup=False, soft_wrap=True)
        self.progress = Progress(
            *columns, console=self.console, transient=True, disable=not (shown and self.console.is_terminal)
        )

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()
