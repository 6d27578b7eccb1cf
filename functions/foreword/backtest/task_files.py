"""Where a task leaves what is too much to be handed over in memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TaskFiles:
    """All but `customers` are runs of lines; that holds, pickled, each Customer who brought peer values."""

    scratch: Path
    number: int

    @property
    def decisions(self) -> Path:
        """Of the rulebook that is tested."""
        return self._named("decisions")

    @property
    def broken_events(self) -> Path:
        return self._named("broken-events")

    @property
    def broken_profiles(self) -> Path:
        return self._named("broken-profiles")

    @property
    def customers(self) -> Path:
        return self._named("customers")

    def peers(self, nth: int) -> Path:
        """The peer values for the nth rulebook."""
        return self._named(f"peers-{nth}")

    def _named(self, what: str) -> Path:
        return self.scratch / f"{self.number}.{what}"
