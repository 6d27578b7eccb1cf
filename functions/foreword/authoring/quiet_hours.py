"""`quiet_hours` of the policy: `{from, to}` for all channels, and others (or `none`) for some of them."""

from __future__ import annotations

from dataclasses import dataclass

from foreword.authoring.fields import Fields, Key, Source, time_of_day
from foreword.authoring.value_schemas import TIME_OF_DAY, mapping
from foreword.authoring.yaml_reader import Node, Scalar
from foreword.domain.rulebook import Channel, QuietHours

NONE = "none"
SPAN_KEYS = {name: Key(TIME_OF_DAY, required=True) for name in ("from", "to")}
KEYS = {
    **{name: Key(key.schema) for name, key in SPAN_KEYS.items()},
    **{channel.value: Key({"oneOf": [mapping(SPAN_KEYS), {"const": NONE}]}) for channel in Channel},
}
SCHEMA = mapping(KEYS, minProperties=1, dependencies={"from": ["to"], "to": ["from"]})


@dataclass(frozen=True, slots=True)
class ReadQuietHours:
    """As the policy keeps them: of all channels, and of those with hours of their own (None for none)."""

    everywhere: QuietHours | None
    on: dict[Channel, QuietHours | None]


def read_quiet_hours(source: Source, node: Node) -> ReadQuietHours:
    fields = Fields(source, node, "quiet_hours", KEYS)
    channels = [channel for channel in Channel if channel.value in fields.values]
    everywhere = None
    if not channels or fields.values.keys() & SPAN_KEYS.keys():
        everywhere = _span(source, fields, node)
    return ReadQuietHours(
        everywhere,
        {
            channel: _of_channel(source, fields.values[channel.value], channel, everywhere)
            for channel in channels
        },
    )


def _of_channel(
    source: Source, node: Node, channel: Channel, everywhere: QuietHours | None
) -> QuietHours | None:
    if isinstance(node, Scalar) and node.value == NONE:
        if everywhere is None:
            raise source.refused(
                node, f"there are no quiet hours from which {channel} could be free: leave it out"
            )
        return None
    return _span(source, Fields(source, node, f"quiet_hours of {channel}", SPAN_KEYS), node)


def _span(source: Source, fields: Fields, node: Node) -> QuietHours:
    start, end = (time_of_day(source, fields.require(name)) for name in SPAN_KEYS)
    if start == end:
        raise source.refused(
            node, f"{fields.what} from and to are the same: leave {fields.what} out, or name a span"
        )
    return QuietHours(start=start, end=end)
