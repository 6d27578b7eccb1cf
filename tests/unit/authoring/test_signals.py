"""Every kind of signal, signals over signals, and shared ones: read as documents, or refused with a place."""

from __future__ import annotations

from pathlib import Path

import pytest

from foreword.authoring.cel_types import BOOLEAN, DURATION, DYN, NUMBER
from foreword.authoring.fields import RulebookErrors
from foreword.authoring.rulebook import load_rulebook
from foreword.authoring.signals.kinds import KINDS
from foreword.authoring.signals.reader import WILLINGNESS, signal_types
from foreword.domain.instants import DAY, HOUR
from foreword.domain.rulebook import (
    AggregateSignal,
    BaselineSignal,
    DateSignal,
    DistinctSignal,
    EventFilter,
    Expression,
    FirstTimeSignal,
    LastSignal,
    PeersSignal,
    Policy,
    Rule,
    SequenceSignal,
    Signal,
    SinceSignal,
    WillingnessSignal,
)
from tests.unit.authoring.rulebooks import write_rulebook

A, B = EventFilter(types=("A",)), EventFilter(types=("B",))
DATA_X = Expression(source="event.data.x", tree=["field", ["field", ["name", "event"], "data"], "x"])
PROFILE_X = Expression(source="profile.x", tree=["field", ["name", "profile"], "x"])

RULE = """\
rule: stuck
why: W
owner: O
{more}signals:
{signals}
when: '{when}'
{after}send: {{message: stuck, purpose: service, topic: care, channels: [email]{send}}}
"""


def rule_text(signals: str, when: str, *, more: str = "", after: str = "", send: str = "") -> str:
    """`signals` a line each: `x: {...}`. The first stands in line 5 (after `more`'s own lines)."""
    lines = "\n".join(f"  {line}" for line in signals.splitlines())
    return RULE.format(more=more, signals=lines, when=when, after=after, send=send)


def load(directory: Path, text: str, **files: str) -> Rule:
    return load_rulebook(write_rulebook(directory, stuck=text, **files)).rules[0].rule


def errors(directory: Path, text: str, **files: str) -> list[str]:
    """Each as file:line:column: words."""
    with pytest.raises(RulebookErrors) as refused:
        load(directory, text, **files)
    return [
        str(error).removeprefix(f"{directory}/").removeprefix("rules/stuck.yaml:")
        for error in refused.value.errors
    ]


EVERY = [
    ("{sum: event.data.x, of: A, within: 7d}", AggregateSignal(kind="sum", value=DATA_X, of=A, within=7 * DAY)),
    ("{average: event.data.x, of: A}", AggregateSignal(kind="average", value=DATA_X, of=A)),
    ("{min: event.data.x, of: A}", AggregateSignal(kind="min", value=DATA_X, of=A)),
    ("{max: event.data.x, of: A}", AggregateSignal(kind="max", value=DATA_X, of=A)),
    ("{distinct: event.data.x, of: A}", DistinctSignal(value=DATA_X, of=A)),
    ("{last: event.data.x, of: A, within: 1d}", LastSignal(kind="last", value=DATA_X, of=A, within=DAY)),
    ("{first: event.data.x, of: A}", LastSignal(kind="first", value=DATA_X, of=A)),
    ("{since: A, within: 60d}", SinceSignal(of=A, within=60 * DAY)),
    ("{first_time: event.data.x, of: A, within: 1d}", FirstTimeSignal(value=DATA_X, of=A, within=DAY)),
    ("{sequence: [A, B], within: 7d}", SequenceSignal(steps=(A, B), within=7 * DAY)),
    ("{sequence: [A, B]}", SequenceSignal(steps=(A, B), within=400 * DAY)),
    ("{date: profile.x, before: 90d, at: '09:00'}", DateSignal(value=PROFILE_X, before=90 * DAY, at=540)),
    (
        "{date: profile.x, before: 0d, at: '00:30', yearly: true}",
        DateSignal(value=PROFILE_X, before=0, at=30, yearly=True),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "signal"), EVERY)
def test_every_kind_is_read(tmp_path: Path, text: str, signal: Signal) -> None:
    when = {NUMBER: "x > 1", BOOLEAN: "x", DURATION: 'x > duration("1h")', DYN: "x == 1"}
    given = rule_text(f"x: {text}", when[signal_types({"x": signal})["x"]])
    assert load(tmp_path, given).signals == {"x": signal}


def test_baseline_and_peers_are_over_other_signals(tmp_path: Path) -> None:
    signals = """\
week: {count: A, within: 7d, per: customer}
usual: {baseline: week, versus: 8, as: zscore}
apart: {peers: usual, cohort: profile.x, statistic: p95, at_least: 20, period: 1d, excluding_self: true}
"""
    read = load(tmp_path, rule_text(signals, "usual > 2 && apart > 1")).signals
    assert read["usual"] == BaselineSignal(signal="week", versus=8, compared_as="zscore", per_customer=True)
    assert read["apart"] == PeersSignal(
        signal="usual", cohort=PROFILE_X, statistic="p95", at_least=20, period=DAY, excluding_self=True
    )


@pytest.mark.parametrize("statistic", ["median", "mean", "min", "max", "p5", "p50", "p95"])
def test_the_statistics_of_a_cohort(tmp_path: Path, statistic: str) -> None:
    peers = f"{{peers: n, cohort: event.data.x, statistic: {statistic}, at_least: 2, period: 1h}}"
    signal = load(tmp_path, rule_text(f"n: {{count: A}}\np: {peers}", "p > 1")).signals["p"]
    assert isinstance(signal, PeersSignal)
    assert (signal.statistic, signal.period, signal.excluding_self) == (statistic, HOUR, False)


@pytest.mark.parametrize("kind", ["since", "each"])
def test_a_condition_may_stand_beside_the_only_event(tmp_path: Path, kind: str) -> None:
    when = {"since": 'x > duration("1h")', "each": "x"}[kind]
    signal = load(tmp_path, rule_text(f"x: {{{kind}: [A, B], where: 'event.data.x'}}", when)).signals["x"]
    assert isinstance(signal.of, EventFilter)  # type: ignore[union-attr]
    assert signal.of == EventFilter(types=("A", "B"), where=DATA_X)  # type: ignore[union-attr]


def test_every_kind_but_those_over_signals_and_dates_may_be_kept_per_customer() -> None:
    assert {name for name, kind in KINDS.items() if "per" not in kind.keys} == {"date", "baseline", "peers"}


def test_willingness_is_there_where_the_policy_sets_it_and_a_condition_names_it(tmp_path: Path) -> None:
    policy = "willingness: {within: 3d, scores: {A: -1}}\n"
    text = rule_text("x: {count: A}", "x > 1")
    assert WILLINGNESS not in load(tmp_path, text, policy=policy).signals
    for asked in (
        rule_text("x: {count: A}", "x > 1 && willingness < 0"),
        rule_text("x: {count: A}", "x > 1", after="eligible: 'willingness < 0'\n"),
        rule_text("x: {count: A}", "x > 1", send=", if: 'willingness < 0'"),
    ):
        assert load(tmp_path, asked, policy=policy).signals[WILLINGNESS] == WillingnessSignal(
            scores={"A": -1}, within=3 * DAY, per_customer=True
        )
    alone = rule_text("x: {count: A}", "willingness < 0")
    assert load(tmp_path, alone, policy=policy).signals[WILLINGNESS]


OWN = "n: {count: A, within: 7d}\n"
PEERS = "cohort: profile.x, statistic: median, at_least: 2, period: 1d}"

REFUSED = [
    ("x: {sum: event.data.x, of: A, within: 0d}", "5:41: a duration of zero is no duration"),
    ("x: {sum: event.data.x, of: A, within: 401d}", "5:41: 401d is further back than the policy's retention of 40"),
    ("x: {sum: event.data.x}", "5:6: a sum signal needs 'of'"),
    ("x: {average: event.data.x}", "5:6: an average signal needs 'of'"),
    ("x: {sum: event.type, of: A}", "5:12: this is a string; a number is needed here"),
    ("x: {sum: event.data.x, of: A, reset: B}", "5:33: unknown key 'reset' of a sum signal"),
    ("x: {distinct: event.data, of: A}", "5:17: this is a map; a boolean or a number or a string is needed here"),
    ("x: {last: event.occurred_at, of: A}", "5:13: this is a timestamp; a boolean or a number or a string is need"),
    ("x: {first_time: event.dat.x, of: A}", "5:19: unknown name 'event.dat'; did you mean 'event.data'?"),
    ("x: {each: A, within: 1d}", "5:16: unknown key 'within' of an each signal"),
    ("x: {sequence: [A], within: 1d}", "5:17: a sequence has at least two steps"),
    ("x: {sequence: A, within: 1d}", "5:17: a sequence must be a list, not a text"),
    ("x: {sequence: [A, B], where: 'true'}", "5:25: a sequence signal has no 'where' of its own; write it inside"),
    ("x: {date: profile.x, before: 1d}", "5:6: a date signal needs 'at'"),
    ("x: {date: profile.x, before: 1d, at: '9:00'}", "5:40: a time of day like \"20:00\" is needed here"),
    ("x: {date: profile.x, before: 1d, at: '09:00', yearly: often}", "5:57: true or false is needed here, not a t"),
    ("x: {date: profile.x, before: 1d, at: '09:00', where: 'true'}", "5:49: a date signal has no 'where' of its o"),
    ("x: {date: event.data.x, before: 1d, at: '09:00'}", "5:13: 'event' is not known here: a date comes of the pr"),
    ("x: {date: lists.x, before: 1d, at: '09:00'}", "5:13: 'lists' is not known here: a date comes of the profile"),
    ("x: {date: profile.email, before: 1d, at: '09:00'}", "5:13: profile.email is an address"),
    ("x: {willingness: A}", "5:7: 'willingness' is built in: name it in a condition, and set its scores in policy"),
    ("x: {cuont: A}", "5:7: unknown signal kind 'cuont'; did you mean 'count'?"),
    ("x: {each: [A, DeadlineReached]}", "5:17: 'DeadlineReached' is a note of Foreword's to itself, and no event"),
    ("x: {each: PeersCompared}", "5:13: 'PeersCompared' is a note of Foreword's to itself, and no event"),
    ("a-b: {count: A}", "5:3: 'a-b' cannot name a signal: letters, digits and _ only"),
    # signals over signals
    ("x: {baseline: n, versus: 8}", "5:6: a baseline signal needs 'as'"),
    ("x: {baseline: n, versus: 8, as: share}", "5:35: unknown comparison 'share'; known are: ratio, zscore"),
    (OWN + "x: {baseline: m, versus: 8, as: ratio}", "6:17: there is no signal 'm'; known are: n, x"),
    ("weekly: {count: A}\nx: {baseline: weeky, versus: 8, as: ratio}", "6:17: there is no signal 'weeky'; did you"),
    (OWN + "x: {baseline: n, versus: 1, as: zscore}", "6:28: a zscore needs at least two windows before"),
    (OWN + "x: {baseline: n, versus: 0, as: ratio}", "6:28: a whole number from 1 to"),
    (
        "n: {count: A, within: 60d}\nx: {baseline: n, versus: 8, as: ratio}",
        "6:28: 8 windows of 60d and the present one reach back 540d, further than the policy's retention of 400d; "
        "versus: 5 would fit",
    ),
    (
        "n: {count: A, within: 300d}\nx: {baseline: n, versus: 8, as: ratio}",
        "6:28: 8 windows of 300d and the present one reach back 2700d, further than the policy's retention of "
        "400d; with versus: 8 a window of 44d would fit",
    ),
    ("n: {count: A}\nx: {baseline: n, versus: 8, as: ratio}", "6:17: a baseline compares windows, and 'n' has no"),
    (
        "n: {change: event.data.x, of: A, over: 3d}\nx: {baseline: n, versus: 8, as: ratio}",
        "6:17: a baseline compares windows, and 'n' has no 'within': a change signal has none",
    ),
    ("n: {each: A}\nx: {baseline: n, versus: 8, as: ratio}", "6:17: 'n' is a moment and has no value; baseline ne"),
    ("n: {since: A, within: 1d}\nx: {baseline: n, versus: 8, as: ratio}", "6:17: 'n' is a duration; baseline need"),
    ("n: {absence: A, after: B, within: 1d}\nx: {peers: n, " + PEERS, "6:14: 'n' is a moment and has no value; pe"),
    ("n: {since: A}\nx: {peers: n, " + PEERS, "6:14: 'n' is a duration; peers needs a signal that is a number"),
    ("x: {baseline: x, versus: 8, as: ratio}", "5:17: these signals go in a circle: x -> x"),
    (
        f"y: {{baseline: z, versus: 8, as: ratio}}\nx: {{peers: y, {PEERS}\n"
        "z: {baseline: x, versus: 2, as: ratio}",
        "5:17: these signals go in a circle: y -> z -> x -> y",
    ),
    (OWN + "x: {peers: n, cohort: profile.x, statistic: p4, at_least: 2, period: 1d}", "6:47: unknown statistic '"),
    (OWN + "x: {peers: n, cohort: profile.x, statistic: p7.5, at_least: 2, period: 1d}", "6:47: unknown statistic"),
    (OWN + "x: {peers: n, cohort: n, statistic: p5, at_least: 2, period: 1d}", "6:25: 'n' is a signal, and signal"),
    (OWN + "x: {peers: n, cohort: profile.x, statistic: p5, at_least: 0, period: 1d}", "6:61: a whole number from"),
    (OWN + "x: {peers: n, cohort: profile.x, statistic: p5, at_least: 2, period: 0d}", "6:72: a duration of zero"),
    (OWN + "y: {peers: n, " + PEERS + "\nx: {peers: n, " + PEERS, "7:3: a rule has at most one peers signal, and"),
    (OWN + "y: {peers: n, " + PEERS + "\nx: {peers: y, " + PEERS, "7:14: 'y' is itself a comparison with peers"),
]  # fmt: skip


@pytest.mark.parametrize(("signals", "expected"), REFUSED)
def test_a_signal_is_refused_with_place_and_words(tmp_path: Path, signals: str, expected: str) -> None:
    found = errors(tmp_path, rule_text(signals, "x > 1"))
    assert [error for error in found if error.startswith(expected)], found


def test_signals_are_a_mapping(tmp_path: Path) -> None:
    assert errors(tmp_path, rule_text("- x: {count: A}", "x > 1"))[0] == (
        "5:3: 'signals' must be a mapping of names"
    )


def test_a_signal_that_cannot_be_read_is_the_only_error(tmp_path: Path) -> None:
    text = rule_text("n: {cuont: A}\nx: {baseline: n, versus: 8, as: ratio}", "x > 1 && n > 1")
    assert errors(tmp_path, text) == ["5:7: unknown signal kind 'cuont'; did you mean 'count'?"]


def test_all_that_is_wrong_with_one_signal_is_said_at_once(tmp_path: Path) -> None:
    assert errors(tmp_path, rule_text("x: {sum: event.type, of: [], within: 0d, wher: 'true'}", "x > 1")) == [
        "5:12: this is a string; a number is needed here",
        "5:28: the list of event types must not be empty",
        "5:40: a duration of zero is no duration",
        "5:44: unknown key 'wher' of a sum signal; did you mean 'where'?",
    ]


DATE = "x: {date: profile.x, before: 1d, at: '09:00'}"
N_PEERS = OWN + "x: {peers: n, " + PEERS
SCHEDULED = "evaluate: {every: 1d, at: '06:00'}\n"

EXCLUDED = [
    (rule_text(N_PEERS, "x > 1", more="for_each: event.data.o\n"), "7:3: 'x': a peers signal does not go with cas"),
    (rule_text(DATE, "x", more="for_each: event.data.o\n"), "6:3: 'x': a date signal does not go with cases (for_"),
    (rule_text(N_PEERS, "x > 1", more=SCHEDULED), "4:11: a rule with a peers signal ('x') is evaluated when its p"),
    (rule_text(OWN, "n > 1 && event.data.x", more=SCHEDULED), "7:17: 'event' is not known here: this rule is eval"),
    (
        rule_text(OWN, "n > 1", more=SCHEDULED, after='eligible: "event.data.x"\n'),
        "8:12: 'event' is not known here: this rule is evaluated on a schedule, and no event causes it",
    ),
    (rule_text(N_PEERS, "n > 1 && has(event.data.x)"), "7:21: 'event' is not known here: a rule with a peers sign"),
    (rule_text(DATE, "x && event.type == \"A\""), "6:13: 'event' is not known here: 'when' uses the date 'x', whi"),
    (rule_text(DATE, "x", send=', if: "event.data.x"'), "7:79: 'event' is not known here: 'when' uses the date 'x"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), EXCLUDED)
def test_what_does_not_go_together_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    found = errors(tmp_path, text)
    assert [error for error in found if error.startswith(expected)], found


def test_an_event_is_known_where_a_date_decides_nothing(tmp_path: Path) -> None:
    assert load(tmp_path, rule_text(f"{OWN}{DATE}", "n > 1 && event.data.x")).when


def test_without_a_bound_on_retention_a_window_may_be_as_long_as_it_likes(tmp_path: Path) -> None:
    write_rulebook(
        tmp_path, stuck=rule_text("x: {count: A, within: 4000d}", "x > 1"), policy="retention: 1d\n"
    )
    assert load_rulebook(tmp_path, Policy(retention=10_000 * DAY)).rules[0].rule.signals


# ---- shared signals

SHARED = """\
week: {count: A, within: 7d}
usual: {baseline: week, versus: 8, as: ratio}
unused: {count: B}
"""


def test_a_rule_has_the_shared_signals_that_it_uses_and_what_they_are_made_of(tmp_path: Path) -> None:
    used = load(tmp_path, rule_text(OWN, "n > 1 && usual > 1"), signals=SHARED).signals
    assert list(used) == ["n", "week", "usual"]
    unused = load(tmp_path, rule_text(OWN, "n > 1"), signals=SHARED).signals
    assert list(unused) == ["n"]
    own = load(
        tmp_path, rule_text("mine: {baseline: week, versus: 3, as: ratio}", "mine > 1"), signals=SHARED
    )
    assert list(own.signals) == ["mine", "week"]
    condition = load(tmp_path, rule_text(OWN, "n > 1", send=", if: 'unused > 1'"), signals=SHARED)
    assert list(condition.signals) == ["n", "unused"]


def test_a_rule_may_live_of_shared_signals_alone(tmp_path: Path) -> None:
    text = rule_text("", "week > 1").replace("signals:\n\n", "")
    assert list(load(tmp_path, text, signals=SHARED).signals) == ["week"]


def test_a_signal_of_the_same_name_as_a_shared_one_is_ambiguous(tmp_path: Path) -> None:
    assert errors(tmp_path, rule_text("week: {count: B}", "week > 1"), signals=SHARED) == [
        "5:3: 'week' is also a shared signal in signals.yaml: give this one another name"
    ]


@pytest.mark.parametrize(
    ("shared", "expected"),
    [
        ("week: {cuont: A}\n", "1:8: unknown signal kind 'cuont'; did you mean 'count'?"),
        ("week: {count: A, within: 401d}\n", "1:26: 401d is further back than the policy's retention"),
        (
            "week: {count: A, where: 'other > 1'}\nother: {count: A}\n",
            "1:26: 'other' is a signal, and signals",
        ),
        ("week: {baseline: n, versus: 2, as: ratio}\n", "1:18: there is no signal 'n'; known are: week"),
        ("- week\n", "1:1: the file must be a mapping of keys, not a list"),
        ("in: {count: A}\n", "1:1: 'in' cannot name a signal"),
    ],
)
def test_what_is_wrong_with_shared_signals_is_said_of_their_file_alone(
    tmp_path: Path, shared: str, expected: str
) -> None:
    (found,) = errors(tmp_path, rule_text(OWN, "week > 1"), signals=shared)
    assert found.startswith(f"signals.yaml:{expected}")


def test_other_errors_of_a_rule_are_found_although_signals_yaml_is_wrong(tmp_path: Path) -> None:
    text = rule_text("n: {count: A, within: 0d}", "week > 1", more="mode: alive\n")
    assert [error.split(": ")[0] for error in errors(tmp_path, text, signals="week: {cuont: A}\n")] == [
        "4:7",
        "6:25",
        "signals.yaml:1:8",
    ]


def test_what_a_shared_signal_excludes_is_said_where_the_rule_uses_it(tmp_path: Path) -> None:
    shared = f"{SHARED}apart: {{peers: week, {PEERS}\nday: {{date: profile.x, before: 1d, at: '09:00'}}\n"
    cases = rule_text(OWN, "apart > 1 && n > 1", more="for_each: event.data.o\n")
    assert errors(tmp_path, cases, signals=shared)[0].startswith("7:7: 'apart': a peers signal does not go")
    both = rule_text(f"{OWN}x: {{peers: n, {PEERS}", "apart > x")
    assert errors(tmp_path, both, signals=shared) == [
        "7:7: a rule has at most one peers signal, and 'x' is one already"
    ]
    assert errors(tmp_path, rule_text(OWN, "day && event.data.x"), signals=shared)[0].startswith(
        "6:15: 'event' is not known here: 'when' uses the date 'day'"
    )
