"""`hold` of a rule: what a firing holds back of the customer's other messages."""

from __future__ import annotations

from foreword.authoring.fields import Fields, Key
from foreword.authoring.held_purposes import SCHEMA, held_purposes
from foreword.authoring.signals.values import Context, event, window
from foreword.authoring.value_schemas import DURATION, EVENT
from foreword.authoring.yaml_reader import Node
from foreword.domain.rulebook import Hold

KEYS = {
    "purposes": Key(SCHEMA, required=True),
    "for": Key(DURATION, required=True),
    "until": Key({**EVENT}),
}


def read_hold(context: Context, node: Node) -> Hold:
    source = context.source
    fields = Fields(source, node, "'hold'", KEYS)
    until = fields.values.get("until")
    return Hold(
        purposes=held_purposes(source, fields.require("purposes"), "'purposes'"),
        lasts=window(context, fields.require("for")),
        until=None if until is None else event(context, until),
    )
