"""CLIPS (clipspy, C, Rete): each event asserted as a fact, the rules run, the fact taken back. Matching only."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from tests.benchmarks.rivals.arguments import Arguments
from tests.benchmarks.rivals.clock import measure
from tests.benchmarks.workload import Event, Rule

_TEMPLATE = "(deftemplate event (slot type) (slot customer) (slot channel) (slot product) (slot amount))"


def main() -> None:
    arguments = Arguments.read()
    clips = importlib.import_module("clips")

    def start() -> Callable[[Event], int]:
        environment = clips.Environment()
        environment.build(_TEMPLATE)
        for rule in arguments.workload.rules:
            environment.build(f"(defrule {rule.name} (event {_pattern(rule)}) => )")
        template = environment.find_template("event")

        def take(event: Event) -> int:
            fact = template.assert_fact(
                type=event.type,
                customer=event.customer_id,
                channel=event.channel,
                product=event.product,
                amount=event.amount,
            )
            fired: int = environment.run()
            fact.retract()
            return fired

        return take

    measure(arguments.workload.events, start, passes=arguments.passes, budget=arguments.budget).print()


def _pattern(rule: Rule) -> str:
    types = "|".join(f'"{type_}"' for type_ in rule.types)
    return f"(type {types})" + ("" if rule.but_channel is None else f' (channel ~"{rule.but_channel}")')


if __name__ == "__main__":
    main()
