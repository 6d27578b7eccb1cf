"""One rule for one case, or for the customer: its signals, its gates, what happened and what would have to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from foreword.domain.core import CompiledRule
from foreword.domain.facts import Fact
from foreword.domain.instants import Instant, format_instant
from foreword.domain.rulebook import Mode, PeersSignal, Rule
from foreword.domain.verdicts import Verdicts
from foreword.domain.walk import Cause, Rise
from foreword.explaining.ahead import HORIZON, Ahead, Coming
from foreword.explaining.changes import Changes
from foreword.explaining.conditions import Names, compare, send_conditions
from foreword.explaining.delivery import delivery_needs
from foreword.explaining.explanation import (
    CaseExplained,
    Comparison,
    Held,
    Needed,
    NextFiring,
    SendGates,
    Step,
    Truth,
)
from foreword.explaining.made_of import MadeOf, Maker
from foreword.explaining.peers import compared_signals, last_comparison
from foreword.explaining.rises import Teller, cause_words, held_until

MOST_RISES = 30
"""So many are told of, the latest ones."""


@dataclass(frozen=True, slots=True)
class CaseTeller:
    """`rule` is the compiled one, `as_written` the same in its own mode."""

    rule: CompiledRule
    as_written: Rule
    teller: Teller
    ahead: Ahead

    def case(self, case: str | None, delivery: Sequence[SendGates]) -> CaseExplained:
        teller, at = self.teller, self.teller.at
        made = Maker(self.rule, teller.walk, teller.journal, at, case).all()
        fact = None if self.rule.peers is None else last_comparison(self.rule, teller)
        names = self._now(made) if fact is None else self._at_close(fact)
        # What a close found is told by its values alone: what the signals are made of now may be something else.
        changed_by = made if fact is None else {}
        when = compare(self.rule.rule.when.tree, names)
        eligible = compare(self.rule.rule.eligible.tree, names)
        held = self._held(case)
        rises = [rise for rise in teller.walk.rises if rise.rule is self.rule and rise.case == case]
        rises.sort(key=lambda rise: rise.at)
        matched = {id(record) for rise in rises for record in teller.records.of(rise)}
        return CaseExplained(
            case=case,
            signals=tuple(self._as_compared(one, names).explained() for one in made.values()),
            when=when,
            since=self._since(case, when),
            eligible=eligible,
            held=held,
            ifs=send_conditions(self.rule.rule, names),
            needed=tuple(self._needed(names, changed_by, when, eligible, held, delivery)),
            rises=tuple(teller.rise(rise) for rise in rises[-MOST_RISES:]),
            earlier_rises=max(len(rises) - MOST_RISES, 0),
            unmatched=tuple(
                teller.message(message)
                for record in teller.records.of_case(self.rule.name, case)
                if id(record) not in matched
                for message in record.messages
            ),
            next=self._next(case),
        )

    def _now(self, made: dict[str, MadeOf]) -> Names:
        """What the conditions know now."""
        return Names(
            {name: one.value for name, one in made.items() if one.value is not None},
            {name: one.undefined or "it has no value" for name, one in made.items() if one.value is None},
            self.teller.walk.profile(self.teller.at),
            self.teller.core.lists,
        )

    def _at_close(self, fact: Fact) -> Names:
        """What they knew at the last close: at no other time is a rule with peers asked."""
        values = compared_signals(self.rule, fact)
        undefined = dict.fromkeys(set(self.rule.names) - values.keys(), "it had no value at the last close")
        return Names(values, undefined, fact.data["profile"], self.teller.core.lists)

    def _as_compared(self, made: MadeOf, names: Names) -> MadeOf:
        """The comparison itself has a value at closes alone: that of the last one."""
        if not isinstance(made.signal, PeersSignal):
            return made
        return replace(made, value=names.signals.get(made.name), undefined=names.undefined.get(made.name))

    def _since(self, case: str | None, when: Comparison) -> Instant | None:
        """Since when the condition is true without a break: no moment is, and no rule that is asked at times."""
        running = self.teller.walk.running.get((self.rule.name, case))
        if running is None or running.until is not None or running.moment or when.truth is not Truth.TRUE:
            return None
        return running.at

    def _held(self, case: str | None) -> Held | None:
        """Were it to rise now."""
        at = self.teller.at
        rise = Rise(self.rule, case, Cause("", None, at, at, at), False, True, (), {}, ())
        return held_until(Verdicts(self.teller.records.state(at)), rise)

    def _needed(
        self,
        names: Names,
        made: dict[str, MadeOf],
        when: Comparison,
        eligible: Comparison,
        held: Held | None,
        delivery: Sequence[SendGates],
    ) -> list[Needed]:
        """In the order of the gates."""
        rule = self.rule.rule
        changes = Changes(names, made, time_alone=rule.evaluate is not None)
        found: list[Needed] = []
        if when.truth is not Truth.TRUE:
            found.append(Needed("when", changes.for_condition(rule.when.tree)))
        elif rule.evaluate is None and not rule.repeat:
            found.append(Needed("when", Changes(names, made, time_alone=True).for_end(rule.when.tree)))
        if eligible.truth is not Truth.TRUE:
            found.append(Needed("eligible", changes.for_condition(rule.eligible.tree)))
        if held is not None:
            until = format_instant(held.allowed_from)
            text = f"{until}: until then the firing at {format_instant(held.at)} holds it"
            found.append(Needed("re-eligibility", Step(text, time=held.allowed_from)))
        if self.as_written.mode is not Mode.LIVE:
            found.append(Needed("mode", Step(f"`mode: live` (it is {self.as_written.mode})")))
        for send, gates in zip(rule.sends, delivery, strict=True):
            condition = send.condition
            if condition is not None and names.truth(condition.tree)[0] is not Truth.TRUE:
                found.append(Needed(f"if of {send.message}", changes.for_condition(condition.tree)))
            found += delivery_needs(gates)
        return found

    def _next(self, case: str | None) -> NextFiring:
        coming = self.ahead.coming.get((self.rule.name, case), Coming())
        until = self.ahead.looked_until
        skipped = tuple(coming.skipped)
        if coming.fires is None:
            return NextFiring(None, None, self._why_not(until), skipped, until)
        fact = self.teller.journal.by_key.get(coming.fires.cause.made_by)
        why = cause_words(coming.fires, fact)
        return NextFiring(coming.fires.at, coming.decided_at, why, skipped, until)

    def _why_not(self, until: Instant) -> str:
        if self.rule.peers is not None:
            return (
                "at a close at the earliest, and that takes the values of its cohort, which nobody knows yet"
            )
        if until < self.teller.at + HORIZON:
            return f"not until {format_instant(until)}, as far as was looked ahead"
        if self.rule.rule.evaluate is not None:
            return f"at none of its evaluations until {format_instant(until)}, without a further event"
        return "not without a further event"
