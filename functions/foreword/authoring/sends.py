"""`send` of a rule: one message or several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from foreword.authoring.fields import Fields, Key, Source, duration, integer, items, kebab, one_of
from foreword.authoring.value_schemas import CONDITION, DURATION, EVENT, NAME, NUMERIC, list_of, whole
from foreword.authoring.value_schemas import one_of as any_of
from foreword.authoring.yaml_reader import Node, Place, Sequence
from foreword.domain.instants import DAY, Duration, format_duration
from foreword.domain.rulebook import Channel, Purpose, Send

LOWEST, HIGHEST = 1, 100
WEIGHTS = ("propensity", "context", "value")
"""What `priority` is multiplied with in arbitration."""

KEYS = {
    "message": Key({**NAME, "description": "The folder of its templates."}, required=True),
    "purpose": Key(any_of(Purpose), required=True),
    "topic": Key({**NAME, "description": "What the customer opts in to or out of."}, required=True),
    "channels": Key({**list_of(any_of(Channel)), "uniqueItems": True}, required=True),
    "priority": Key({**whole(LOWEST, HIGHEST), "default": 50}),
    "expires_after": Key({**DURATION, "default": "24h"}),
    "if": Key(CONDITION),
    "after": Key({**DURATION, "description": "Makes it a follow-up: so long after the firing."}),
    "unless": Key(EVENT),
    **{name: Key(NUMERIC) for name in WEIGHTS},
}


@dataclass(frozen=True, slots=True)
class ReadSend:
    """`condition` is what stands at `if`; it, the weights and `unless` are read when the signals are known."""

    send: Send
    message: Place
    condition: Node | None
    weights: Mapping[str, Node]
    unless: Node | None


def read_sends(source: Source, node: Node, retention: Duration) -> tuple[ReadSend, ...]:
    """What is wrong with one of several is left in `source.errors`."""
    nodes = items(source, node, "'send'") if isinstance(node, Sequence) else (node,)
    sends: list[ReadSend] = []
    for one in nodes:
        with source.collecting():
            read = _read(source, one, retention)
            if any(read.send.message == other.send.message for other in sends):
                raise source.refused(
                    read.message,
                    f"the message '{read.send.message}' is sent twice by this rule; once is enough",
                )
            sends.append(read)
    return tuple(sends)


def _read(source: Source, node: Node, retention: Duration) -> ReadSend:
    fields = Fields(source, node, "'send'", KEYS)
    if "unless" in fields.values and "after" not in fields.values:
        raise source.refused(
            fields.values["unless"],
            "'unless' belongs to a follow-up, which has 'after'; what cancels every message of the rule is "
            "'exceptions' of the rule",
        )
    send = Send(
        message=kebab(source, fields.require("message")),
        purpose=one_of(source, fields.require("purpose"), {p.value: p for p in Purpose}, "purpose"),
        topic=kebab(source, fields.require("topic")),
        channels=_channels(source, fields.require("channels")),
        priority=fields.optional("priority", lambda at, value: integer(at, value, LOWEST, HIGHEST), 50),
        expires_after=fields.optional("expires_after", duration, DAY),
        after=fields.optional("after", lambda at, value: _after(at, value, retention), 0),
    )
    return ReadSend(
        send,
        fields.values["message"].place,
        fields.values.get("if"),
        {name: fields.values[name] for name in WEIGHTS if name in fields.values},
        fields.values.get("unless"),
    )


def _after(source: Source, node: Node, retention: Duration) -> Duration:
    after = duration(source, node)
    if after > retention:
        raise source.refused(
            node,
            f"{format_duration(after)} after a firing, the events since then may be forgotten: the policy's "
            f"retention is {format_duration(retention)}",
        )
    return after


def _channels(source: Source, node: Node) -> tuple[Channel, ...]:
    channels: list[Channel] = []
    for item in items(source, node, "'channels'"):
        channel = one_of(source, item, {c.value: c for c in Channel}, "channel")
        if channel in channels:
            raise source.refused(item, f"the channel '{channel}' stands twice")
        channels.append(channel)
    return tuple(channels)
