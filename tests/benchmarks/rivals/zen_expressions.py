"""zen-engine (Rust): every rule's condition as a compiled expression, asked of every event. Matching only."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from tests.benchmarks.rivals.arguments import Arguments, bodies, condition
from tests.benchmarks.rivals.clock import measure


def main() -> None:
    arguments = Arguments.read()
    zen = importlib.import_module("zen")
    conditions = [
        zen.compile_expression(condition(rule, type_is='event.type == "{}"', all_of="and", any_of="or"))
        for rule in arguments.workload.rules
    ]

    def take(event: dict[str, Any]) -> int:
        context = {"event": event}
        return sum(one.evaluate(context) for one in conditions)

    def start() -> Callable[[dict[str, Any]], int]:
        return take

    measure(
        bodies(arguments.workload.events), start, passes=arguments.passes, budget=arguments.budget
    ).print()


if __name__ == "__main__":
    main()
