"""`experiment` of a rule: who is held out, which variants the others get, and what counts as a success."""

from __future__ import annotations

from decimal import Decimal

from foreword.authoring.fields import KEBAB, Fields, Key, Source, kebab
from foreword.authoring.shares import PERCENT, holdout, percent, share
from foreword.authoring.signals.values import Context, event, window
from foreword.authoring.value_schemas import DURATION, EVENT, mapping
from foreword.authoring.yaml_reader import Mapping as YamlMapping
from foreword.authoring.yaml_reader import Node, Scalar
from foreword.domain.rulebook import Experiment, Goal

GOAL_KEYS = {"event": Key(EVENT, required=True), "within": Key(DURATION, required=True)}
HOLDOUT = "holdout"
"""The arm that gets nothing; no variant may be called so."""

KEYS = {
    HOLDOUT: Key(PERCENT),
    "variants": Key(
        {
            "type": "object",
            "propertyNames": {"pattern": f"^{KEBAB}$", "not": {"const": HOLDOUT}},
            "additionalProperties": PERCENT,
            "minProperties": 2,
        }
    ),
    "goal": Key(mapping(GOAL_KEYS)),
}


def read_experiment(context: Context, node: Node) -> Experiment:
    source = context.source
    fields = Fields(source, node, "'experiment'", KEYS)
    goal = fields.values.get("goal")
    none: dict[str, Decimal] = {}
    experiment = Experiment(
        holdout=fields.optional(HOLDOUT, holdout, Decimal(0)),
        variants=fields.optional("variants", _variants, none),
        goal=None if goal is None else _goal(context, goal),
    )
    if not experiment.holdout and not experiment.variants:
        raise source.refused(
            node, "an experiment compares: it needs a holdout above 0%, or variants, or both"
        )
    return experiment


def _variants(source: Source, node: Node) -> dict[str, Decimal]:
    if not isinstance(node, YamlMapping):
        raise source.refused(node, "'variants' must give names their shares: {calm: 50%, direct: 50%}")
    variants = {_name(source, key): _share(source, value) for key, value in node.entries}
    if len(variants) < 2:
        raise source.refused(node, "variants are compared with one another: there must be two at least")
    total = sum(variants.values(), Decimal(0))
    if total != 1:
        raise source.refused(
            node,
            f"the shares of the variants add up to {percent(total)}, and not to 100%: they share out those who "
            "are not held out",
        )
    return variants


def _name(source: Source, key: Scalar) -> str:
    name = kebab(source, key)
    if name == HOLDOUT:
        raise source.refused(key, "a variant cannot be called 'holdout', which is who gets nothing")
    return name


def _share(source: Source, node: Node) -> Decimal:
    part = share(source, node)
    if not part:
        raise source.refused(node, "a variant that nobody gets is none")
    return part


def _goal(context: Context, node: Node) -> Goal:
    fields = Fields(context.source, node, "'goal'", GOAL_KEYS)
    return Goal(
        event=event(context, fields.require("event")), within=window(context, fields.require("within"))
    )
