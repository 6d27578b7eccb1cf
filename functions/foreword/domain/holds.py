"""What holds a customer's messages back for a while: open cases, rules that fired, and the willingness index.

A hold is a span from its beginning to its end, the end not included. A held message competes with none and holds no
place under a cap; it is judged anew when the last of its holds is over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from foreword.domain.instants import Instant
from foreword.domain.messages import Message
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Purpose


@dataclass(frozen=True, slots=True)
class Held:
    """Messages of these purposes until then, as far as is known now; not those of the rule that holds them."""

    reason: Reason
    purposes: frozenset[Purpose]
    until: Instant
    by_rule: str | None = None


@dataclass(frozen=True, slots=True)
class Holds:
    held_by: tuple[Held, ...] = ()

    def held(self, message: Message, now: Instant) -> tuple[Reason, Instant] | None:
        """Why the message is held at `now`, and until when; a hold goes before the index."""
        return self.held_of(message.purpose, message.rule, now)

    def held_of(self, purpose: Purpose, rule: str, now: Instant) -> tuple[Reason, Instant] | None:
        if purpose is Purpose.CRITICAL:
            return None
        holding = [
            one for one in self.held_by if purpose in one.purposes and one.by_rule != rule and now < one.until
        ]
        if not holding:
            return None
        reasons = {one.reason for one in holding}
        reason = Reason.ON_HOLD if Reason.ON_HOLD in reasons else Reason.UNWILLING
        return reason, max(one.until for one in holding)


NO_HOLDS = Holds()


def holds_of(parts: Iterable[Held]) -> Holds:
    held = tuple(parts)
    return Holds(held) if held else NO_HOLDS
