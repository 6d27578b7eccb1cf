"""zen-engine (Rust): all rules as one decision table that collects those that match. Matching only."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from typing import Any

from tests.benchmarks.rivals.arguments import Arguments, bodies, condition
from tests.benchmarks.rivals.clock import measure
from tests.benchmarks.workload import Rule


def main() -> None:
    arguments = Arguments.read()
    zen = importlib.import_module("zen")
    content = zen.ZenDecisionContent(json.dumps(_graph(arguments.workload.rules)))

    def start() -> Callable[[dict[str, Any]], int]:
        decision = zen.ZenEngine().create_decision(content)
        return lambda event: len(decision.evaluate({"event": event})["result"])

    measure(
        bodies(arguments.workload.events), start, passes=arguments.passes, budget=arguments.budget
    ).print()


def _graph(rules: list[Rule]) -> dict[str, Any]:
    """Input, table, output: the smallest decision there is."""
    rows = [
        {
            "_id": rule.name,
            "matches": condition(rule, type_is='event.type == "{}"', all_of="and", any_of="or"),
            "name": f'"{rule.name}"',
        }
        for rule in rules
    ]
    table = {
        "hitPolicy": "collect",
        "inputs": [{"id": "matches", "name": "matches"}],
        "outputs": [{"id": "name", "name": "name", "field": "name"}],
        "rules": rows,
    }
    return {
        "contentType": "application/vnd.gorules.decision",
        "nodes": [
            _node("input", "inputNode", {}),
            _node("table", "decisionTableNode", table),
            _node("output", "outputNode", {}),
        ],
        "edges": [_edge("input", "table"), _edge("table", "output")],
    }


def _node(name: str, kind: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"id": name, "type": kind, "name": name, "position": {"x": 0, "y": 0}, "content": content}


def _edge(source: str, target: str) -> dict[str, Any]:
    return {"id": f"{source}-{target}", "type": "edge", "sourceId": source, "targetId": target}


if __name__ == "__main__":
    main()
