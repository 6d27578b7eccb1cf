"""The `tests` of a rule as its author wrote them: a customer, a history, and what is to come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

from foreword.authoring.event_types import event_type
from foreword.authoring.fields import Fields, Key, Source, boolean, instant, items, one_of, text
from foreword.authoring.suggest import did_you_mean
from foreword.authoring.value_schemas import (
    EVENT_TYPE,
    FLAG,
    OBJECT,
    TEXT,
    TIME,
    definition,
    list_of,
    mapping,
)
from foreword.authoring.value_schemas import one_of as any_of
from foreword.authoring.yaml_reader import Mapping as YamlMapping
from foreword.authoring.yaml_reader import Node, Place, Sequence, json_value
from foreword.domain.facts import FOREWORD, OWN_TYPES, Fact
from foreword.domain.instants import DAY, Instant, format_instant
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Channel, Send

CUSTOMER_ID = "customer"
SOURCE = "test"
"""Of every given event that names none, unless its type is one of Foreword's own."""

A_YEAR = 365 * DAY
"""How long the clock of a test with no given event runs before its `until`: a birthday comes once."""

SKIPS = {reason.value: reason for reason in (Reason.NOT_ELIGIBLE, Reason.NOT_RE_ELIGIBLE)}
POLICY_SKIPS = {
    reason.value: reason
    for reason in (
        Reason.PAUSED_BY_CUSTOMER,
        Reason.NO_CONSENT,
        Reason.NO_ADDRESS,
        Reason.UNWILLING,
        Reason.ON_HOLD,
        Reason.CAPPED,
        Reason.DEFERRED_QUIET_HOURS,
        Reason.EXPIRED,
        Reason.CANCELLED_BY_EXCEPTION,
    )
}
"""What only a gate of the policy, or waiting for it, can lead to."""

GIVEN_KEYS = {
    "at": Key(TIME, required=True),
    "event": Key(EVENT_TYPE, required=True),
    "data": Key(OBJECT),
    "source": Key(TEXT),
    "id": Key(TEXT),
    "retracts": Key(
        {**TEXT, "description": "The id of an event of the same source that this one takes back."}
    ),
}
EXPECTED_KEYS = {
    "message": Key(TEXT),
    "channel": Key(any_of(Channel)),
    "at": Key({**TIME, "description": "When it leaves; compared where it is written."}),
    "skipped": Key(any_of({**SKIPS, **POLICY_SKIPS})),
}
MEMBER_KEYS = {
    "customer_id": Key(TEXT),
    "customer": Key({**OBJECT, "description": "Fields of the profile."}),
    "given": Key(list_of(definition("given"), 0), required=True),
}
KEYS = {
    "name": Key(TEXT, required=True),
    "customer": Key({**OBJECT, "description": "Fields of the profile."}),
    "given": Key(list_of(definition("given"), 0), required=True),
    "others": Key({**list_of(mapping(MEMBER_KEYS)), "description": "Members of the cohort."}),
    "until": Key({**TIME, "description": "Lets time pass after the last given event."}),
    "policy": Key(
        {**FLAG, "default": False, "description": "Whether the gates of the policy apply, and time goes by."}
    ),
    "expect": Key(list_of(definition("expected"), 0), required=True),
}


@dataclass(frozen=True, slots=True)
class Sent:
    """`at` is None where it does not matter."""

    message: str
    channel: Channel
    at: Instant | None = None

    def __str__(self) -> str:
        when = "" if self.at is None else f" at {format_instant(self.at)}"
        return f"{self.message} by {self.channel}{when}"


@dataclass(frozen=True, slots=True)
class Skipped:
    reason: Reason

    def __str__(self) -> str:
        return f"skipped: {self.reason}"


Expected: TypeAlias = Sent | Skipped


@dataclass(frozen=True, slots=True)
class Member:
    """A customer of a test: the profile as given, and a history."""

    customer_id: str
    profile: Mapping[str, Any]
    given: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class RuleTest:
    """`start` is None where each customer's clock starts at the first given event.

    `policy`: the messages go through its gates as time goes by.
    """

    name: str
    customer: Member
    others: tuple[Member, ...]
    start: Instant | None
    end: Instant
    expect: tuple[Expected, ...]
    place: Place
    policy: bool = False

    @property
    def given(self) -> tuple[Fact, ...]:
        """The events of all its customers."""
        return tuple(fact for member in (self.customer, *self.others) for fact in member.given)

    @property
    def fires(self) -> bool:
        return any(isinstance(expected, Sent) for expected in self.expect)


def read_tests(source: Source, node: Node, sends: tuple[Send, ...]) -> tuple[RuleTest, ...]:
    """What is wrong is left in `source.errors`. `sends` is empty where the rule's own could not be read."""
    tests: list[RuleTest] = []
    for item in items(source, node, "'tests'"):
        with source.collecting():
            test = _read_test(source, item, sends)
            if any(test.name == other.name for other in tests):
                raise source.refused(item, f"a second test is named '{test.name}'")
            tests.append(test)
    return tuple(tests)


def _read_test(source: Source, node: Node, sends: tuple[Send, ...]) -> RuleTest:
    fields = Fields(source, node, "a test", KEYS)
    policy = fields.optional("policy", boolean, False)
    customer = _member(source, fields, CUSTOMER_ID)
    nobody: tuple[Member, ...] = ()
    others = fields.optional("others", _others, nobody)
    expect = fields.require("expect")
    if not isinstance(expect, Sequence):
        raise source.refused(expect, "'expect' must be a list; [] where no message is expected")
    until = fields.optional("until", instant, None)
    times = [fact.occurred_at for member in (customer, *others) for fact in member.given]
    if until is not None and any(time > until for time in times):
        raise source.refused(fields.values["until"], "'until' is before the last given event")
    if until is None and not times:
        raise source.refused(
            fields.values["given"],
            "with no given event the test needs 'until', the time at which its clock ends "
            "(it starts a year before)",
        )
    end = until if until is not None else max(times)
    return RuleTest(
        name=text(source, fields.require("name")),
        customer=customer,
        others=others,
        start=None if times else end - A_YEAR + 1,  # what falls on the same day a year ago is over
        end=end,
        expect=tuple(_expected(source, item, sends, policy=policy) for item in expect.items),
        place=node.place,
        policy=policy,
    )


def _others(source: Source, node: Node) -> tuple[Member, ...]:
    members: list[Member] = []
    for number, item in enumerate(items(source, node, "'others'"), start=1):
        fields = Fields(source, item, "one of the others", MEMBER_KEYS)
        member = _member(source, fields, fields.optional("customer_id", text, f"other-{number}"))
        if member.customer_id in (CUSTOMER_ID, *(other.customer_id for other in members)):
            raise source.refused(item, f"a second customer is called '{member.customer_id}'")
        members.append(member)
    return tuple(members)


def _member(source: Source, fields: Fields, customer_id: str) -> Member:
    given = fields.require("given")
    if not isinstance(given, Sequence):
        raise source.refused(given, "'given' must be a list of events")
    facts = tuple(_fact(source, item, index, customer_id) for index, item in enumerate(given.items))
    for item, fact in zip(given.items, facts, strict=True):
        known = [other.id for other in facts if other.source == fact.source and other.retracts is None]
        if fact.retracts is not None and fact.retracts not in known:
            hint = did_you_mean(fact.retracts, known) or f"; known are: {', '.join(known) or 'none'}"
            raise source.refused(
                item, f"no given event of the source '{fact.source}' has the id '{fact.retracts}'{hint}"
            )
    return Member(customer_id, fields.optional("customer", _customer, {}), facts)


def _customer(source: Source, node: Node) -> dict[str, Any]:
    if not isinstance(node, YamlMapping):
        raise source.refused(node, "'customer' must be a mapping of profile fields")
    return {key.value: _as_received(json_value(value)) for key, value in node.entries}


def _fact(source: Source, node: Node, index: int, customer_id: str) -> Fact:
    fields = Fields(source, node, "a given event", GIVEN_KEYS)
    kind = event_type(source, fields.require("event"))
    at = instant(source, fields.require("at"))
    return Fact(
        source=fields.optional("source", text, FOREWORD if kind in OWN_TYPES else SOURCE),
        id=fields.optional("id", text, f"given-{index + 1}"),
        type=kind,
        customer_id=customer_id,
        occurred_at=at,
        received_at=at + index,  # events of one instant are applied in the order in which they are written
        data=fields.optional("data", _data, {}),
        retracts=fields.optional("retracts", text, None),
    )


def _data(source: Source, node: Node) -> dict[str, Any]:
    value = json_value(node)
    if not isinstance(value, dict):
        raise source.refused(node, "'data' must be a mapping")
    return {name: _as_received(item) for name, item in value.items()}


def _as_received(value: Any) -> Any:
    """As it would come from the bus: numbers written without a fraction or an exponent are `int`."""
    match value:
        case dict():
            return {name: _as_received(item) for name, item in value.items()}
        case list():
            return [_as_received(item) for item in value]
        case Decimal() if value.as_tuple().exponent == 0:
            return int(value)
        case _:
            return value


def _expected(source: Source, node: Node, sends: tuple[Send, ...], *, policy: bool) -> Expected:
    fields = Fields(source, node, "an expectation", EXPECTED_KEYS)
    if "skipped" in fields.values:
        if len(fields.values) > 1:
            raise source.refused(node, "an expectation is either {message, channel} or {skipped}")
        return Skipped(_skip(source, fields.values["skipped"], policy=policy))
    message, channel = fields.require("message"), fields.require("channel")
    sent = Sent(
        text(source, message),
        one_of(source, channel, {c.value: c for c in Channel}, "channel"),
        fields.optional("at", instant, None),
    )
    if not sends:
        return sent
    send = next((send for send in sends if send.message == sent.message), None)
    if send is None:
        known = [send.message for send in sends]
        hint = did_you_mean(sent.message, known) or f"; it sends {', '.join(known)}"
        raise source.refused(message, f"the rule does not send '{sent.message}'{hint}")
    if sent.channel not in send.channels:
        raise source.refused(
            channel, f"the rule does not send it by {sent.channel}, only by {', '.join(send.channels)}"
        )
    return sent


def _skip(source: Source, node: Node, *, policy: bool) -> Reason:
    reason = one_of(source, node, {**SKIPS, **POLICY_SKIPS}, "reason in a test")
    if reason.value in POLICY_SKIPS and not policy:
        raise source.refused(node, f"{reason} comes of the policy's gates, which apply with 'policy: true'")
    return reason
