"""Warned of is what no event can make true, and what a negation does where a field may be missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from foreword.authoring.cautions import cautions
from foreword.authoring.rulebook import load_rulebook
from tests.unit.authoring.rulebooks import write_rulebook
from tests.unit.authoring.test_signals import rule_text

SCHEMAS: dict[str, Any] = {
    "Order": {"properties": {"amount": {"type": "number", "minimum": 0}, "note": {}}, "required": ["amount"]},
    "Booking": {"properties": {"amount": {"type": "number", "minimum": -1000}}, "required": ["amount"]},
}
POLICY = "willingness: {scores: {Order: 1, Booking: 2}}\n"
SIGNALS = """\
orders: {count: Order, within: 7d}
fresh: {count: Order, reset: Solved}
spend: {sum: event.data.amount, of: Order, within: 7d}
saldo: {sum: event.data.amount, of: Booking, within: 7d}
unknown: {sum: event.data.amount, of: Payment, within: 7d}
net: {sum: event.data.amount - 5, of: Order, within: 7d}
kinds: {distinct: event.data.note, of: Order}
mean: {average: event.data.amount, of: Order, within: 7d}
ago: {since: Order}
usual: {baseline: spend, versus: 8, as: ratio}
average_usual: {baseline: mean, versus: 8, as: ratio}
moment: {each: Booking}
"""

IN_VAIN = [
    "orders < 3",
    "3 >= orders",
    "orders == 0",
    "spend <= 100",
    "unknown <= 100",
    "kinds < 2",
    'ago > duration("720h")',
    'ago >= duration("720h") && profile.vip',
    'duration("720h") < ago',
    'ago == duration("720h")',
    "usual <= -0.4",
    "!(usual > -0.4)",
    "orders >= 3 || usual <= -0.4",
    "willingness < 0",
    "orders < 3 && usual < 0",
]
WELL = [
    "orders >= 3",
    "orders == 3",
    "fresh < 1",
    "saldo < 0",
    "net < 0",
    "mean < 10",
    "average_usual <= -0.4",
    "usual >= 2",
    'ago < duration("24h")',
    'ago == duration("0s")',
    'moment && ago > duration("720h")',
    "orders < 3 && fresh > 1",
    "willingness > 3",
    "moment",
    "orders * 2 < 6",
]


def warned(directory: Path, text: str, **files: str) -> list[str]:
    """Each as line:column: words."""
    (authored,) = load_rulebook(write_rulebook(directory, stuck=text, policy=POLICY, **files)).rules
    return [
        str(found).removeprefix(f"{directory}/rules/stuck.yaml:").removeprefix(f"{directory}/")
        for found in cautions(authored, SCHEMAS)
    ]


@pytest.mark.parametrize("when", IN_VAIN)
def test_what_only_passing_time_makes_true_is_warned_of(tmp_path: Path, when: str) -> None:
    assert warned(tmp_path, rule_text(SIGNALS, when)) == [
        "17:7: only passing time can make this true, and passing time alone makes no rule fire; "
        'ask on a schedule instead, as in evaluate: {every: 1d, at: "09:00"}'
    ]


@pytest.mark.parametrize("when", IN_VAIN)
def test_on_a_schedule_it_is_what_is_meant(tmp_path: Path, when: str) -> None:
    scheduled = rule_text(SIGNALS, when, more='evaluate: {every: 1d, at: "09:00"}\n')
    assert warned(tmp_path, scheduled) == []


@pytest.mark.parametrize("when", WELL)
def test_what_an_event_can_make_true_is_not_warned_of(tmp_path: Path, when: str) -> None:
    assert warned(tmp_path, rule_text(SIGNALS, when)) == []


def test_scores_that_only_sink_never_lift_willingness(tmp_path: Path) -> None:
    text = rule_text("x: {count: A}", "willingness > -5")
    write_rulebook(tmp_path, stuck=text, policy="willingness: {scores: {A: -1}}\n")
    (authored,) = load_rulebook(tmp_path).rules
    assert [found.line for found in cautions(authored, {})] == [6]


def test_a_moment_asked_on_a_schedule_or_at_a_close_is_warned_of(tmp_path: Path) -> None:
    scheduled = rule_text("x: {each: A}", "x", more='evaluate: {every: 1d, at: "09:00"}\n')
    assert warned(tmp_path, scheduled) == [
        "7:7: 'x' is true at its own instant alone, and this rule is evaluated on a schedule: "
        "it will hardly ever be true"
    ]
    peers = "p: {peers: n, cohort: profile.x, statistic: median, at_least: 2, period: 1d}"
    closes = rule_text(f"n: {{count: A}}\n{peers}\nx: {{each: A}}", "p > 1 || x")
    (found,) = warned(tmp_path, closes)
    assert "evaluated when the period of 'p' closes" in found


def test_fields_of_sends_sequences_and_shared_signals_are_looked_at(tmp_path: Path) -> None:
    text = rule_text("x: {sequence: [Order, Booking]}", "x", send=", if: '!event.data.note'")
    assert warned(tmp_path, text) == [
        "7:78: '!' meets event.data.note, which the schema of Booking does not require; where it is missing "
        "this is false, unless has(event.data.note) is asked first"
    ]
    shared = "s: {count: Order, where: 'event.data.note != 1'}\n"
    (found,) = warned(tmp_path, rule_text("x: {count: A}", "s > 1"), signals=shared)
    assert found.startswith("signals.yaml:1:1: '!=' meets event.data.note")
    (found,) = warned(tmp_path, rule_text("x: {sequence: [Ordr, Order]}", "x"), signals=shared)
    assert found == "5:3: no schema describes the event 'Ordr'; did you mean 'Order'?"
    assert warned(tmp_path, rule_text("x: {each: OrderDelivered}", "x"), lists="codes: [a]\n") == []


def test_others_without_peers_are_warned_of(tmp_path: Path) -> None:
    text = rule_text("n: {count: A}", "n > 1")
    test = "tests: [{name: t, given: [], until: 2026-03-02T09:00:00Z, others: [{given: []}], expect: []}]\n"
    peers = "p: {peers: n, cohort: profile.x, statistic: median, at_least: 2, period: 1d}"
    assert warned(tmp_path, f"{text}{test}") == [
        "8:8: 't' gives others, and only a rule with a peers signal looks at them"
    ]
    assert warned(tmp_path, f"{rule_text(f'n: {{count: A}}{chr(10)}{peers}', 'p > 1')}{test}") == []


AWAITED: dict[str, Any] = {
    **SCHEMAS,
    "Shipped": {"properties": {"order_id": {}, "carrier": {}}, "required": ["order_id"]},
    "Paid": {"properties": {"payment_id": {}}},
}


def warned_after(directory: Path, more: str, send: str = "") -> list[str]:
    text = rule_text("x: {each: Shipped}", "x", more=more, send=send)
    (authored,) = load_rulebook(write_rulebook(directory, stuck=text, policy=POLICY)).rules
    return sorted(found.message for found in cautions(authored, AWAITED))


def test_an_event_without_the_case_that_is_to_cancel_is_warned_of(tmp_path: Path) -> None:
    case = "for_each: event.data.order_id\n"
    expected = (
        "the schema of Paid has no 'order_id', and an event without the case (event.data.order_id) "
        "cancels nothing"
    )
    assert warned_after(tmp_path, f"{case}exceptions: [Paid, Shipped]\n") == [expected]
    assert warned_after(tmp_path, case, ", after: 1d, unless: Paid") == [expected]
    assert warned_after(tmp_path, f"{case}hold: {{purposes: [marketing], for: 1d, until: Paid}}\n") == []
    assert warned_after(tmp_path, f"{case}exceptions: [Undescribed]\n") == []
    assert warned_after(tmp_path, "exceptions: [Paid]\n") == []


@pytest.mark.parametrize(
    ("more", "send"),
    [
        ("exceptions: [Shiped]\n", ""),
        ("hold: {purposes: [marketing], for: 1d, until: Shiped}\n", ""),
        ("experiment: {holdout: 5%, goal: {event: Shiped, within: 1d}}\n", ""),
        ("", ", after: 1d, unless: Shiped"),
    ],
)
def test_events_after_the_firing_that_look_misspelt_are_warned_of(
    tmp_path: Path, more: str, send: str
) -> None:
    assert warned_after(tmp_path, more, send) == [
        "no schema describes the event 'Shiped'; did you mean 'Shipped'?"
    ]


def test_fields_of_weights_and_of_awaited_events_are_looked_at(tmp_path: Path) -> None:
    wrong = "no schema describes event.data.carier; did you mean 'carrier'?"
    assert warned_after(tmp_path, "", ", value: event.data.carier") == [wrong]
    assert warned_after(tmp_path, "exceptions: {type: Shipped, where: 'event.data.carier == \"x\"'}\n") == [
        wrong
    ]


def test_an_experiment_that_counts_nothing_is_warned_of(tmp_path: Path) -> None:
    assert warned_after(tmp_path, "experiment: {holdout: 5%}\n") == [
        "an experiment without a goal: `foreword results` has nothing to count"
    ]
