"""While the history of an experiment is read: how many messages were found, and how many journals read."""

from __future__ import annotations

from rich.progress import BarColumn, TextColumn, TimeRemainingColumn

from foreword.cli.progress import Waiting


class WaitingForResults(Waiting):
    """Nobody knows beforehand how many messages a scan goes over; how many customers are left is known."""

    def __init__(self) -> None:
        super().__init__(TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
        self._messages = self.progress.add_task("Reading messages", total=None)
        self._journals = self.progress.add_task("Reading journals", total=None, visible=False)

    def found(self, exposures: int) -> None:
        self.progress.update(self._messages, description=f"Reading messages: {exposures} decisions")

    def read(self, done: int, total: int) -> None:
        self.progress.update(self._journals, completed=done, total=total, visible=True)
