"""What holds messages back at a time: open cases and the willingness index, by the facts up to it.

Beyond rules.md: a case that is opened again while open goes on as it was; one that is not closed counts as closed
`at_most` after its opening, and begins anew when it is opened again after that. (The holds of rules need to know
what became of their firings: see `contacting`.)
"""

from __future__ import annotations

from collections.abc import Iterator

from foreword.domain.rulebook import OpenCases, Policy
from tests.reference.history import History


def held(policy: Policy, history: History, purpose: str, t: int) -> Iterator[str]:
    """Each reason there is."""
    if any(purpose in cases.hold and _open(cases, history, t) for cases in policy.open_cases):
        yield "ON_HOLD"
    willingness = policy.willingness
    if purpose != "marketing" or willingness is None or willingness.hold_marketing_below is None:
        return
    index = sum(
        willingness.scores.get(fact.type, 0)
        for fact in history.facts
        if t - willingness.within < fact.occurred_at <= t
    )
    if index < willingness.hold_marketing_below:
        yield "UNWILLING"


def ends(policy: Policy, history: History) -> Iterator[int]:
    """Every time at which something of this may end, or begin, without an event."""
    for fact in history.facts:
        if policy.willingness is not None:
            yield fact.occurred_at + policy.willingness.within
        for cases in policy.open_cases:
            yield fact.occurred_at + cases.at_most
            yield fact.occurred_at + cases.then_for
            yield fact.occurred_at + cases.at_most + cases.then_for


def _open(cases: OpenCases, history: History, t: int) -> bool:
    spans: dict[object, list[tuple[int, int | None]]] = {}
    for fact in history.facts:
        if fact.occurred_at > t:
            continue
        case = history.value(cases.by, fact)
        if case is None:
            continue
        mine = spans.setdefault(case, [])
        if history.matches(cases.opened, fact) and (
            not mine or _closing(cases, *mine[-1]) <= fact.occurred_at
        ):
            mine.append((fact.occurred_at, None))
        elif history.matches(cases.closed, fact) and mine and mine[-1][1] is None:
            mine[-1] = (mine[-1][0], fact.occurred_at)
    return any(
        t < _closing(cases, opened, closed) + cases.then_for
        for case in spans.values()
        for opened, closed in case
    )


def _closing(cases: OpenCases, opened: int, closed: int | None) -> int:
    limit = opened + cases.at_most
    return limit if closed is None else min(limit, closed)
