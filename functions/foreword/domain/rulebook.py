"""The published rulebook: what the functions read. Authoring turns YAML into it, and no YAML reaches Lambda.

Durations are microseconds (`instants.Duration`), conditions are `Expression`s. The names are those of rules.md.
"""

from __future__ import annotations

from collections.abc import Mapping
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


class EventFilter(Document):
    """Which facts a signal sees: `types` is None for `"*"` (any but CustomerUpdated and Foreword's own)."""

    types: tuple[str, ...] | None
    where: Expression | None = None


class CountSignal(Document):
    """Events in the window, and since the latest `reset` event."""

    kind: Literal["count"] = "count"
    of: EventFilter
    within: Duration | None = None
    reset: EventFilter | None = None


class RatioSignal(Document):
    """count(`of`) / count(`to`); undefined while count(`to`) < `at_least`."""

    kind: Literal["ratio"] = "ratio"
    of: EventFilter
    to: EventFilter
    at_least: int
    within: Duration | None = None


class EachSignal(Document):
    """A moment: such an event."""

    kind: Literal["each"] = "each"
    of: EventFilter


class ChangeSignal(Document):
    """value now / the latest value at or before `t - over` (not older than `stale_after` before that) - 1."""

    kind: Literal["change"] = "change"
    value: Expression
    of: EventFilter
    over: Duration
    stale_after: Duration = 7 * DAY


class AbsenceSignal(Document):
    """A moment: the deadline of an `after` event that no `absence` event has met.

    Exactly one of `within` and `until` is set; `until` gives a time (or RFC 3339 text) from the `after` event.
    """

    kind: Literal["absence"] = "absence"
    absence: EventFilter
    after: EventFilter
    within: Duration | None = None
    until: Expression | None = None
    timer: Literal["each", "last"]


Signal: TypeAlias = Annotated[
    CountSignal | RatioSignal | EachSignal | ChangeSignal | AbsenceSignal, Field(discriminator="kind")
]


class Send(Document):
    """One message that a firing decides. `message` names its folder of templates."""

    message: str
    purpose: Purpose
    topic: str
    channels: tuple[Channel, ...]
    priority: int = 50
    expires_after: Duration = DAY


class Rule(Document):
    rule: str
    why: str
    owner: str
    runbook: str | None = None
    mode: Mode = Mode.DRAFT
    signals: Mapping[str, Signal]
    when: Expression
    eligible: Expression
    re_eligible_after: Duration | None = 30 * DAY
    send: Send
    digest: str
    """A hash of what decides (signals, when, eligible, re_eligible_after): a new digest is a new rule."""


class QuietHours(Document):
    """Local wall-clock minutes since midnight, `start` included, `end` excluded; may cross midnight."""

    start: int
    end: int


class Policy(Document):
    default_timezone: str = "UTC"
    retention: Duration = 400 * DAY
    allowed_lateness: Duration = 7 * DAY
    settle: Duration = 5 * MINUTE
    quiet_hours: QuietHours | None = None
    consent: Mapping[Purpose, Literal["opt-in", "opt-out"]] = {
        Purpose.MARKETING: "opt-in",
        Purpose.SERVICE: "opt-out",
    }


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
        longest = max((rule.send.expires_after for rule in self.rules), default=0)
        return self.policy.retention + self.policy.allowed_lateness + longest + DAY

    @property
    def messages_kept_for(self) -> Duration:
        """How long after its decision a message stays in the contact history."""
        return max([self.policy.retention, *(rule.re_eligible_after or 0 for rule in self.rules)])


CLAIM_TO_CALL: Duration = 10_000_000
"""A provider call starts within this of its claim, or not at all (design.md, promise)."""

SETTLE_UNKNOWN_AFTER: Duration = HOUR
"""A claim with no evidence of its outcome after this long is UNKNOWN."""
