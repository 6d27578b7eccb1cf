"""Signals and events as a sentence names them."""

from __future__ import annotations

from foreword.domain.instants import Duration, format_duration
from foreword.domain.rulebook import (
    AbsenceSignal,
    AggregateSignal,
    BaselineSignal,
    ChangeSignal,
    CountSignal,
    DateSignal,
    DistinctSignal,
    EachSignal,
    EventFilter,
    Expression,
    FirstTimeSignal,
    LastSignal,
    PeersSignal,
    RatioSignal,
    Rule,
    SequenceSignal,
    Signal,
    SinceSignal,
    WillingnessSignal,
)
from foreword.explaining.written import written


def event_words(event: EventFilter) -> str:
    types = "any event" if event.types is None else " or ".join(event.types)
    return types if event.where is None else f"{types} where {quoted(event.where)}"


def quoted(expression: Expression) -> str:
    return f"`{written(expression.tree)}`"


def signal_words(signal: Signal, rule: Rule, window: Duration | None) -> str:
    """What the signal is; `window` is how far back it looks, the policy's retention where it does not say."""
    within = "" if window is None else f" within {format_duration(window)}"
    match signal:
        case CountSignal(of=of, reset=reset):
            since = "" if reset is None else f", since the latest {event_words(reset)}"
            return f"how many {event_words(of)}{within}{since}"
        case DistinctSignal(of=of, value=value):
            return f"how many different {quoted(value)} of {event_words(of)}{within}"
        case AggregateSignal(of=of, value=value) | LastSignal(of=of, value=value):
            return f"the {signal.kind} {quoted(value)} of {event_words(of)}{within}"
        case RatioSignal(of=of, to=to, at_least=at_least):
            return f"{event_words(of)} per {event_words(to)}{within}, from {at_least} of the latter on"
        case SinceSignal(of=of):
            return f"the time since the latest {event_words(of)}{within}"
        case EachSignal(of=of):
            return f"{event_words(of)} happens"
        case FirstTimeSignal(of=of, value=value):
            return f"{event_words(of)} with a {quoted(value)} not seen before{within}"
        case AbsenceSignal(absence=absence, after=after, timer=timer):
            latest = "the latest " if timer == "last" else ""
            return f"no {event_words(absence)} {lasting_words(signal)} after {latest}{event_words(after)}"
        case SequenceSignal(steps=steps):
            return f"{', then '.join(map(event_words, steps))}, all{within}"
        case DateSignal(value=value, before=before, at=at, yearly=yearly):
            ahead = "on" if before == 0 else f"{format_duration(before)} before"
            return f"{ahead} {quoted(value)} at {at // 60:02}:{at % 60:02}{', every year' if yearly else ''}"
        case ChangeSignal(of=of, value=value, over=over):
            return f"{quoted(value)} of {event_words(of)}, now against {format_duration(over)} ago"
        case BaselineSignal(signal=compared, versus=versus, compared_as=compared_as):
            length = format_duration(getattr(rule.signals[compared], "within", None) or 0)
            how = "as a change" if compared_as == "ratio" else "in deviations"
            return f"{compared} against its {versus} windows of {length} before, {how}"
        case PeersSignal(signal=compared, statistic=statistic, cohort=cohort):
            return f"{compared} minus the {statistic} of its cohort by {quoted(cohort)}"
        case WillingnessSignal():
            return f"the scores of the policy added up{within}"


def lasting_words(signal: AbsenceSignal) -> str:
    """How long an absence has to last."""
    if signal.until is not None:
        return f"until {quoted(signal.until)}"
    return f"for {format_duration(signal.within or 0)}"


def asked_words(rule: Rule, used: frozenset[str]) -> str:
    """When the rule is asked; `used` are the signals that its condition names."""
    if rule.evaluate is not None:
        day = "" if rule.evaluate.weekday is None else f"{_DAYS[rule.evaluate.weekday]} "
        at = f"{day}{rule.evaluate.at // 60:02}:{rule.evaluate.at % 60:02}"
        return f"every {format_duration(rule.evaluate.every)}, {at} in the customer's zone"
    for signal in rule.signals.values():
        if isinstance(signal, PeersSignal):
            return f"when a period of {format_duration(signal.period)} is over (UTC), over the whole cohort"
    return " and ".join(_occasions(rule, used))


def _occasions(rule: Rule, used: frozenset[str]) -> list[str]:
    types: dict[str, None] = {}
    moments: list[str] = []
    for name in sorted(used):
        signal = rule.signals[name]
        types |= dict.fromkeys(evaluating_types(signal, rule))
        if isinstance(signal, AbsenceSignal):
            moments.append(f"at a deadline of {name}")
        elif isinstance(signal, DateSignal):
            moments.append(f"at the date of {name}")
    return ([f"at each {' or '.join(types)}"] if types else []) + moments


def evaluating_types(signal: Signal, rule: Rule) -> list[str]:
    """The types of the events that evaluate a condition with this signal."""
    if isinstance(signal, BaselineSignal):
        return evaluating_types(rule.signals[signal.signal], rule)
    if isinstance(signal, WillingnessSignal):
        return list(signal.scores)
    events = [getattr(signal, name, None) for name in ("of", "to", "reset", "after", "absence")]
    events += getattr(signal, "steps", ())
    found: list[str] = []
    for event in events:
        if event is not None:
            found += ["event of any type"] if event.types is None else event.types
    return found


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
