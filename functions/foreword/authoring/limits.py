"""`frequency_caps` and `volume_constraints` of the policy: how many messages at most."""

from __future__ import annotations

from foreword.authoring.fields import Fields, Key, Source, duration, integer, items, kebab, one_of
from foreword.authoring.signals.values import MOST
from foreword.authoring.value_schemas import DURATION, NAME, list_of, mapping, whole
from foreword.authoring.value_schemas import one_of as any_of
from foreword.authoring.yaml_reader import Node
from foreword.domain.instants import format_duration
from foreword.domain.rulebook import Channel, FrequencyCap, Purpose, VolumeConstraint

ANY = "any"
PURPOSES = {ANY: None, Purpose.MARKETING.value: Purpose.MARKETING, Purpose.SERVICE.value: Purpose.SERVICE}
CHANNELS = {ANY: None, **{channel.value: channel for channel in Channel}}
CAP_KEYS = {
    "purpose": Key({**any_of(PURPOSES), "default": ANY}),
    "channel": Key({**any_of(CHANNELS), "default": ANY}),
    "at_most": Key(whole(1, MOST), required=True),
    "within": Key(DURATION, required=True),
}
VOLUME_KEYS = {
    "topic": Key({**NAME, "description": "A topic of the messages, or any."}, required=True),
    "at_most": Key(whole(1, MOST), required=True),
    "per": Key(any_of(["day"]), required=True),
}
CAPS = list_of(mapping(CAP_KEYS))
VOLUMES = list_of(mapping(VOLUME_KEYS))


def read_caps(source: Source, node: Node) -> tuple[FrequencyCap, ...]:
    caps: list[FrequencyCap] = []
    for item in items(source, node, "'frequency_caps'"):
        cap = _cap(source, item)
        if any((cap.purpose, cap.channel, cap.within) == (o.purpose, o.channel, o.within) for o in caps):
            raise source.refused(
                item,
                f"a second cap of {cap.purpose or ANY} by {cap.channel or ANY} within "
                f"{format_duration(cap.within)}; only the lower one would count",
            )
        caps.append(cap)
    return tuple(caps)


def read_volumes(source: Source, node: Node) -> tuple[VolumeConstraint, ...]:
    constraints: list[VolumeConstraint] = []
    for item in items(source, node, "'volume_constraints'"):
        fields = Fields(source, item, "a volume constraint", VOLUME_KEYS)
        one_of(source, fields.require("per"), {"day": None}, "period")
        topic = kebab(source, fields.require("topic"))
        constraint = VolumeConstraint(
            topic=None if topic == ANY else topic, at_most=_at_most(source, fields.require("at_most"))
        )
        if any(constraint.topic == other.topic for other in constraints):
            raise source.refused(item, f"a second constraint of {topic}; only the lower one would count")
        constraints.append(constraint)
    return tuple(constraints)


def _cap(source: Source, node: Node) -> FrequencyCap:
    fields = Fields(source, node, "a frequency cap", CAP_KEYS)
    return FrequencyCap(
        purpose=fields.optional("purpose", _purpose, None),
        channel=fields.optional("channel", lambda at, value: one_of(at, value, CHANNELS, "channel"), None),
        at_most=_at_most(source, fields.require("at_most")),
        within=duration(source, fields.require("within")),
    )


def _purpose(source: Source, node: Node) -> Purpose | None:
    if getattr(node, "value", None) == Purpose.CRITICAL:
        raise source.refused(node, "critical messages pass every cap; caps are of marketing, service or any")
    return one_of(source, node, PURPOSES, "purpose")


def _at_most(source: Source, node: Node) -> int:
    return integer(source, node, 1, MOST)
