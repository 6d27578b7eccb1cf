"""What a rule says of the time after its firing: exceptions, holds, experiments, follow-ups, weights."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from foreword.authoring.fields import RulebookErrors
from foreword.authoring.rule_tests import run_rule_tests
from foreword.authoring.rulebook import load_rulebook
from foreword.domain.instants import DAY, HOUR
from foreword.domain.rulebook import Channel, Experiment, Goal, Hold, Purpose, Rule
from tests.unit.authoring.rulebooks import RULE, write_rulebook

MODE, TOPIC = "mode: live\n", "  topic: care\n"


def load(directory: Path, text: str, **files: str) -> Rule:
    return load_rulebook(write_rulebook(directory, stuck=text, **files)).rules[0].rule


def with_key(line: str) -> str:
    return RULE.replace(MODE, f"{MODE}{line}\n")


def with_send(line: str) -> str:
    return RULE.replace(TOPIC, f"{TOPIC}  {line}\n")


def test_exceptions_are_events_with_conditions_of_their_own(tmp_path: Path) -> None:
    rule = load(
        tmp_path, with_key("exceptions: {type: [A, B], where: 'event.data.x in lists.y'}"), lists="y: [z]"
    )
    assert rule.exceptions is not None
    assert rule.exceptions.types == ("A", "B")
    assert rule.exceptions.where is not None


def test_a_hold_is_of_purposes_for_a_time_or_until_an_event(tmp_path: Path) -> None:
    written = "hold: {purposes: [marketing, service], for: 72h, until: [RetentionCallEnded]}"
    assert load(tmp_path, with_key(written)).hold == Hold(
        purposes=(Purpose.MARKETING, Purpose.SERVICE),
        lasts=72 * HOUR,
        until={"types": ["RetentionCallEnded"]},
    )


def test_an_experiment_has_a_holdout_variants_and_a_goal(tmp_path: Path) -> None:
    written = (
        "experiment: {holdout: 5%, variants: {calm: 33.5%, direct: 66.5%}, goal: {event: A, within: 14d}}"
    )
    assert load(tmp_path, with_key(written)).experiment == Experiment(
        holdout=Decimal("0.05"),
        variants={"calm": Decimal("0.335"), "direct": Decimal("0.665")},
        goal=Goal(event={"types": ["A"]}, within=14 * DAY),
    )
    assert load(tmp_path, with_key("experiment: {holdout: 5%}")).experiment == Experiment(
        holdout=Decimal("0.05")
    )


def test_a_follow_up_has_its_time_and_what_cancels_it_and_may_be_the_only_message(tmp_path: Path) -> None:
    send = load(tmp_path, with_send("after: 7d\n  unless: [A, B]")).sends[0]
    assert send.unless is not None
    assert (send.after, send.unless.types) == (7 * DAY, ("A", "B"))


def test_weights_give_numbers_of_profile_lists_signals_and_event(tmp_path: Path) -> None:
    weights = "propensity: 0.5\n  context: contacts / 10\n  value: 'event.data.amount * profile.share'"
    send = load(tmp_path, with_send(weights)).sends[0]
    assert [weight.source for weight in send.weights] == [
        "0.5",
        "contacts / 10",
        "event.data.amount * profile.share",
    ]


def test_a_signal_that_only_weighs_belongs_to_the_rule(tmp_path: Path) -> None:
    rule = load(tmp_path, with_send("value: spend"), signals="spend: {sum: event.data.x, of: A}\n")
    assert rule.signals.keys() == {"contacts", "spend"}


def test_an_outbound_message_needs_no_templates(tmp_path: Path) -> None:
    assert load(tmp_path, RULE.replace("[email, sms]", "[outbound]").split("tests:")[0]).sends[
        0
    ].channels == (Channel.OUTBOUND,)


REFUSED = [
    (with_key("exceptions: []"), "5:13: the list of event types must not be empty"),
    (
        with_key("exceptions: {type: A, where: 'contacts > 1'}"),
        "5:31: 'contacts' is a signal, and signals are",
    ),
    (with_key("hold: {purposes: [marketing]}"), "5:7: 'hold' needs 'for'"),
    (with_key("hold: {for: 3d}"), "5:7: 'hold' needs 'purposes'"),
    (with_key("hold: {purposes: [critical], for: 3d}"), "5:19: nothing holds critical messages; held are"),
    (with_key("hold: {purposes: [service, service], for: 3d}"), "5:28: the purpose 'service' stands twice"),
    (
        with_key("hold: {purposes: [service], for: 401d}"),
        "5:34: 401d is further back than the policy's retention",
    ),
    (
        with_key("hold: {purposes: [service], for: 3d, til: A}"),
        "5:38: unknown key 'til' of 'hold'; did you mean",
    ),
    (with_key("experiment: {}"), "5:13: an experiment compares: it needs a holdout above 0%, or variants"),
    (with_key("experiment: {holdout: 0%}"), "5:13: an experiment compares: it needs a holdout above 0%"),
    (with_key("experiment: {holdout: 5}"), "5:23: a share like 2% or 0.5% is needed here; did you mean 5%?"),
    (with_key("experiment: {holdout: 60%}"), "5:23: 60% is more than the 50% that are possible here"),
    (
        with_key("experiment: {variants: {a: 100%}}"),
        "5:24: variants are compared with one another: there must",
    ),
    (
        with_key("experiment: {variants: {a: 50%, b: 49.5%}}"),
        "5:24: the shares of the variants add up to 99.5%",
    ),
    (with_key("experiment: {variants: {a: 100%, b: 0%}}"), "5:37: a variant that nobody gets is none"),
    (with_key("experiment: {variants: {a: 50%, a: 50%}}"), "5:33: 'a' stands twice"),
    (
        with_key("experiment: {variants: {holdout: 50%, b: 50%}}"),
        "5:25: a variant cannot be called 'holdout'",
    ),
    (with_key("experiment: {variants: {Calm: 50%, b: 50%}}"), "5:25: 'Calm' is not kebab-case"),
    (with_key("experiment: {variants: [a, b]}"), "5:24: 'variants' must give names their shares"),
    (with_key("experiment: {holdout: 5%, goal: {event: A}}"), "5:33: 'goal' needs 'within'"),
    (
        with_key("experiment: {holdout: 5%, goal: {event: A, within: 401d}}"),
        "5:52: 401d is further back than the",
    ),
    (with_send("unless: A"), "17:11: 'unless' belongs to a follow-up, which has 'after'"),
    (with_send("after: 0d"), "17:10: a duration of zero is no duration"),
    (with_send("after: 401d"), "17:10: 401d after a firing, the events since then may be forgotten"),
    (with_send("value: profile.x > 1"), "17:10: this is a boolean; a number is needed here"),
    (with_send("value: [1]"), "17:10: an expression is needed here"),
    (with_send("value: contcts"), "17:10: unknown name 'contcts'; did you mean 'contacts'?"),
    (
        with_send("value: event.data.x").replace(MODE, f"{MODE}evaluate: {{every: 1d, at: '06:00'}}\n"),
        "18:10: 'event' is not known here: this rule is evaluated on a schedule",
    ),
    (RULE.replace("  contacts:\n", "  variant:\n"), "6:3: 'variant' cannot name a signal"),
]


@pytest.mark.parametrize(("text", "expected"), REFUSED)
def test_refused_with_place_and_words(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(RulebookErrors) as refused:
        load(tmp_path, text)
    found = [str(error).removeprefix(f"{tmp_path}/rules/stuck.yaml:") for error in refused.value.errors]
    assert any(error.startswith(expected) for error in found), found


def test_what_follows_a_firing_is_no_part_of_the_digest(tmp_path: Path) -> None:
    first = load(tmp_path, RULE).digest
    for number, text in enumerate(
        (
            with_key("exceptions: [A]"),
            with_key("hold: {purposes: [marketing], for: 72h}"),
            with_key("experiment: {holdout: 5%}"),
            with_send("after: 7d\n  unless: [A]"),
            with_send("propensity: contacts / 2\n  value: spend"),
            RULE.replace("priority: 80", "priority: 1").replace("[email, sms]", "[outbound, email]"),
            RULE.replace("expires_after: 24h", "expires_after: 2h"),
        )
    ):
        shared = "spend: {sum: event.data.x, of: A}\n"
        assert load(tmp_path / str(number), text, signals=shared).digest == first, text


FOLLOWED = """\
rule: stuck
why: W
owner: O
exceptions: [Left]
signals: {n: {each: A}}
when: 'n'
send:
  - {message: now, purpose: service, topic: care, channels: [email]}
  - {message: later, purpose: service, topic: care, channels: [sms], after: 7d, unless: {type: Came, where: 'W'}}
tests:
  - {name: t, customer: {vip: true}, GIVEN}
"""
A = "{at: 2026-03-02T09:00:00Z, event: A, data: {case: x}}"
NOW, LATER = "{message: now, channel: email}", "{message: later, channel: sms}"


def given(*events: str, until: str = "2026-03-09T09:00:00Z", expect: str = f"[{NOW}, {LATER}]") -> str:
    return f"given: [{', '.join((A, *events))}], until: {until}, expect: {expect}"


def event(kind: str, at: str = "2026-03-03T09:00:00Z", data: str = "{case: x}") -> str:
    return f"{{at: {at}, event: {kind}, data: {data}}}"


LOST = event("CustomerUpdated", data="{vip: null}")


@pytest.mark.parametrize(
    ("test", "where", "more"),
    [
        (given(), "true", ""),
        (given(until="2026-03-09T08:59:59Z", expect=f"[{NOW}]"), "true", ""),
        (given(event("Came"), expect=f"[{NOW}]"), "true", ""),
        (given(event("Came", "2026-03-09T09:00:00Z"), expect=f"[{NOW}]"), "true", ""),
        (given(event("Came", "2026-03-02T09:00:00Z")), "true", ""),
        (given(event("Came", "2026-03-09T09:00:01Z"), until="2026-03-10T09:00:00Z"), "true", ""),
        (given(event("Left"), expect=f"[{NOW}]"), "true", ""),
        (given(event("Came")), "event.data.far", ""),
        (given(event("Came"), expect=f"[{NOW}]"), "profile.vip", ""),
        (given(LOST, event("Came", "2026-03-04T09:00:00Z")), "profile.vip", ""),
        (given(event("Left"), expect=f"[{NOW}]"), "true", "for_each: event.data.case\n"),
        (given(event("Left", data="{case: y}")), "true", "for_each: event.data.case\n"),
        (given(event("Left", data="{}")), "true", "for_each: event.data.case\n"),
    ],
)  # fmt: skip
def test_a_rules_own_test_sees_a_follow_up_that_is_due_and_not_cancelled(
    tmp_path: Path, test: str, where: str, more: str
) -> None:
    text = more + FOLLOWED.replace("GIVEN", test).replace("'W'", f"'{where}'")
    loaded = load_rulebook(write_rulebook(tmp_path, stuck=text))
    (result,) = run_rule_tests(loaded.rules[0], loaded.policy, loaded.lists)
    assert result.difference == ()


def test_the_difference_says_that_a_follow_up_is_not_due(tmp_path: Path) -> None:
    only = "\n".join(line for line in FOLLOWED.split("\n") if "message: now" not in line)
    text = only.replace("GIVEN", given(until="2026-03-04T09:00:00Z", expect=f"[{LATER}]")).replace(
        "'W'", "'true'"
    )
    loaded = load_rulebook(write_rulebook(tmp_path, stuck=text))
    (result,) = run_rule_tests(loaded.rules[0], loaded.policy, loaded.lists)
    assert result.difference == (
        "expected  later by sms",
        "happened  no message, for its follow-ups are not due yet or were cancelled, at 2026-03-02T09:00:00Z "
        "with n = true",
    )
