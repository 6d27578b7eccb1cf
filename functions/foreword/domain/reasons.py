"""The closed lists of reasons: the same in code, journal, metrics, pages and `explain`; never a free text."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """What became of a decision or a message (rules.md, Reasons)."""

    SENT = "SENT"
    SHADOW = "SHADOW"
    HELD_OUT = "HELD_OUT"
    NOT_ELIGIBLE = "NOT_ELIGIBLE"
    NOT_RE_ELIGIBLE = "NOT_RE_ELIGIBLE"
    PAUSED_BY_CUSTOMER = "PAUSED_BY_CUSTOMER"
    NO_CONSENT = "NO_CONSENT"
    SUPPRESSED = "SUPPRESSED"
    NO_ADDRESS = "NO_ADDRESS"
    UNWILLING = "UNWILLING"
    ON_HOLD = "ON_HOLD"
    LOST_ARBITRATION = "LOST_ARBITRATION"
    CAPPED = "CAPPED"
    VOLUME_REACHED = "VOLUME_REACHED"
    WAITING_TO_FOLLOW_UP = "WAITING_TO_FOLLOW_UP"
    DEFERRED_QUIET_HOURS = "DEFERRED_QUIET_HOURS"
    DEFERRED_BY_PROVIDER = "DEFERRED_BY_PROVIDER"
    EXPIRED = "EXPIRED"
    TOO_LATE = "TOO_LATE"
    CANCELLED_BY_EXCEPTION = "CANCELLED_BY_EXCEPTION"
    RULE_WITHDRAWN = "RULE_WITHDRAWN"
    PAUSED = "PAUSED"
    ERASED = "ERASED"
    RETRACTED = "RETRACTED"
    NOT_RENDERED = "NOT_RENDERED"
    REJECTED_BY_PROVIDER = "REJECTED_BY_PROVIDER"
    UNKNOWN_OUTCOME = "UNKNOWN_OUTCOME"
    BOUNCED = "BOUNCED"


HELD = frozenset({Reason.UNWILLING, Reason.ON_HOLD})
"""Of a message that is held back, and looked at anew when that is over."""


class QuarantineReason(StrEnum):
    """Why an event was not accepted (record_activity)."""

    NOT_JSON = "NOT_JSON"
    NOT_A_NUMBER = "NOT_A_NUMBER"
    TOO_LARGE = "TOO_LARGE"
    TOO_DEEP = "TOO_DEEP"
    MISSING_FIELD = "MISSING_FIELD"
    WRONG_TYPE = "WRONG_TYPE"
    INVALID_ID = "INVALID_ID"
    INVALID_CUSTOMER_ID = "INVALID_CUSTOMER_ID"
    INVALID_TIME = "INVALID_TIME"
    IN_THE_FUTURE = "IN_THE_FUTURE"
    BREAKS_SCHEMA = "BREAKS_SCHEMA"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    MAPPING_FAILED = "MAPPING_FAILED"
