"""What an explanation holds: plain frozen values, made by `explain` and shown by whoever asked.

Every field of the names in `INSTANTS` is an instant, and of those in `DURATIONS` a duration; all else is as it
stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeAlias

from foreword.domain.instants import SECOND, Duration, Instant, format_duration, format_instant, to_instant

INSTANTS = frozenset(
    {
        "at",
        "allowed_from",
        "chosen_at",
        "closes_at",
        "decided_at",
        "deliver_by",
        "due_at",
        "free_at",
        "first_at",
        "last_at",
        "looked_until",
        "period",
        "since",
        "time",
        "until",
    }
)
DURATIONS = frozenset({"re_eligible_after", "within"})


class Truth(StrEnum):
    """Of a condition. UNDEFINED: it ends in an error, and counts as false. ASKS_EVENT: only an event can tell."""

    TRUE = "true"
    FALSE = "false"
    UNDEFINED = "undefined"
    ASKS_EVENT = "asks the event"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A condition or a part of it: `text` as CEL, `with_values` the same with the values in place of the names.

    `because` says what is missing where it is undefined.
    """

    text: str
    with_values: str
    truth: Truth
    because: str | None = None
    parts: tuple[Comparison, ...] = ()


@dataclass(frozen=True, slots=True)
class SendCondition:
    """The `if` of one send."""

    message: str
    condition: Comparison


@dataclass(frozen=True, slots=True)
class Step:
    """Something that would have to happen. `time` is when it is so by itself, `until` the end of its chance.

    `more` is how many events of the types `events` it takes.
    """

    text: str
    more: int | None = None
    events: tuple[str, ...] = ()
    until: Instant | None = None
    time: Instant | None = None


@dataclass(frozen=True, slots=True)
class AllOf:
    all_of: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    any_of: tuple[Change, ...]


Change: TypeAlias = Step | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class Needed:
    """`gate` names what is closed: when, eligible, re-eligibility, mode, or a gate of delivery."""

    gate: str
    change: Change


@dataclass(frozen=True, slots=True)
class Evidence:
    """An event that a signal is made of, with the value it gave, if any."""

    at: Instant
    type: str
    source: str
    id: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class SignalExplained:
    """`made_of` says in words what it is; `events` is how many there are in the window, `latest` the last of them.

    `undefined` says why it has no value; `waits_for` are the deadlines that lie ahead.
    """

    name: str
    kind: str
    made_of: str
    value: Any
    undefined: str | None
    events: int
    latest: tuple[Evidence, ...]
    notes: tuple[str, ...]
    waits_for: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChannelGates:
    """`closed_by` is None where consent, suppression and address are open. `address` None: not known for then."""

    channel: str
    consents: bool
    choice: str | None
    chosen_at: Instant | None
    consent: str
    address: bool | None
    closed_by: str | None


@dataclass(frozen=True, slots=True)
class TakenPlace:
    """By a message that was last claimed at `at`, None while it waits; it is free again at `free_at`."""

    message: str
    rule: str
    score: Decimal
    at: Instant | None
    free_at: Instant


@dataclass(frozen=True, slots=True)
class CapExplained:
    """`own` is the customer's own limit. `free_at` is when there is room again, None where there is."""

    purpose: str
    channel: str
    at_most: int
    within: Duration
    own: bool
    taken: tuple[TakenPlace, ...]
    free_at: Instant | None


@dataclass(frozen=True, slots=True)
class HoldExplained:
    """`why` says what holds messages of these `purposes` back, and what ends it."""

    reason: str
    purposes: tuple[str, ...]
    until: Instant
    by_rule: str | None
    why: str
    ends: str


@dataclass(frozen=True, slots=True)
class SendGates:
    """The gates of one send at `at`: `verdict` is SENT where all are open, else the first reason.

    `score` is what it competes with, `winner` whom it lost against. `holds` and `caps` are those that it meets,
    `notes` what is asked only later.
    """

    at: Instant
    message: str
    purpose: str
    topic: str
    verdict: str
    until: Instant | None
    quiet_hours: str
    channels: tuple[ChannelGates, ...]
    score: Decimal
    winner: str | None
    holds: tuple[HoldExplained, ...]
    caps: tuple[CapExplained, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MessageExplained:
    """What became of a message. `at` is when; `until` when a deferred one is looked at again.

    `because` compares what decided it. `later`: it came to that only after the time that is asked about.
    `another_rulebook` decided it.
    """

    message_id: str
    message: str
    status: str
    reason: str | None
    channel: str | None
    at: Instant | None
    until: Instant | None
    deliver_by: Instant
    later: bool
    another_rulebook: bool
    gates: SendGates | None
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """By the firing at `at`, whose clock of re-eligibility runs until `allowed_from`."""

    at: Instant
    allowed_from: Instant


@dataclass(frozen=True, slots=True)
class RiseExplained:
    """`outcome` is `fired` or a reason; where nothing is `recorded`, what today's rule would have made of it.

    `note` says why nothing is recorded, as far as it can be told.
    """

    at: Instant
    decided_at: Instant | None
    caused_by: str
    signals: Mapping[str, Any]
    when: Comparison
    eligible: Comparison
    held: Held | None
    mode: str
    ifs: tuple[SendCondition, ...]
    outcome: str
    recorded: bool
    note: str | None
    messages: tuple[MessageExplained, ...]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A rise that lies ahead and would not fire."""

    at: Instant
    reason: str


@dataclass(frozen=True, slots=True)
class NextFiring:
    """If nothing else happened. `at` is None where nothing is known to fire: `why` says what it would take."""

    at: Instant | None
    decided_at: Instant | None
    why: str
    skipped: tuple[Skipped, ...]
    looked_until: Instant


@dataclass(frozen=True, slots=True)
class Compared:
    """One close: the customer's own `value`, given at `at`, beside the statistic of its cohort."""

    at: Instant
    is_true: bool
    value: Any
    statistic: Any
    cohort: str
    members: int


@dataclass(frozen=True, slots=True)
class PeersExplained:
    """The last comparison that changed the truth, if any, and the customer's own value of the open period."""

    signal: str
    compared: Compared | None
    own_value: Any
    closes_at: Instant


@dataclass(frozen=True, slots=True)
class CaseExplained:
    """A rule for one case, or for the customer where it has none. `since`: true from then on.

    `rises` are the latest, after `earlier_rises` that are not told of.
    """

    case: str | None
    signals: tuple[SignalExplained, ...]
    when: Comparison
    since: Instant | None
    eligible: Comparison
    held: Held | None
    ifs: tuple[SendCondition, ...]
    needed: tuple[Needed, ...]
    rises: tuple[RiseExplained, ...]
    earlier_rises: int
    unmatched: tuple[MessageExplained, ...]
    next: NextFiring


@dataclass(frozen=True, slots=True)
class RuleExplained:
    """`touched`: something is known of this customer that the rule is made of. `cases` are the latest ones."""

    rule: str
    why: str
    owner: str
    mode: str
    asked: str
    for_each: str | None
    re_eligible_after: Duration | None
    touched: bool
    delivery: tuple[SendGates, ...]
    peers: PeersExplained | None
    cases: tuple[CaseExplained, ...]
    other_cases: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """`events` is how many others told by `at`, `left_out` how many came or happened later."""

    customer_id: str
    at: Instant
    zone: str
    events: int
    first_at: Instant | None
    last_at: Instant | None
    left_out: int
    has_profile: bool
    erased: bool
    rules: tuple[RuleExplained, ...]
    other_messages: tuple[MessageExplained, ...]


def to_json(value: Any, name: str = "") -> Any:
    """JSON values: instants in RFC 3339, durations as rules write them, CEL's durations and times as CEL does."""
    if is_dataclass(value):
        return {field.name: to_json(getattr(value, field.name), field.name) for field in fields(value)}
    if value is not None and name in INSTANTS:
        return format_instant(value)
    if value is not None and name in DURATIONS:
        return format_duration(value)
    if isinstance(value, Mapping):
        return {str(key): to_json(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(one) for one in value]
    if isinstance(value, datetime):
        return format_instant(to_instant(value))
    if isinstance(value, timedelta):
        return f"{Decimal(value // timedelta(microseconds=1)) / SECOND:f}s"
    if name == "score":
        return shown_score(value)
    return value.value if isinstance(value, StrEnum) else value


def shown_score(score: Decimal) -> str:
    return f"{score:f}"
