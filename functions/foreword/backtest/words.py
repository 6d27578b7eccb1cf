"""The reasons in the order of the gates, and in words for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from foreword.domain.reasons import Reason

NO_MESSAGE = "NO_MESSAGE"
"""In place of a reason, where a rule fired and no `if` of its sends held."""

WORDS: Mapping[str, str] = {
    Reason.NOT_ELIGIBLE: "the customer was not eligible",
    Reason.NOT_RE_ELIGIBLE: "the pause since the last firing was not over",
    Reason.TOO_LATE: "it would have come too late",
    NO_MESSAGE: "no send was meant for this customer",
    Reason.HELD_OUT: "the customer is in a control group",
    Reason.PAUSED_BY_CUSTOMER: "the customer had paused all messages",
    Reason.NO_CONSENT: "the customer had not agreed, or opted out",
    Reason.SUPPRESSED: "the address may not be written to",
    Reason.NO_ADDRESS: "there was no address",
    Reason.UNWILLING: "the customer was in a trough of willingness",
    Reason.ON_HOLD: "an open case or another rule held it",
    Reason.LOST_ARBITRATION: "a better message took the place",
    Reason.CAPPED: "a frequency cap was full",
    Reason.VOLUME_REACHED: "the volume of the day was reached",
    Reason.WAITING_TO_FOLLOW_UP: "it was not due yet when the history ended",
    Reason.DEFERRED_QUIET_HOURS: "it waited for the end of quiet hours when the history ended",
    Reason.EXPIRED: "it could not leave in time",
    Reason.CANCELLED_BY_EXCEPTION: "an exception event called it off",
}
"""All that a backtest can come to, beside SENT; in the order of the gates."""

LIMITS = (
    ("caps", (Reason.CAPPED,)),
    ("arbitration", (Reason.LOST_ARBITRATION,)),
    ("holds and willingness", (Reason.ON_HOLD, Reason.UNWILLING)),
    ("volume of the day", (Reason.VOLUME_REACHED,)),
    ("quiet hours and expiry", (Reason.DEFERRED_QUIET_HOURS, Reason.EXPIRED)),
)
"""What the policy keeps back of messages that could be sent."""


def in_order(reasons: Iterable[str]) -> list[str]:
    """Sent first, then as the gates come."""
    places = {str(reason): place for place, reason in enumerate(WORDS)}
    return sorted(reasons, key=lambda reason: (reason != Reason.SENT, places.get(str(reason), 99), reason))


def words_of(reason: str) -> str:
    return WORDS.get(reason, str(reason).replace("_", " ").lower())
