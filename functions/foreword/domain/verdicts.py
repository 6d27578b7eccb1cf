"""What becomes of a rise: was its episode decided before, and which gate before the message closes first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from foreword.domain.decisions import Decision
from foreword.domain.instants import DAY, SECOND, Duration, Instant, sortable
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Mode
from foreword.domain.state import Decided, State, episode_name
from foreword.domain.walk import Rise

CLOSED_AFTER: Duration = 60 * DAY
"""With the time in which a message may leave: longer than anything late is still decided."""


class Verdicts:
    """The decisions of one customer, as far as the state keeps them."""

    def __init__(self, state: State) -> None:
        self._state = state

    def entries(self, rise: Rise) -> Iterator[Decided]:
        """The decisions that belong to the rise's episode."""
        episode = episode_name(episode_of(rise)) if rise.moment else ""
        for entry in self._state.decided.get(rise.rule.name, []):
            if entry.case != rise.case:
                continue
            same = entry.at == rise.at or (rise.moment and entry.episode == episode)
            later = not rise.moment and entry.at > rise.at and (rise.until is None or entry.at < rise.until)
            if same or later:
                yield entry

    def decided(self, rise: Rise) -> bool:
        """Whether the rise belongs to an episode that was decided, or to times that are closed."""
        closed = self._state.closed_through(rise.rule.name, rise.case)
        if closed is not None and rise.at <= closed:
            return True
        return next(self.entries(rise), None) is not None

    def note(self, rise: Rise, left: list[str]) -> None:
        """Keep the decision; `left` names the messages that went on."""
        episode = episode_name(episode_of(rise)) if rise.moment else ""
        entry = Decided(rise.at, rise.case, episode, rise.moment, left)
        rule = rise.rule.rule
        lasts = 0 if rule.hold is None else rule.hold.lasts
        closed_after = CLOSED_AFTER + max(rule.expires_after, lasts)
        self._state.decide(rule.rule, entry, rule.re_eligible_after, closed_after)

    def decision(
        self, rise: Rise, customer_id: str, now: Instant, called_off: frozenset[int] = frozenset()
    ) -> Decision:
        """The first gate that closes before a message is made gives the reason; None where the rule fires."""
        return Decision(
            customer_id=customer_id,
            rule=rise.rule.name,
            case=rise.case,
            at=rise.at,
            episode=episode_of(rise),
            reason=self._reason(rise, now),
            signals=_shown(rise.signals),
            sends=rise.sends,
            expires_from=rise.cause.expires_from,
            scores=rise.scores,
            called_off=called_off,
        )

    def held_by(self, rise: Rise) -> Decided | None:
        """A firing whose clock of re-eligibility still runs at the rise, if any."""
        rule = rise.rule.rule
        apart, entries = rule.re_eligible_after, self._state.decided.get(rule.rule)
        if apart is None or not entries:
            return None
        at, case = rise.cause.at, rise.case
        for entry in entries:
            if entry.left and entry.case == case and abs(at - entry.at) < apart:
                return entry
        return None

    def _reason(self, rise: Rise, now: Instant) -> Reason | None:
        rule = rise.rule.rule
        if not rise.eligible:
            return Reason.NOT_ELIGIBLE
        if self.held_by(rise) is not None:
            return Reason.NOT_RE_ELIGIBLE
        if now > rise.cause.expires_from + rule.expires_after:
            return Reason.TOO_LATE
        return Reason.SHADOW if rule.mode is Mode.SHADOW else None


def episode_of(rise: Rise) -> str:
    """A moment's episode is the fact that made it, or whose deadline did; another is named by its first rise.

    So is each true evaluation of a rule that repeats: a fact may make several of these.
    """
    return rise.cause.key if rise.moment and not rise.rule.rule.repeat else sortable(rise.at)


def _shown(signals: dict[str, Any]) -> dict[str, Any]:
    """As JSON: a duration in seconds, as CEL writes it."""
    for value in signals.values():
        if type(value) is timedelta:
            return {name: _seconds(value) for name, value in signals.items()}
    return signals


def _seconds(value: Any) -> Any:
    if isinstance(value, timedelta):
        micros = value // timedelta(microseconds=1)
        return f"{micros // SECOND if micros % SECOND == 0 else Decimal(micros) / SECOND}s"
    return value
