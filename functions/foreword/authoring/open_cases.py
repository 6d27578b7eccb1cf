"""`open_cases` of the policy: while a complaint (or the like) is open, messages are held."""

from __future__ import annotations

from foreword.authoring.cel import Scope
from foreword.authoring.cel_types import NUMBER, STRING
from foreword.authoring.expressions import expression
from foreword.authoring.fields import LONGEST, Fields, Key, Source, duration, duration_or_zero, items
from foreword.authoring.held_purposes import SCHEMA, held_purposes
from foreword.authoring.signals.values import Context, event
from foreword.authoring.value_schemas import DURATION, EVENT, EXPRESSION, list_of, mapping
from foreword.authoring.yaml_reader import Node
from foreword.domain.conditions import root_names
from foreword.domain.instants import DAY
from foreword.domain.rulebook import EventFilter, Expression, OpenCases

KEYS = {
    "opened": Key(EVENT, required=True),
    "closed": Key(EVENT, required=True),
    "by": Key({**EXPRESSION, "examples": ["event.data.complaint_id"]}, required=True),
    "hold": Key(SCHEMA, required=True),
    "then_for": Key({**DURATION, "default": "0d"}),
    "at_most": Key({**DURATION, "default": "60d"}),
}
CASES = list_of(mapping(KEYS))

_EVENT_SCOPE = Scope(absent={"lists": "the policy stands before lists.yaml"})
_CASE_SCOPE = Scope(absent=dict.fromkeys(("profile", "lists"), "a case is named by the event alone"))


def read_open_cases(source: Source, node: Node) -> tuple[OpenCases, ...]:
    context = Context(source, _EVENT_SCOPE, LONGEST)  # how far it may reach is checked with the whole policy
    return tuple(_read(context, item) for item in items(source, node, "'open_cases'"))


def _read(context: Context, node: Node) -> OpenCases:
    source = context.source
    fields = Fields(source, node, "an open case", KEYS)
    opened = event(context, fields.require("opened"))
    closed = event(context, fields.require("closed"))
    _refuse_one_for_both(source, fields.values["closed"], opened, closed)
    return OpenCases(
        opened=opened,
        closed=closed,
        by=_key(source, fields.require("by")),
        hold=held_purposes(source, fields.require("hold"), "'hold'"),
        then_for=fields.optional("then_for", duration_or_zero, 0),
        at_most=fields.optional("at_most", duration, 60 * DAY),
    )


def _refuse_one_for_both(source: Source, node: Node, opened: EventFilter, closed: EventFilter) -> None:
    if _tree(opened.where) != _tree(closed.where):
        return
    if opened.types is None or closed.types is None:
        raise source.refused(node, "any event would open and close a case at once")
    both = next((kind for kind in closed.types if kind in opened.types), None)
    if both is not None:
        raise source.refused(node, f"'{both}' would open and close a case at once")


def _tree(where: Expression | None) -> object:
    return None if where is None else where.tree


def _key(source: Source, node: Node) -> Expression:
    key = expression(source, node, _CASE_SCOPE, (STRING, NUMBER))
    if "event" not in root_names(key):
        raise source.refused(node, "'by' names nothing of the event, so all events would be of one case")
    return key
