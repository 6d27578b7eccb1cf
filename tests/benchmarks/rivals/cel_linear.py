"""Google's CEL (cel-expr-python, C++): every rule's condition asked of every event. Matching only, no windows."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from tests.benchmarks.rivals.arguments import Arguments, bodies, condition
from tests.benchmarks.rivals.clock import measure


def main() -> None:
    arguments = Arguments.read()
    cel = importlib.import_module("cel_expr_python.cel")
    environment = cel.NewEnv(variables={"event": cel.Type.DYN})
    conditions = [
        environment.compile(condition(rule, type_is='event.type == "{}"', all_of="&&", any_of="||"))
        for rule in arguments.workload.rules
    ]

    def take(event: dict[str, Any]) -> int:
        activation = environment.Activation({"event": event})
        return sum(one.eval(activation).value() for one in conditions)

    def start() -> Callable[[dict[str, Any]], int]:
        return take

    measure(
        bodies(arguments.workload.events), start, passes=arguments.passes, budget=arguments.budget
    ).print()


if __name__ == "__main__":
    main()
