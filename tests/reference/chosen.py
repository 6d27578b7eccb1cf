"""What a customer chose, by the PreferenceChanged facts up to a time: asked anew each time, kept nowhere.

rules.md says that consent is per topic and channel, that the later choice wins, and that opting in is confirmed.
Beyond that: a choice for `any` channel or `any` topic counts like one for each; of several in one fact the most
particular counts; an opt-in that is not confirmed changes nothing where an opt-in is needed, and takes an opt-out
back where none is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from foreword.domain.instants import parse_duration, parse_instant
from foreword.domain.rulebook import FrequencyCap, Policy, Send
from tests.reference.history import History


@dataclass(frozen=True)
class Chosen:
    history: History
    at: int

    def consents(self, policy: Policy, send: Send, channel: str) -> bool:
        needed = send.purpose == "marketing" and policy.consent[send.purpose] == "opt-in"
        needed = needed or (send.purpose == "service" and policy.consent[send.purpose] == "opt-in")
        said = not needed
        for choice, pending in self._about(send.topic, channel):
            if not pending:
                said = choice == "in"
            elif not needed:
                said = True
        return said

    def paused(self) -> bool:
        until = self._setting("paused_until")
        return until is not None and self.at < parse_instant(until)

    def in_order(self, channels: tuple[str, ...]) -> list[str]:
        preferred = self._setting("preferred") or []
        first = [channel for channel in preferred if channel in channels]
        return first + [channel for channel in channels if channel not in first]

    def own_limit(self) -> list[FrequencyCap]:
        limit = self._setting("at_most")
        if limit is None:
            return []
        within = parse_duration(limit["within"])
        return [FrequencyCap(purpose=None, channel=None, at_most=limit["count"], within=within)]

    def _about(self, topic: str, channel: str) -> Iterator[tuple[str, bool]]:
        """Each choice that says something of it, the latest last."""
        for data in self._changes():
            choices = data.get("choices", [data] if "choice" in data else [])
            for asked in ((topic, channel), (topic, "any"), ("any", channel), ("any", "any")):
                found = [one for one in choices if (one["topic"], one["channel"]) == asked]
                if found:
                    yield found[0]["choice"], found[0].get("confirmation") == "pending"
                    break

    def _setting(self, name: str) -> Any:
        return next((data[name] for data in reversed(list(self._changes())) if name in data), None)

    def _changes(self) -> Iterator[Mapping[str, Any]]:
        for fact in self.history.facts:
            if fact.type == "PreferenceChanged" and fact.occurred_at <= self.at:
                yield fact.data
