"""durable_rules (C, Rete): each event asserted as a fact and taken back, so that every rule may match it.

Posted as an event, it would be used up by the first rule that matches. Matching only, no windows.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tests.benchmarks.rivals.arguments import Arguments
from tests.benchmarks.rivals.clock import measure
from tests.benchmarks.workload import Rule

RULESET = "benchmark"


def main() -> None:
    arguments = Arguments.read()
    lang = importlib.import_module("durable.lang")
    engine = importlib.import_module("durable.engine")
    matches = 0

    def matched(_context: object) -> None:
        nonlocal matches
        matches += 1

    with lang.ruleset(RULESET):
        for rule in arguments.workload.rules:
            lang.when_all(_condition(lang.m, rule))(matched)
    lang.get_host()

    def take(fact: dict[str, Any]) -> int:
        before = matches
        with suppress(engine.MessageNotHandledException):  # how it says that no rule matches
            lang.assert_fact(RULESET, fact)
        lang.retract_fact(RULESET, fact)
        return matches - before

    def start() -> Callable[[dict[str, Any]], int]:
        return take

    facts = [
        {"id": number, "type": event.type, "customer_id": event.customer_id, **event.data()}
        for number, event in enumerate(arguments.workload.events)
    ]
    measure(facts, start, passes=arguments.passes, budget=arguments.budget).print()


def _condition(message: Any, rule: Rule) -> Any:
    found = message.type == rule.of
    if rule.to is not None:
        found = found | (message.type == rule.to)
    return found if rule.but_channel is None else found & (message.channel != rule.but_channel)


if __name__ == "__main__":
    main()
