"""What becomes of one customer's messages: the whole policy of rules.md, instant by instant on a sorted time line.

Where rules.md is silent, this is what it says:

- At one instant come first all its facts, then the deadlines behind them; then what they call off; then what is
  decided; then all that may leave competes: what was decided, what was due, what is held no longer.
- An event exactly at a firing does not call it off, nor does it end that firing's hold: it has to come after it.
- A message may still leave at exactly the end of its `expires_after`. So it is known only after that instant that
  it did not, and a rise at that very instant finds the clock still running.
- A message that waits for the morning is held from the beginning of a hold on: it gives its place back.
- A firing holds what its `hold` says as long as anything of it has left or still may; when it turns out that
  nothing will, what it held is looked at again at that very instant. What is looked at together is held by what
  stood before.
- What is equal in purpose, score and age goes by the name of the rule. Messages of one rule do not compete: they
  go by case, and by the order of `send`.
- Where several lesser messages would have to give way, they do cap by cap (the policy's in their order, then the
  customer's own), the least first, and whoever need not have gone stays. The customer's first channel that can be
  opened so is taken.
- A customer's own limit counts what was sent before it was set.
- A firing none of whose `if` holds sets no clock, and holds nothing.
- What still waits when the clock ends has the reason that it waits for.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from foreword.domain.facts import Fact
from foreword.domain.rulebook import FrequencyCap, Policy, QuietHours, Rule, Rulebook
from foreword.domain.rulebook import Send as Written
from tests.reference import dates, holding
from tests.reference.chosen import Chosen
from tests.reference.conditions import DECIMAL, EPOCH, holds, is_number, names_in, value_or_none
from tests.reference.firing import Evaluation, cases_of, rises, sends_of
from tests.reference.history import History, history_of
from tests.reference.signals import case_of

MINUTE = 60_000_000
ADDRESS = {"email": "email", "sms": "phone"}
PURPOSES = ("critical", "service", "marketing")


@dataclass(frozen=True)
class Person:
    """Which addresses the customer has, and which channels are suppressed."""

    addresses: frozenset[str] = frozenset({"email", "phone"})
    suppressed: frozenset[str] = frozenset()


@dataclass(eq=False)
class Note:
    """One message. `waits_for` says why it waits, `due` when it is looked at again; both are None at its end."""

    firing: Firing
    index: int
    score: Decimal
    waits_for: str | None = None
    due: int | None = None
    place: str | None = None
    sent: bool = False
    reason: str | None = None
    ended: int | None = None
    winner: str | None = None

    @property
    def send(self) -> Written:
        return self.firing.rule.sends[self.index]

    @property
    def begins(self) -> int:
        return self.firing.at + self.send.after

    @property
    def deliver_by(self) -> int:
        return self.begins + self.send.expires_after

    @property
    def rank(self) -> tuple[Any, ...]:
        purpose = PURPOSES.index(self.send.purpose)
        return (purpose, -self.score, self.firing.at, self.firing.rule.rule)

    @property
    def turn(self) -> tuple[Any, ...]:
        return (*self.rank, self.firing.case or "", self.firing.at, self.index)


@dataclass(eq=False)
class Firing:
    rule: Rule
    case: str | None
    at: int
    values: Mapping[str, Any]
    notes: list[Note] = field(default_factory=list)

    @property
    def stands(self) -> bool:
        """Something of it has left, or still may, or counts as if."""
        return any(note.sent or note.ended is None or note.reason == "HELD_OUT" for note in self.notes)


class Contacted:
    """`decisions` as (rule, case, at, reason); `firings` hold what became of their messages."""

    def __init__(
        self,
        rulebook: Rulebook,
        customer_id: str,
        profile: Mapping[str, Any] | None,
        facts: list[Fact],
        person: Person,
        start: int,
        end: int,
    ) -> None:
        self.policy: Policy = rulebook.policy
        self.rulebook = rulebook
        whole = history_of(
            [fact for fact in facts if fact.customer_id == customer_id], profile, rulebook.lists
        )
        self.history: History = whole.until(end)
        self.person = person
        self.decisions: list[tuple[str, str | None, int, str | None]] = []
        self.firings: list[Firing] = []
        self.risen: list[tuple[int, str, str, Evaluation]] = []
        for rule in rulebook.rules:
            for case in cases_of(rule, self.history):
                for rise in rises(rule, self.policy, self.history, case, start, end):
                    self.risen.append((int(rise.now.at), rule.rule, case or "", rise))
        self.risen.sort(key=lambda entry: entry[:3])
        self.line = sorted(set(self._instants()))
        self._go(end)

    def _instants(self) -> list[int]:
        found = [fact.occurred_at for fact in self.history.facts]
        found += holding.ends(self.policy, self.history)
        for at, _, _, rise in self.risen:
            rule = rise.now.rule
            found.append(at)
            if rule.hold is not None:
                found.append(at + rule.hold.lasts)
            for send in rule.sends:
                found += [at + send.after, at + send.after + send.expires_after]
        return found

    def _go(self, end: int) -> None:
        done = None
        while self.line and self.line[0] <= end:
            t = self.line.pop(0)
            if t != done:
                self._instant(t)
            done = t

    # One instant.

    def _instant(self, t: int) -> None:
        self._call_off(t)
        fresh = [note for at, _, _, rise in self.risen if at == t for note in self._decide(rise)]
        while True:
            self._hold_back(t)
            ready = fresh + [note for note in self._waiting() if self._is_up(note, t)]
            if not ready:
                return
            self._compete(ready, t)
            fresh = []

    def _notes(self) -> list[Note]:
        return [note for firing in self.firings for note in firing.notes]

    def _waiting(self) -> list[Note]:
        return [note for note in self._notes() if note.waits_for is not None]

    def _call_off(self, t: int) -> None:
        for note in self._waiting():
            firing = note.firing
            for fact in self.history.facts:
                if fact.occurred_at != t or firing.at >= t:
                    continue
                if case_of(firing.rule, self.history, fact) != firing.case:
                    continue
                stops = [event for event in (firing.rule.exceptions, note.send.unless) if event is not None]
                if any(self.history.matches(event, fact) for event in stops):
                    self._end(note, "CANCELLED_BY_EXCEPTION", t)

    def _decide(self, rise: Evaluation) -> list[Note]:
        rule, case, at = rise.now.rule, rise.now.case, int(rise.now.at)
        names = rise.names()
        reason = None
        if not holds(rule.eligible, names):
            reason = "NOT_ELIGIBLE"
        elif rule.re_eligible_after is not None and any(
            firing.rule is rule
            and firing.case == case
            and firing.stands
            and at < firing.at + rule.re_eligible_after
            for firing in self.firings
        ):
            reason = "NOT_RE_ELIGIBLE"
        self.decisions.append((rule.rule, case, at, reason))
        if reason is not None:
            return []
        firing = Firing(rule, case, at, rise.now.values())
        self.firings.append(firing)
        ready = []
        for index in sends_of(rule, names):
            note = Note(firing, index, self._score(rule.sends[index], names))
            firing.notes.append(note)
            experiment = rule.experiment
            held_out = self.policy.holdout == 1 or (experiment is not None and experiment.holdout == 1)
            if held_out and note.send.purpose != "critical":
                self._end(note, "HELD_OUT", at)
            elif note.send.after:
                note.waits_for, note.due = "WAITING_TO_FOLLOW_UP", note.begins
            else:
                ready.append(note)
        return ready

    def _score(self, send: Written, names: Mapping[str, Any]) -> Decimal:
        score = Decimal(send.priority)
        for weight in send.weights:
            value = value_or_none(weight, names)
            if is_number(value):
                score = DECIMAL.multiply(score, value)
        return score

    # Holds.

    def _held(self, note: Note, t: int) -> str | None:
        purpose = note.send.purpose
        if purpose == "critical":
            return None
        found = list(holding.held(self.policy, self.history, purpose, t))
        for firing in self.firings:
            hold = firing.rule.hold
            if (
                hold is None
                or purpose not in hold.purposes
                or firing.rule is note.firing.rule
                or not firing.stands
            ):
                continue
            ended = hold.until is not None and any(
                self.history.matches(hold.until, fact)
                for fact in self.history.facts
                if firing.at < fact.occurred_at <= t
            )
            if firing.at <= t < firing.at + hold.lasts and not ended:
                found.append("ON_HOLD")
        return None if not found else "ON_HOLD" if "ON_HOLD" in found else "UNWILLING"

    def _hold_back(self, t: int) -> None:
        for note in self._waiting():
            if note.waits_for == "DEFERRED_QUIET_HOURS" and note.due != t:
                reason = self._held(note, t)
                if reason is not None:
                    note.waits_for, note.due, note.place = reason, None, None

    def _is_up(self, note: Note, t: int) -> bool:
        if note.waits_for in ("ON_HOLD", "UNWILLING"):
            held = self._held(note, t)
            note.waits_for = held or note.waits_for
            return held is None or t >= note.deliver_by
        return note.due is not None and note.due <= t

    # The gates.

    def _compete(self, ready: list[Note], t: int) -> None:
        pending = sorted(ready, key=lambda note: note.turn)
        held = {note: self._held(note, t) for note in pending}
        leaving: list[Note] = []
        while pending:
            note = pending.pop(0)
            first_look = note.waits_for == "WAITING_TO_FOLLOW_UP"
            note.waits_for = note.due = None
            if first_look and not self._still_eligible(note, t):
                self._end(note, "NOT_ELIGIBLE", t)
                continue
            self._judge(note, held[note], t, pending)
            if note.ended is None and note.waits_for is None:
                leaving.append(note)
        for note in leaving:
            note.sent, note.reason, note.ended = True, "SENT", t

    def _still_eligible(self, note: Note, t: int) -> bool:
        """By the profile as it is then and the signals of the firing; an event is known no more."""
        eligible = note.firing.rule.eligible
        if "event" in names_in(eligible):
            return True
        return holds(eligible, self.history.names(None, t) | dict(note.firing.values))

    def _judge(self, note: Note, held: str | None, t: int, pending: list[Note]) -> None:
        send, chosen = note.send, Chosen(self.history, t)
        if send.purpose != "critical" and chosen.paused():
            return self._end(note, "PAUSED_BY_CUSTOMER", t)
        channels = chosen.in_order(send.channels)
        closed = {channel: self._closed(send, channel, chosen) for channel in channels}
        open_ones = [channel for channel in channels if closed[channel] is None]
        if not open_ones:
            return self._end(note, str(closed[channels[0]]), t)
        if held is not None:
            note.place = None
            if t >= note.deliver_by:
                return self._end(note, held, t)
            note.waits_for = held
            return None
        caps = [] if send.purpose == "critical" else [*self.policy.frequency_caps, *chosen.own_limit()]
        channel, giving_way = self._room(note, open_ones, caps, t)
        if channel is None:
            first = closed[channels[0]]
            if first is not None:
                return self._end(note, first, t)
            reason, winner = self._who_is_before(note, open_ones[0], caps, t)
            note.winner = winner
            return self._end(note, reason, t)
        awake = self._awake(note, channel, t)
        if t > note.deliver_by or (awake > t and t >= note.deliver_by):
            return self._end(note, "EXPIRED", t)
        for lesser in giving_way:
            lesser.place = None
            if lesser not in pending:
                lesser.winner = send.message
                self._end(lesser, "LOST_ARBITRATION", t)
        note.place = channel
        if awake > t:
            note.waits_for, note.due = "DEFERRED_QUIET_HOURS", min(awake, note.deliver_by)
            insort(self.line, note.due)
        return None

    def _closed(self, send: Written, channel: str, chosen: Chosen) -> str | None:
        has_address = channel not in ADDRESS or ADDRESS[channel] in self.person.addresses
        if not chosen.consents(self.policy, send, channel):
            return "NO_CONSENT"
        if channel in self.person.suppressed:
            return "SUPPRESSED"
        return None if has_address else "NO_ADDRESS"

    def _room(
        self, note: Note, channels: list[str], caps: list[FrequencyCap], t: int
    ) -> tuple[str | None, list[Note]]:
        for channel in channels:
            if not any(self._is_full(cap, note, channel, [], t) for cap in caps):
                return channel, []
        for channel in channels:
            gone: list[Note] = []
            stuck = False
            for cap in caps:
                while self._is_full(cap, note, channel, gone, t) and not stuck:
                    lesser = [
                        other
                        for other in self._takers(cap, note, channel, gone, t)
                        if not other.sent
                        and other.firing.rule is not note.firing.rule
                        and other.rank > note.rank
                    ]
                    stuck = not lesser
                    if lesser:
                        gone.append(max(lesser, key=self._least))
            if stuck:
                continue
            for other in sorted(gone, key=self._least):
                kept = [one for one in gone if one is not other]
                if not any(self._is_full(cap, note, channel, kept, t) for cap in caps):
                    gone = kept
            return channel, gone
        return None, []

    def _who_is_before(
        self, note: Note, channel: str, caps: list[FrequencyCap], t: int
    ) -> tuple[str, str | None]:
        """Of the first cap that is full on the preferred channel."""
        cap = next(cap for cap in caps if self._is_full(cap, note, channel, [], t))
        better = [
            other
            for other in self._takers(cap, note, channel, [], t)
            if not other.sent and other.firing.rule is not note.firing.rule and other.rank < note.rank
        ]
        if not better:
            return "CAPPED", None
        return "LOST_ARBITRATION", min(better, key=self._least).send.message

    def _least(self, note: Note) -> tuple[Any, ...]:
        return note.turn

    def _is_full(self, cap: FrequencyCap, note: Note, channel: str, gone: list[Note], t: int) -> bool:
        takers = self._takers(cap, note, channel, gone, t)
        return _is_under(cap, note, channel) and len(takers) >= cap.at_most

    def _takers(self, cap: FrequencyCap, note: Note, channel: str, gone: list[Note], t: int) -> list[Note]:
        return [
            other
            for other in self._notes()
            if other is not note
            and other not in gone
            and other.place is not None
            and _is_under(cap, other, other.place)
            and (not other.sent or (other.ended is not None and other.ended > t - cap.within))
        ]

    def _awake(self, note: Note, channel: str, t: int) -> int:
        """The first time from `t` on that is not in quiet hours."""
        hours = {one.value: found for one, found in self.policy.quiet_hours_on.items()}
        quiet = hours.get(channel, self.policy.quiet_hours)
        if quiet is None or note.send.purpose == "critical":
            return t
        zone = dates.zone_of(self.history.profile_at(t), self.policy)
        at = t
        while _is_quiet(quiet, (EPOCH + timedelta(microseconds=at)).astimezone(zone)):
            at = at // MINUTE * MINUTE + MINUTE
        return at

    def _end(self, note: Note, reason: str, t: int) -> None:
        note.reason, note.ended = reason, t
        note.waits_for = note.due = note.place = None


def _is_under(cap: FrequencyCap, note: Note, channel: str) -> bool:
    purpose = note.send.purpose
    wanted = purpose in ("marketing", "service") if cap.purpose is None else purpose == cap.purpose
    return bool(wanted and cap.channel in (None, channel))


def _is_quiet(quiet: QuietHours, local: Any) -> bool:
    minute = local.hour * 60 + local.minute
    if quiet.start <= quiet.end:
        return bool(quiet.start <= minute < quiet.end)
    return bool(minute >= quiet.start or minute < quiet.end)
