"""Where a task leaves what is too much to be handed over in memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TaskFiles:
    """Most are runs of lines. Pickled: `customers`, each Customer who brought peer values; `asides`, those whose
    messages count for the volume of a day; `claims`, what these claim.
    """

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

    @property
    def asides(self) -> Path:
        return self._named("asides")

    @property
    def aside_decisions(self) -> Path:
        """Of the customers who were put aside."""
        return self._named("aside-decisions")

    def claims(self, nth: int) -> Path:
        """For the nth rulebook, as all that follow."""
        return self._named(f"claims-{nth}")

    def claim_lines(self, nth: int) -> Path:
        return self._named(f"claim-lines-{nth}")

    def refusals(self, nth: int) -> Path:
        """By which `claims` were made; lines in order of time."""
        return self._named(f"refusals-{nth}")

    def new_refusals(self, nth: int) -> Path:
        """That follow from them."""
        return self._named(f"new-refusals-{nth}")

    def peers(self, nth: int) -> Path:
        """The peer values for the nth rulebook."""
        return self._named(f"peers-{nth}")

    def _named(self, what: str) -> Path:
        return self.scratch / f"{self.number}.{what}"
