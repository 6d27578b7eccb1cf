"""The workload's rules as a Siddhi application, written as Siddhi's own documentation writes such things.

Windows are `externalTime`, which goes by the event's own time; customers are told apart by `group by`, which
costs Siddhi less than a partition with an instance of every window for every customer.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from tests.benchmarks.workload import RATIO_NEEDS, Rule

Layout: TypeAlias = Literal["a stream for each type", "one stream"]

_ATTRIBUTES = "(happened long, type string, customer string, channel string, product string, amount double)"
ONE_STREAM = "Events"


def application(rules: list[Rule], layout: Layout) -> str:
    """Query number i inserts into the stream Fired<i> each true evaluation of rule i."""
    lines = ["@app:name('benchmark')"]
    if layout == "one stream":
        lines.append(f"define stream {ONE_STREAM} {_ATTRIBUTES};")
    else:
        types = sorted({type_ for rule in rules for type_ in rule.types})
        lines += [f"define stream {type_} {_ATTRIBUTES};" for type_ in types]
    for number, rule in enumerate(rules):
        source = _one_stream(rule) if layout == "one stream" else _own_stream(rule, number, lines)
        lines.append(
            f"from {source}#window.externalTime(happened, {rule.days} day) "
            f"select customer, {_selected(rule)} group by customer having {_having(rule)} "
            f"insert into Fired{number};"
        )
    return "\n".join(lines)


def _one_stream(rule: Rule) -> str:
    types = " or ".join(f"type == '{type_}'" for type_ in rule.types)
    return ONE_STREAM + _filter([f"({types})", *_wheres(rule)])


def _own_stream(rule: Rule, number: int, lines: list[str]) -> str:
    """The stream of the rule's type; of two types, one that both are led into."""
    if rule.to is None:
        return rule.of + _filter(_wheres(rule))
    lines += [f"from {type_} select * insert into Both{number};" for type_ in rule.types]
    return f"Both{number}" + _filter(_wheres(rule))


def _wheres(rule: Rule) -> list[str]:
    return [] if rule.but_channel is None else [f"channel != '{rule.but_channel}'"]


def _filter(conditions: list[str]) -> str:
    return f"[{' and '.join(conditions)}]" if conditions else ""


def _selected(rule: Rule) -> str:
    match rule.shape:
        case "count":
            return "count() as value"
        case "sum":
            return "sum(amount) as value"
        case "distinct":
            return "distinctCount(product) as value"
        case "ratio":
            return ", ".join(
                f"sum(ifThenElse(type == '{type_}', 1.0, 0.0)) as {name}"
                for type_, name in ((rule.of, "part"), (rule.to, "whole"))
            )


def _having(rule: Rule) -> str:
    if rule.shape == "ratio":
        return f"whole >= {RATIO_NEEDS}.0 and part / whole >= {rule.at_least}"
    return f"value >= {rule.at_least:g}"
