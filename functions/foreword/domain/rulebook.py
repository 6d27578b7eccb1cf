"""The published rulebook: what the functions read. Authoring turns YAML into it, and no YAML reaches Lambda.

Durations are microseconds (`instants.Duration`), conditions are `Expression`s. The names are those of rules.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from foreword.domain.instants import DAY, HOUR, MINUTE, Duration


class Document(BaseModel):
    """Frozen, and no unknown field: what was published is what is read."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Expression(Document):
    """A CEL expression: its text as the author wrote it, and its checked tree (see `domain.conditions`)."""

    source: str
    tree: Any


class Mode(StrEnum):
    DRAFT = "draft"
    SHADOW = "shadow"
    LIVE = "live"


class Purpose(StrEnum):
    CRITICAL = "critical"
    SERVICE = "service"
    MARKETING = "marketing"


class Channel(StrEnum):
    EMAIL = "email"
    SMS = "sms"
    TASK = "task"
    OUTBOUND = "outbound"


class EventFilter(Document):
    """Which facts a signal sees: `types` is None for `"*"` (any but CustomerUpdated and Foreword's own)."""

    types: tuple[str, ...] | None
    where: Expression | None = None


class SignalDocument(Document):
    """`per_customer`: in a rule with cases, this signal is kept customer-wide all the same."""

    per_customer: bool = False


class CountSignal(SignalDocument):
    """Events in the window, and since the latest `reset` event."""

    kind: Literal["count"] = "count"
    of: EventFilter
    within: Duration | None = None
    reset: EventFilter | None = None


class AggregateSignal(SignalDocument):
    """Of the expression's numbers in the window; an empty sum is 0, the others are undefined then."""

    kind: Literal["sum", "average", "min", "max"]
    value: Expression
    of: EventFilter
    within: Duration | None = None


class DistinctSignal(SignalDocument):
    """How many different values the expression had in the window."""

    kind: Literal["distinct"] = "distinct"
    value: Expression
    of: EventFilter
    within: Duration | None = None


class LastSignal(SignalDocument):
    """The expression's value of the latest (or the first) event in the window that has one."""

    kind: Literal["last", "first"]
    value: Expression
    of: EventFilter
    within: Duration | None = None


class RatioSignal(SignalDocument):
    """count(`of`) / count(`to`); undefined while count(`to`) < `at_least`."""

    kind: Literal["ratio"] = "ratio"
    of: EventFilter
    to: EventFilter
    at_least: int
    within: Duration | None = None


class SinceSignal(SignalDocument):
    """The time since the latest such event in the window."""

    kind: Literal["since"] = "since"
    of: EventFilter
    within: Duration | None = None


class EachSignal(SignalDocument):
    """A moment: such an event."""

    kind: Literal["each"] = "each"
    of: EventFilter


class FirstTimeSignal(SignalDocument):
    """A moment: an event whose value was not seen before in the window."""

    kind: Literal["first_time"] = "first_time"
    value: Expression
    of: EventFilter
    within: Duration | None = None


class AbsenceSignal(SignalDocument):
    """A moment: the deadline of an `after` event that no `absence` event has met.

    Exactly one of `within` and `until` is set; `until` gives a time (or RFC 3339 text) from the `after` event.
    """

    kind: Literal["absence"] = "absence"
    absence: EventFilter
    after: EventFilter
    within: Duration | None = None
    until: Expression | None = None
    timer: Literal["each", "last"]


class SequenceSignal(SignalDocument):
    """A moment: the last step, when the earlier steps came in order within the window."""

    kind: Literal["sequence"] = "sequence"
    steps: tuple[EventFilter, ...]
    within: Duration


class DateSignal(SignalDocument):
    """A moment in the customer's zone: `before` ahead of the profile's date, at `at` minutes after midnight.

    `value` names profile fields only; it gives a date (`2026-06-30`) or a time.
    """

    kind: Literal["date"] = "date"
    value: Expression
    before: Duration
    at: int
    yearly: bool = False


class ChangeSignal(SignalDocument):
    """value now / the latest value at or before `t - over` (not older than `stale_after` before that) - 1."""

    kind: Literal["change"] = "change"
    value: Expression
    of: EventFilter
    over: Duration
    stale_after: Duration = 7 * DAY


class BaselineSignal(SignalDocument):
    """The signal named `signal` (of the same rule, with a window) against its `versus` windows before."""

    kind: Literal["baseline"] = "baseline"
    signal: str
    versus: int
    compared_as: Literal["ratio", "zscore"]


class PeersSignal(SignalDocument):
    """The value of the signal named `signal` (of the same rule) minus the statistic of its cohort.

    `statistic` is median, mean, min, max, or p5 to p95. `cohort` is evaluated on the event that gave the value.
    """

    kind: Literal["peers"] = "peers"
    signal: str
    cohort: Expression
    statistic: str
    at_least: int
    period: Duration
    excluding_self: bool = False


class WillingnessSignal(SignalDocument):
    """The sum of the policy's scores, by event type, of all interactions in the window."""

    kind: Literal["willingness"] = "willingness"
    scores: Mapping[str, int]
    within: Duration


Signal: TypeAlias = Annotated[
    CountSignal
    | AggregateSignal
    | DistinctSignal
    | LastSignal
    | RatioSignal
    | SinceSignal
    | EachSignal
    | FirstTimeSignal
    | AbsenceSignal
    | SequenceSignal
    | DateSignal
    | ChangeSignal
    | BaselineSignal
    | PeersSignal
    | WillingnessSignal,
    Field(discriminator="kind"),
]


class Schedule(Document):
    """Evaluated every so many whole days, or weeks on `weekday` (0 is Monday), in the customer's zone.

    `at` is minutes after midnight. Days and weeks are counted from Monday 1970-01-05.
    """

    every: Duration
    at: int
    weekday: int | None = None


class Send(Document):
    """One message that a firing decides, where its `condition` (written `if`) holds.

    `message` names its folder of templates. In arbitration `propensity`, `context` and `value` are multiplied with
    `priority`, each 1 where it is left out or has no number. `after` makes it a follow-up: it passes the gates
    so long after the firing, unless one of the `unless` events has come since then.
    """

    message: str
    purpose: Purpose
    topic: str
    channels: tuple[Channel, ...]
    priority: int = 50
    expires_after: Duration = DAY
    condition: Expression | None = None
    propensity: Expression | None = None
    context: Expression | None = None
    value: Expression | None = None
    after: Duration = 0
    unless: EventFilter | None = None

    @property
    def weights(self) -> tuple[Expression, ...]:
        """What its priority is multiplied with."""
        return tuple(weight for weight in (self.propensity, self.context, self.value) if weight is not None)


class Hold(Document):
    """A firing holds the customer's messages of these purposes back, for so long or until one of the events."""

    purposes: tuple[Purpose, ...]
    lasts: Duration
    until: EventFilter | None = None


class Goal(Document):
    """A conversion: such an event within so long after the decision."""

    event: EventFilter
    within: Duration


class Experiment(Document):
    """`holdout` is the share (0 to 1) of customers who get nothing by this rule; `variants` share out the others.

    Shares of variants add up to 1. Who is where is sticky: it is a hash of customer and rule.
    """

    holdout: Decimal = Decimal(0)
    variants: Mapping[str, Decimal] = {}
    goal: Goal | None = None


class Rule(Document):
    """`signals` holds every signal that a condition of the rule names, shared ones and willingness included.

    `for_each` gives the case of an event; `evaluate` asks on a schedule instead of at events; `repeat` takes
    every true evaluation for a rise. An `exceptions` event after a firing (of its case) cancels what has not left.
    """

    rule: str
    why: str
    owner: str
    runbook: str | None = None
    mode: Mode = Mode.DRAFT
    for_each: Expression | None = None
    signals: Mapping[str, Signal]
    when: Expression
    evaluate: Schedule | None = None
    repeat: bool = False
    eligible: Expression
    re_eligible_after: Duration | None = 30 * DAY
    sends: tuple[Send, ...]
    exceptions: EventFilter | None = None
    hold: Hold | None = None
    experiment: Experiment | None = None
    digest: str
    """A hash of what decides (signals, conditions, case, schedule, pause): a new digest is a new rule."""

    def is_customer_wide(self, signal: str) -> bool:
        """Whether the signal is kept customer-wide in a rule with cases; a baseline is as its own signal is."""
        document = self.signals[signal]
        if isinstance(document, BaselineSignal):
            return document.per_customer or self.is_customer_wide(document.signal)
        return document.per_customer

    @property
    def conditions(self) -> tuple[Expression, ...]:
        """What decides whether it fires: a firing none of whose messages has an `if` that holds sets no pause."""
        return (self.when, self.eligible, *(send.condition for send in self.sends if send.condition))

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """All that is asked at a firing: the conditions, and the weights of its messages."""
        return (*self.conditions, *(weight for send in self.sends for weight in send.weights))

    @property
    def expires_after(self) -> Duration:
        """How long after a firing something of it may still be delivered, follow-ups included."""
        return max((send.after + send.expires_after for send in self.sends), default=0)


class QuietHours(Document):
    """Local wall-clock minutes since midnight, `start` included, `end` excluded; may cross midnight."""

    start: int
    end: int


class Willingness(Document):
    """The customer willingness index: the sum of `scores` (-10 to 10, by event type) over the last `within`.

    Marketing is held while the index is below `hold_marketing_below`.
    """

    within: Duration
    scores: Mapping[str, int]
    hold_marketing_below: int | None = None


class FrequencyCap(Document):
    """At most so many messages in any window `(t - within, t]`; None is any: of purposes marketing and service."""

    purpose: Purpose | None
    channel: Channel | None
    at_most: int
    within: Duration


class VolumeConstraint(Document):
    """At most so many messages of the topic (None is any), over all customers, on one calendar day in UTC."""

    topic: str | None
    at_most: int


class OpenCases(Document):
    """From `opened` to `closed` (of the same case, which `by` names) and `then_for` after it, messages are held.

    A case that is not closed counts as closed `at_most` after it was opened.
    """

    opened: EventFilter
    closed: EventFilter
    by: Expression
    hold: tuple[Purpose, ...]
    then_for: Duration = 0
    at_most: Duration = 60 * DAY


class Policy(Document):
    """`quiet_hours_on` are the channels with hours of their own, None for one that has none.

    `holdout` is the share (0 to 1) of all customers who get nothing but critical messages. `link_hosts` (written
    `links`) are the hosts that links in messages may lead to.
    """

    default_timezone: str = "UTC"
    retention: Duration = 400 * DAY
    allowed_lateness: Duration = 7 * DAY
    settle: Duration = 5 * MINUTE
    quiet_hours: QuietHours | None = None
    quiet_hours_on: Mapping[Channel, QuietHours | None] = {}
    frequency_caps: tuple[FrequencyCap, ...] = ()
    volume_constraints: tuple[VolumeConstraint, ...] = ()
    open_cases: tuple[OpenCases, ...] = ()
    willingness: Willingness | None = None
    holdout: Decimal = Decimal(0)
    consent: Mapping[Purpose, Literal["opt-in", "opt-out"]] = {
        Purpose.MARKETING: "opt-in",
        Purpose.SERVICE: "opt-out",
    }
    link_hosts: tuple[str, ...] = ()
    topics: Mapping[str, Mapping[str, str]] = {}
    """What customers read in place of a topic's name, by language."""


class Rulebook(Document):
    """Everything the core decides by, as one document. `generation` is a hash of it."""

    generation: str
    rules: tuple[Rule, ...]
    policy: Policy = Policy()
    lists: Mapping[str, tuple[str, ...]] = {}

    @property
    def journal_kept_for(self) -> Duration:
        """How long after its receipt a fact is kept: longer than any window looks back.

        A rebuild sees too little at the journal's far end; what it takes for a rise there must be too old to fire.
        """
        return self.policy.retention + self.policy.allowed_lateness + self._longest + DAY

    @property
    def messages_kept_for(self) -> Duration:
        """How long after its decision a message stays in the contact history.

        Caps count it from when it left, which for a follow-up is long after its decision.
        """
        pauses = (rule.re_eligible_after or 0 for rule in self.rules)
        return max([self.policy.retention + self._longest, *pauses])

    @property
    def _longest(self) -> Duration:
        """From a firing to the last moment at which anything of it may still be delivered."""
        return max((rule.expires_after for rule in self.rules), default=0)


CLAIM_TO_CALL: Duration = 10_000_000
"""A provider call starts within this of its claim, or not at all (design.md, promise)."""

SETTLE_UNKNOWN_AFTER: Duration = HOUR
"""A claim with no evidence of its outcome after this long is UNKNOWN."""
