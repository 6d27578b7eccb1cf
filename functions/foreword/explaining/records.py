"""The contact history beside the rises: what was decided of each, and what became of its messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from foreword.domain.decisions import COUNTS_AS_SENT
from foreword.domain.instants import Instant, sortable
from foreword.domain.messages import Message, MessageStatus
from foreword.domain.state import NAME, Decided, State, episode_name
from foreword.domain.verdicts import Verdicts
from foreword.domain.walk import Rise

Episode: TypeAlias = tuple[str, str | None, str]
"""Rule, case and episode."""


@dataclass(frozen=True, slots=True)
class Record:
    """One decision, as the messages that it made tell it."""

    messages: tuple[Message, ...]

    @property
    def decided_at(self) -> Instant:
        return min(message.decided_at for message in self.messages)

    def entry(self, t: Instant) -> Decided:
        """As the customer's state knew it at `t`: with the messages that were left then."""
        first = self.messages[0]
        moment = first.episode != sortable(first.decided_for)
        left = [message.message_id[:NAME] for message in self.messages if _is_left(message, t)]
        episode = episode_name(first.episode) if moment else ""
        return Decided(first.decided_for, first.case, episode, moment, left)


class Records:
    """The decisions of one customer, by episode."""

    def __init__(self, messages: Iterable[Message]) -> None:
        grouped: dict[Episode, list[Message]] = {}
        for message in sorted(messages, key=lambda one: (one.decided_at, one.message_id)):
            grouped.setdefault((message.rule, message.case, message.episode), []).append(message)
        self._records: Mapping[Episode, Record] = {of: Record(tuple(some)) for of, some in grouped.items()}
        # As the core matches a rise with what was decided: by the entries of a state.
        self._by_entry: dict[int, Record] = {}
        self._all = State()
        for (rule, _, _), record in self._records.items():
            entry = record.entry(record.decided_at)
            self._by_entry[id(entry)] = record
            self._all.decided.setdefault(rule, []).append(entry)

    def of(self, rise: Rise) -> list[Record]:
        """Those that belong to the rise's episode."""
        return [self._by_entry[id(entry)] for entry in Verdicts(self._all).entries(rise)]

    def of_case(self, rule: str, case: str | None) -> list[Record]:
        return [record for of, record in self._records.items() if of[:2] == (rule, case)]

    def of_other_rules(self, rules: Iterable[str]) -> list[Record]:
        known = set(rules)
        return [record for (rule, _, _), record in self._records.items() if rule not in known]

    def cases(self, rule: str) -> dict[str, Instant]:
        """Those that decisions were made of, with the time of the latest."""
        return {
            of[1]: one.decided_at for of, one in self._records.items() if of[0] == rule and of[1] is not None
        }

    def state(self, t: Instant, *, but: Iterable[Record] = ()) -> State:
        """What was decided by `t`, all but these."""
        left_out = {id(record) for record in but}
        decided: dict[str, list[Decided]] = {}
        for (rule, _, _), record in self._records.items():
            if record.decided_at <= t and id(record) not in left_out:
                decided.setdefault(rule, []).append(record.entry(t))
        return State(decided=decided)


def _is_left(message: Message, t: Instant) -> bool:
    """Whether it holds the clock of re-eligibility at `t`: not one that certainly nothing came of."""
    gone = message.status is MessageStatus.NOT_SENT and message.reason not in COUNTS_AS_SENT
    return not gone or (message.closed_at is not None and message.closed_at > t)
