"""A tally as it is told: each rule's funnel, the days, the customers, and what changes between two rulebooks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from foreword.backtest.run import Result
from foreword.backtest.tally import Tally
from foreword.backtest.words import LIMITS, NO_MESSAGE, in_order
from foreword.domain.instants import DAY, format_instant, to_datetime
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class Subject:
    """What was backtested, as it was named: rulebooks, history and policy."""

    names: tuple[str, ...]
    rulebooks: tuple[Rulebook, ...]
    events: str
    policy: str | None

    @property
    def rules(self) -> tuple[str, ...]:
        """Of the rulebook that was tested."""
        return tuple(rule.rule for rule in self.rulebooks[0].rules)

    @property
    def all_rules(self) -> tuple[str, ...]:
        """Of that and of the one it is compared with."""
        return tuple(dict.fromkeys(rule.rule for rulebook in self.rulebooks for rule in rulebook.rules))


_EXAMPLES = 5


@dataclass(slots=True)
class Funnel:
    """From the rises to what became of the first message of each firing, by reason."""

    skipped: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    @property
    def rises(self) -> int:
        return self.skipped.total() + self.fired

    @property
    def fired(self) -> int:
        return self.outcomes.total()

    @property
    def sent(self) -> int:
        return self.outcomes[Reason.SENT]

    def add(self, *, fired: bool, reason: Reason | None, count: int) -> None:
        (self.outcomes if fired else self.skipped)[str(reason or NO_MESSAGE)] += count


def by_rule(tally: Tally, rules: Iterable[str]) -> dict[str, Funnel]:
    """Of every rule, those included that never rose; in the order of `rules`."""
    funnels = {rule: Funnel() for rule in rules}
    for rises, count in tally.rises.items():
        funnels[rises.rule].add(fired=rises.fired, reason=rises.reason, count=count)
    return funnels


def by_day(tally: Tally) -> dict[int, dict[str, Funnel]]:
    """By day, then by rule; days without a rise are left out. In order."""
    days: dict[int, dict[str, Funnel]] = {}
    for rises, count in sorted(tally.rises.items(), key=lambda item: (item[0].day, item[0].rule)):
        funnel = days.setdefault(rises.day, {}).setdefault(rises.rule, Funnel())
        funnel.add(fired=rises.fired, reason=rises.reason, count=count)
    return days


def in_all(funnels: Iterable[Funnel]) -> Funnel:
    whole = Funnel()
    for funnel in funnels:
        whole.skipped.update(funnel.skipped)
        whole.outcomes.update(funnel.outcomes)
    return whole


def outcomes_of(funnel: Funnel) -> list[str]:
    """What became of its firings: sent first, then in the order of the gates."""
    return in_order(funnel.outcomes)


def closed(funnel: Funnel) -> list[tuple[str, int]]:
    """The gates that closed, in their order, each with how many rises it was the first for."""
    found = funnel.skipped + funnel.outcomes
    return [(reason, found[reason]) for reason in in_order(found) if reason != Reason.SENT]


def kept_back(tally: Tally, rules: Iterable[str]) -> dict[str, dict[str, int]]:
    """Of the messages that could be sent: by rule how many were, and how many each limit of the policy kept back.

    Rules without any are left out.
    """
    found: dict[str, dict[str, int]] = {}
    for rule in rules:
        counts = Counter[str]()
        for (name, _, reason), count in tally.messages.items():
            if name == rule:
                counts[reason] += count
        limits = {limit: sum(counts[reason] for reason in reasons) for limit, reasons in LIMITS}
        row = {"sent": counts[Reason.SENT], **limits}
        if any(row.values()):
            found[rule] = row
    return found


def reached(tally: Tally, rule: str | None = None) -> set[str]:
    """The customers who were sent a message of the rule, or of any."""
    rules = tally.reached.keys() if rule is None else {rule} & tally.reached.keys()
    return {customer for name in rules for customer in tally.reached[name]}


def top_customers(tally: Tally, most: int = 10) -> list[tuple[str, Counter[str]]]:
    """Those with the most firings that sent something, each with how many by rule."""
    customers: dict[str, Counter[str]] = {}
    for rule, found in tally.reached.items():
        for customer, count in found.items():
            customers.setdefault(customer, Counter())[rule] += count
    ranked = sorted(customers.items(), key=lambda item: (-item[1].total(), item[0]))
    return ranked[:most]


@dataclass(frozen=True, slots=True)
class Change:
    """Who is reached with the one rulebook and the other; `rule` is None for all rules together."""

    rule: str | None
    before: int
    after: int
    newly: int
    no_longer: int
    newly_examples: tuple[str, ...]
    no_longer_examples: tuple[str, ...]


def changes(tallies: Sequence[Tally], rules: Sequence[str]) -> list[Change]:
    """From the first tally to the second: all rules together first, then each."""
    before, after = tallies
    return [_change(before, after, rule) for rule in (None, *rules)]


def _change(before: Tally, after: Tally, rule: str | None) -> Change:
    was, would_be = reached(before, rule), reached(after, rule)
    newly, no_longer = sorted(would_be - was), sorted(was - would_be)
    examples = tuple(newly[:_EXAMPLES]), tuple(no_longer[:_EXAMPLES])
    return Change(rule, len(was), len(would_be), len(newly), len(no_longer), *examples)


def day_text(day: int) -> str:
    """ISO 8601."""
    return to_datetime(day * DAY).date().isoformat()


def by_period(tally: Tally, most: int) -> tuple[str, dict[str, dict[str, Funnel]]]:
    """The name of the period and its funnels: days, or months where there were more than `most`, or years."""
    periods = {unit: _by(tally, length) for unit, length in _PERIODS.items()}
    return next((unit, found) for unit, found in periods.items() if len(found) <= most or unit == "year")


_PERIODS = {"day": len("2026-03-02"), "month": len("2026-03"), "year": len("2026")}


def _by(tally: Tally, length: int) -> dict[str, dict[str, Funnel]]:
    """Of the days that begin with the same `length` characters."""
    periods: dict[str, dict[str, Funnel]] = {}
    for day, rules in by_day(tally).items():
        period = periods.setdefault(day_text(day)[:length], {})
        for rule, funnel in rules.items():
            period[rule] = in_all([period.get(rule, Funnel()), funnel])
    return periods


def heard(result: Result) -> str:
    """What the history was, in a sentence."""
    first, last = result.clock.first, result.clock.last
    span = "" if first is None or last is None else f", {format_instant(first)} to {format_instant(last)}"
    left_out = [
        f"{count} {what}"
        for count, what in (
            (result.duplicates, "known already"),
            (result.taken_back, "taken back"),
            (result.broken, "broken and left out"),
        )
        if count
    ]
    return "; ".join([f"{result.events:,} events of {result.customers:,} customers{span}", *left_out])
