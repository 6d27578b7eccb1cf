"""Tell the bus what became of messages: a terminal state is an event that rules and other services may use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from foreword.app.ports import EventBus
from foreword.domain.errors import EventsNotAccepted
from foreword.domain.outgoing import Outcome, outcome_event


@dataclass(frozen=True, slots=True)
class AnnounceOutcome:
    bus: EventBus

    def __call__(self, outcomes: Sequence[Outcome]) -> frozenset[int]:
        """The positions in `outcomes` that are not on the bus. Announced twice it is one fact: same id."""
        if not outcomes:
            return frozenset()
        events = [outcome_event(outcome) for outcome in outcomes]
        try:
            self.bus.put(events)
        except EventsNotAccepted as refused:
            return frozenset(at for at, event in enumerate(events) if event.id in refused.ids)
        return frozenset()
