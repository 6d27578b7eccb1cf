"""The closed lists of reasons: the same in code, journal, metrics, pages and `explain`; never a free text."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """What became of a decision or a message (rules.md, Reasons)."""

    SENT = "SENT"
    SHADOW = "SHADOW"
    NOT_ELIGIBLE = "NOT_ELIGIBLE"
    NOT_RE_ELIGIBLE = "NOT_RE_ELIGIBLE"
    PAUSED_BY_CUSTOMER = "PAUSED_BY_CUSTOMER"
    NO_CONSENT = "NO_CONSENT"
    SUPPRESSED = "SUPPRESSED"
    NO_ADDRESS = "NO_ADDRESS"
    DEFERRED_QUIET_HOURS = "DEFERRED_QUIET_HOURS"
    DEFERRED_BY_PROVIDER = "DEFERRED_BY_PROVIDER"
    EXPIRED = "EXPIRED"
    TOO_LATE = "TOO_LATE"
    ERASED = "ERASED"
    RETRACTED = "RETRACTED"
    NOT_RENDERED = "NOT_RENDERED"
    REJECTED_BY_PROVIDER = "REJECTED_BY_PROVIDER"
    UNKNOWN_OUTCOME = "UNKNOWN_OUTCOME"


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
