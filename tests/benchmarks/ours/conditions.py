"""Foreword's compiled conditions: the ten, asked of every question. `QUESTIONS PASSES`.

Each is the `eligible` of a rule, which may name the event, the profile and signals.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from foreword.authoring.rulebook import load_rulebook
from foreword.domain import json_text
from foreword.domain.core import CompiledRule, Core
from foreword.domain.facts import Fact
from tests.benchmarks.conditions import CONDITIONS, Asked, questions
from tests.benchmarks.ours.facts import as_read
from tests.benchmarks.rivals.clock import measure

_RULE = """\
rule: condition-{number}
why: A condition of the benchmark.
owner: benchmark
mode: live
signals:
  contacts:
    count: SupportContactOpened
    within: 7d
  share:
    ratio: OrderReturned
    to: OrderPlaced
    at_least: 4
    within: 90d
when: 'contacts >= 1 && share >= 0.0'
eligible: '{condition}'
send:
  message: condition
  purpose: service
  topic: care
  channels: [email]
"""


class Question(NamedTuple):
    fact: Fact
    profile: dict[str, Any]
    values: tuple[Any, ...]


def compiled(folder: Path) -> list[CompiledRule]:
    """The rules whose `eligible` are the ten conditions, in their order; written in `folder`."""
    (folder / "rules").mkdir()
    (folder / "policy.yaml").write_text("retention: 400d\n", encoding="utf-8")
    (folder / "lists.yaml").write_text("{}\n", encoding="utf-8")
    for number, condition in enumerate(CONDITIONS):
        text = _RULE.format(number=number, condition=condition.cel)
        (folder / "rules" / f"condition-{number}.yaml").write_text(text, encoding="utf-8")
    core = Core(load_rulebook(folder).published())
    return [core.rules[f"condition-{number}"] for number in range(len(CONDITIONS))]


def question(asked: Asked, rule: CompiledRule) -> Question:
    """As a walk would put it: the values in the order of the rule's signals."""
    fact = Fact("benchmark", "1", asked.event["type"], "c-1", 0, 0, as_read(asked.event["data"]))
    signals = {"contacts": asked.contacts, "share": json_text.loads(str(asked.share))}
    return Question(fact, asked.profile, tuple(signals[name] for name in rule.names))


def main() -> None:
    count, passes = map(int, sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        rules = compiled(Path(folder))
    asked = [question(one, rules[0]) for one in questions(count)]

    def take(one: Question) -> int:
        return sum(rule.eligible(one.fact, 0, one.profile, one.values) for rule in rules)

    def start() -> Callable[[Question], int]:
        return take

    measure(asked, start, passes=passes).print()


if __name__ == "__main__":
    main()
