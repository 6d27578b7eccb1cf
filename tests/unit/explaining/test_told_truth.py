"""What is told comes true: held against the replay, under random histories that were lived through."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import assume, given
from hypothesis import strategies as st

from foreword.domain.consent import Consents
from foreword.domain.core import Core
from foreword.domain.facts import Fact
from foreword.domain.instants import DAY, HOUR, SECOND, Instant
from foreword.domain.replay import once, replay
from foreword.domain.rulebook import Rulebook
from foreword.explaining.ahead import HORIZON
from foreword.explaining.customer import Customer
from foreword.explaining.explain import explain
from foreword.explaining.explanation import Step, Truth
from tests.unit.explaining.told import Lived, book, profile_of

T = 20_000 * DAY
PAUSE = "re_eligible_after: none\n"
CASE = """\
for_each: event.data.x
signals:
  n: {count: A, within: 3d}
when: 'n >= 2'
re_eligible_after: 1d
"""
SILENT = """\
signals:
  s: {since: A, within: 9d}
when: 's > duration("36h")'
evaluate: {every: 4d, at: "06:00"}
"""
RULES = {
    "counted": "signals:\n  n: {count: A, within: 2d, reset: C}\nwhen: 'n >= 3'\n" + PAUSE,
    "below": "signals:\n  n: {count: B, within: 1d}\nwhen: 'n == 2 || n > 3'\nre_eligible_after: 2d\n",
    "ratio": "signals:\n  r: {ratio: B, to: A, at_least: 2, within: 3d}\nwhen: 'r > 0.5'\n" + PAUSE,
    "different": "signals:\n  d: {distinct: event.data.x, of: A, within: 2d}\nwhen: 'd >= 3'\n" + PAUSE,
    "change": "signals:\n  c: {change: event.data.x, of: A, over: 1d, stale_after: 1d}\nwhen: 'c < 0'\n"
    + PAUSE,
    "gone": "signals:\n  g: {absence: B, after: A, within: 30h, timer: last}\nwhen: 'g'\nre_eligible_after: 3d\n",
    "each-gone": "signals:\n  g: {absence: C, after: B, within: 1d}\nwhen: 'g'\nre_eligible_after: 1d\n",
    "sequence": "signals:\n  s: {sequence: [A, B, C], within: 2d}\nwhen: 's'\n" + PAUSE,
    "case": CASE,
    "silent": SILENT + PAUSE,
}


@cache
def rules() -> Rulebook:
    with TemporaryDirectory() as folder:
        return book(Path(folder), **RULES)


hours = st.integers(0, 12 * 24)
kinds = st.sampled_from("AAABBC")
histories = st.lists(st.tuples(hours, kinds, st.integers(1, 4)), max_size=14)
moments = st.integers(0, 12 * 24)


def facts_of(history: list[tuple[int, str, int]]) -> list[Fact]:
    """Received as they happened, in the order of the list where two happen at once."""
    return [
        Fact("test", str(place), kind, "c-1", T + at * HOUR, T + at * HOUR + place, {"x": x})
        for place, (at, kind, x) in enumerate(history)
    ]


@given(histories, moments)
def test_the_rises_are_those_of_the_replay_and_so_is_what_comes_next(
    history: list[tuple[int, str, int]], hour: int
) -> None:
    facts, at = facts_of(history), T + hour * HOUR + HOUR // 2
    known = [fact for fact in facts if fact.received_at <= at]
    told = explain(rules(), Lived(rules(), profile_of([])).take(known).until(at).customer(), at)
    happens = replay(Core(rules()).as_live(), "c-1", {}, once(known), end=at + HORIZON).decisions
    for rule in told.rules:
        for case in rule.cases:
            of = [one for one in happens if (one.rule, one.case) == (rule.rule, case.case)]
            assert [rise.at for rise in case.rises] == [one.at for one in of if one.at <= at]
            ahead = [one for one in of if one.at > at]
            fires = next((place for place, one in enumerate(ahead) if one.reason is None), len(ahead))
            assert case.next.at == (ahead[fires].at if fires < len(ahead) else None)
            assert [one.at for one in case.next.skipped] == [one.at for one in ahead[:fires]]


@given(histories, moments, st.data())
def test_as_many_more_as_are_told_make_the_rise_until_their_time_is_over(
    history: list[tuple[int, str, int]], hour: int, data: st.DataObject
) -> None:
    facts, at = facts_of(history), T + hour * HOUR + HOUR // 2
    known = [fact for fact in facts if fact.received_at <= at]
    told = explain(rules(), Customer("c-1", known, profile_of([]), [], Consents("c-1")), at, ["counted"])
    (case,) = told.rules[0].cases
    (needed, *_) = case.needed
    assume(case.when.truth is Truth.FALSE)
    step = needed.change
    assert isinstance(step, Step)
    assert step.more is not None
    until = step.until or at + 2 * DAY
    times = sorted(
        data.draw(st.lists(st.integers(at + SECOND, until - SECOND), min_size=step.more, max_size=step.more))
    )
    assert rises_after(known, times, at) == [times[-1]]
    assert rises_after(known, times[1:], at) == []
    if step.until is not None:
        assert rises_after(known, [*times[:-1], step.until], at) == []


def rises_after(known: list[Fact], times: list[Instant], at: Instant) -> list[Instant]:
    more = [Fact("more", str(place), "A", "c-1", t, t, {"x": 1}) for place, t in enumerate(times)]
    decisions = replay(Core(rules()).as_live(), "c-1", {}, once([*known, *more])).decisions
    return [one.at for one in decisions if one.rule == "counted" and one.at > at]
