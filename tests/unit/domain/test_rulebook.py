"""How long things are kept follows from the last moment at which a message may still be delivered."""

from __future__ import annotations

from foreword.domain.core import Core
from foreword.domain.instants import DAY, HOUR
from foreword.domain.rulebook import (
    Channel,
    CountSignal,
    EventFilter,
    Expression,
    Mode,
    Policy,
    Purpose,
    Rule,
    Rulebook,
    Send,
)

POLICY = Policy(retention=100 * DAY, allowed_lateness=7 * DAY)


def number(text: str) -> Expression:
    return Expression(source=text, tree=["number", text])


def send(**changed: object) -> Send:
    return Send(
        message="m", purpose=Purpose.SERVICE, topic="care", channels=(Channel.EMAIL,), expires_after=HOUR
    ).model_copy(update=changed)


def rule(*sends: Send, **changed: object) -> Rule:
    return Rule(
        rule="r",
        why="W",
        owner="O",
        mode=Mode.LIVE,
        signals={"n": CountSignal(of=EventFilter(types=("A",)))},
        when=Expression(source="n > 1", tree=[">", ["name", "n"], ["number", "1"]]),
        eligible=Expression(source="true", tree=["bool", True]),
        sends=sends,
        digest="d",
    ).model_copy(update=changed)


def rulebook(*rules: Rule) -> Rulebook:
    return Rulebook(generation="g", rules=rules, policy=POLICY)


def test_a_rule_is_over_when_its_last_follow_up_has_expired() -> None:
    assert rule(send(expires_after=2 * DAY), send()).expires_after == 2 * DAY
    assert rule(send(expires_after=2 * DAY), send(after=7 * DAY)).expires_after == 7 * DAY + HOUR


def test_facts_are_kept_until_a_follow_up_of_the_oldest_rise_has_expired() -> None:
    follow_up = rule(send(after=30 * DAY))
    assert rulebook(rule(send())).journal_kept_for == 108 * DAY + HOUR
    assert rulebook(rule(send()), follow_up).journal_kept_for == 138 * DAY + HOUR


def test_messages_are_kept_for_the_retention_after_the_last_moment_at_which_one_may_leave() -> None:
    assert rulebook().messages_kept_for == 100 * DAY
    assert rulebook(rule(send(after=30 * DAY))).messages_kept_for == 130 * DAY + HOUR
    long_pause = rule(send(), re_eligible_after=365 * DAY)
    assert rulebook(long_pause).messages_kept_for == 365 * DAY


def test_the_weights_of_a_send_are_those_that_are_written() -> None:
    assert send().weights == ()
    assert [one.source for one in send(value=number("3"), propensity=number("1")).weights] == ["1", "3"]


def test_a_signal_that_only_weighs_is_kept_though_the_digest_does_not_tell_of_it() -> None:
    """Its memory has to be filled from the journal, so the states of customers are another rulebook's."""
    weighs = rule(
        send(value=Expression(source="m", tree=["name", "m"])),
        signals={"n": rule().signals["n"], "m": CountSignal(of=EventFilter(types=("B",)))},
    )
    core, before = Core(rulebook(weighs)), Core(rulebook(rule(send())))
    assert len(core.trackers) == 2
    assert core.fingerprint != before.fingerprint
