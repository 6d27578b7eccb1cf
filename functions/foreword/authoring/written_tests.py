"""The `tests` of a rule as its author wrote them: a customer, a history, and what is to come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from foreword.authoring.fields import Fields, Source, instant, items, one_of, text
from foreword.authoring.suggest import did_you_mean
from foreword.authoring.yaml_reader import Mapping as YamlMapping
from foreword.authoring.yaml_reader import Node, Place, Sequence, json_value
from foreword.domain.facts import FOREWORD, OWN_TYPES, Fact
from foreword.domain.instants import Instant
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Channel, Send

CUSTOMER_ID = "customer"
SOURCE = "test"
"""Of every given event that names none, unless its type is one of Foreword's own."""

_KNOWN = ("name", "customer", "given", "until", "expect")
_UNBUILT = ("policy", "others")
_SKIPS = {reason.value: reason for reason in (Reason.NOT_ELIGIBLE, Reason.NOT_RE_ELIGIBLE)}


@dataclass(frozen=True, slots=True)
class Sent:
    message: str
    channel: Channel

    def __str__(self) -> str:
        return f"{self.message} by {self.channel}"


@dataclass(frozen=True, slots=True)
class Skipped:
    reason: Reason

    def __str__(self) -> str:
        return f"skipped: {self.reason}"


Expected: TypeAlias = Sent | Skipped


@dataclass(frozen=True, slots=True)
class RuleTest:
    name: str
    customer: Mapping[str, Any]
    given: tuple[Fact, ...]
    until: Instant | None
    expect: tuple[Expected, ...]
    place: Place

    @property
    def fires(self) -> bool:
        return any(isinstance(expected, Sent) for expected in self.expect)


def read_tests(source: Source, node: Node, send: Send | None) -> tuple[RuleTest, ...]:
    """What is wrong is left in `source.errors`. `send` is None where the rule's own could not be read."""
    tests: list[RuleTest] = []
    for item in items(source, node, "'tests'"):
        with source.collecting():
            test = _read_test(source, item, send)
            if any(test.name == other.name for other in tests):
                raise source.refused(item, f"a second test is named '{test.name}'")
            tests.append(test)
    return tuple(tests)


def _read_test(source: Source, node: Node, send: Send | None) -> RuleTest:
    fields = Fields(source, node, "a test", _KNOWN, _UNBUILT)
    given = fields.require("given")
    if not isinstance(given, Sequence):
        raise source.refused(given, "'given' must be a list of events")
    facts = tuple(_fact(source, item, index) for index, item in enumerate(given.items))
    expect = fields.require("expect")
    if not isinstance(expect, Sequence):
        raise source.refused(expect, "'expect' must be a list; [] where no message is expected")
    until = fields.optional("until", instant, None)
    if until is not None and any(fact.occurred_at > until for fact in facts):
        raise source.refused(fields.values["until"], "'until' is before the last given event")
    return RuleTest(
        name=text(source, fields.require("name")),
        customer=fields.optional("customer", _customer, {}),
        given=facts,
        until=until,
        expect=tuple(_expected(source, item, send) for item in expect.items),
        place=node.place,
    )


def _customer(source: Source, node: Node) -> dict[str, Any]:
    if not isinstance(node, YamlMapping):
        raise source.refused(node, "'customer' must be a mapping of profile fields")
    return {key.value: json_value(value) for key, value in node.entries}


def _fact(source: Source, node: Node, index: int) -> Fact:
    fields = Fields(source, node, "a given event", ("at", "event", "data", "source", "id"))
    kind = text(source, fields.require("event"))
    at = instant(source, fields.require("at"))
    return Fact(
        source=fields.optional("source", text, FOREWORD if kind in OWN_TYPES else SOURCE),
        id=fields.optional("id", text, f"given-{index + 1}"),
        type=kind,
        customer_id=CUSTOMER_ID,
        occurred_at=at,
        received_at=at + index,  # events of one instant are applied in the order in which they are written
        data=fields.optional("data", _data, {}),
    )


def _data(source: Source, node: Node) -> dict[str, Any]:
    value = json_value(node)
    if not isinstance(value, dict):
        raise source.refused(node, "'data' must be a mapping")
    return value


def _expected(source: Source, node: Node, send: Send | None) -> Expected:
    fields = Fields(source, node, "an expectation", ("message", "channel", "skipped"))
    if "skipped" in fields.values:
        if len(fields.values) > 1:
            raise source.refused(node, "an expectation is either {message, channel} or {skipped}")
        return Skipped(one_of(source, fields.values["skipped"], _SKIPS, "reason in a test"))
    message, channel = fields.require("message"), fields.require("channel")
    sent = Sent(text(source, message), one_of(source, channel, {c.value: c for c in Channel}, "channel"))
    if send is not None and sent.message != send.message:
        hint = did_you_mean(sent.message, [send.message]) or f"; it sends '{send.message}'"
        raise source.refused(message, f"the rule does not send '{sent.message}'{hint}")
    if send is not None and sent.channel not in send.channels:
        raise source.refused(
            channel, f"the rule does not send by {sent.channel}, only by {', '.join(send.channels)}"
        )
    return sent
