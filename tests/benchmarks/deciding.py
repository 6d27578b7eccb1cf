"""Deciding, beside other engines: CPU per event on the same stream, with 10, 100 and 1000 rules.

Siddhi keeps windows as our core does; all others only match events against conditions, which is the part of the
work that they can do. Each engine runs in a process of its own, and every result is held against the model.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from tests.benchmarks.model import Expected, expect
from tests.benchmarks.ours.rulebooks import write_published
from tests.benchmarks.processes import (
    Environments,
    Failed,
    NotInstalled,
    Timing,
    siddhi_command,
    timing,
)
from tests.benchmarks.results import Row, Section, Verdict, judged, ratio
from tests.benchmarks.rivals.siddhi_app import Layout, application
from tests.benchmarks.settings import Settings
from tests.benchmarks.workload import Workload, make

TITLE = "Deciding: CPU per event"
RULE_COUNTS = (10, 100, 1000)
AT_MOST_OF_SIDDHI = 0.7
AT_MOST_OF_ITSELF = 1.15

OURS = "Foreword's core"
REPLAY = "Foreword's core, customer by customer as in backtest"
EVERY = "Foreword's core, each true evaluation a firing as in Siddhi"
SIDDHI: Mapping[str, Layout] = {
    "Siddhi 5.1, a stream for each type": "a stream for each type",
    "Siddhi 5.1, one stream with filters": "one stream",
}
LINEAR = {
    "durable_rules 2.0.28, matching only": ("durable_rules==2.0.28", "durable_facts"),
    "CLIPS (clipspy 1.0.6), matching only": ("clipspy==1.0.6", "clips_facts"),
    "cel-expr-python 0.1.3, matching only": ("cel-expr-python==0.1.3", "cel_linear"),
    "zen-engine 2.1.3, expressions, matching only": ("zen-engine==2.1.3", "zen_expressions"),
    "zen-engine 2.1.3, a decision table, matching only": ("zen-engine==2.1.3", "zen_table"),
}
"""By name: what has to be installed, and the module that runs it."""


@dataclass(frozen=True, slots=True)
class Engine:
    """`run` runs its process once; `expected` is what its matches must be; `rounds` how often it has a turn."""

    name: str
    run: Callable[[], Timing]
    expected: Callable[[Expected], int]
    rounds: int


Outcome: TypeAlias = Timing | str
"""A timing whose matches are right, or what went wrong."""

WRONG = "WRONG"


def run(settings: Settings, environments: Environments, folder: Path, say: Callable[[str], None]) -> Section:
    outcomes: dict[str, dict[int, Outcome]] = {}
    for count in RULE_COUNTS:
        workload = make(count, events=settings.events, customers=settings.customers)
        engines = list(_engines(settings, environments, folder, workload))
        for name, outcome in in_turns(engines, workload, say).items():
            outcomes.setdefault(name, {})[count] = outcome
    return Section("deciding", TITLE, list(_rows(outcomes, settings)))


def in_turns(engines: list[Engine], workload: Workload, say: Callable[[str], None]) -> dict[str, Outcome]:
    """Each engine's best timing. They take turns, so that a busy minute of the machine meets all of them."""
    best: dict[str, Outcome] = {}
    for turn in range(max(engine.rounds for engine in engines)):
        for engine in engines:
            before = best.get(engine.name)
            if turn >= engine.rounds or isinstance(before, str):
                continue
            say(f"{len(workload.rules)} rules: {engine.name}")
            outcome = _checked(engine, workload)
            if isinstance(outcome, Timing) and isinstance(before, Timing):
                outcome = min(before, outcome, key=lambda one: one.per_event)
            best[engine.name] = outcome
    return best


def _checked(engine: Engine, workload: Workload) -> Outcome:
    try:
        found = engine.run()
    except (NotInstalled, Failed) as error:
        return str(error)
    expected = engine.expected(expect(workload._replace(events=workload.events[: found.events])))
    if found.matches != expected:
        return f"{WRONG}: {found.matches} matches, not {expected}"
    return found


def _engines(
    settings: Settings, environments: Environments, folder: Path, workload: Workload
) -> Iterator[Engine]:
    count = len(workload.rules)
    path = folder / f"workload-{count}.json"
    workload.write(path)
    published, every = (
        write_published(folder / f"rules-{count}-{mode}", workload.rules, every_evaluation=mode == "every")
        for mode in ("usual", "every")
    )
    passes, budget = str(settings.passes), str(settings.budget)
    yield _ours(OURS, settings, "core", [str(path), passes, budget, str(published)])
    for name, layout in SIDDHI.items():
        yield _siddhi(name, settings, environments, folder, workload, layout)
    yield _ours(REPLAY, settings, "replaying", [str(path), passes, str(published)])
    yield _ours(EVERY, settings, "core", [str(path), passes, budget, str(every)])
    for name, (requirement, module) in LINEAR.items():
        yield _linear(name, settings, environments, path, requirement, module)


def _ours(name: str, settings: Settings, module: str, arguments: list[str]) -> Engine:
    command = [sys.executable, "-m", f"tests.benchmarks.ours.{module}", *arguments]

    def once() -> Timing:
        return timing(command, timeout=settings.timeout, python_path="functions")

    def expected(model: Expected) -> int:
        return model.true if name == EVERY else model.firings

    return Engine(name, once, expected, settings.rounds)


def _siddhi(
    name: str,
    settings: Settings,
    environments: Environments,
    folder: Path,
    workload: Workload,
    layout: Layout,
) -> Engine:
    count = len(workload.rules)
    app = folder / f"{layout.replace(' ', '-')}-{count}.siddhi"
    app.write_text(application(workload.rules, layout), encoding="utf-8")
    events = folder / f"events-{count}.tsv"
    events.write_text(
        "".join("\t".join(map(str, event)) + "\n" for event in workload.events), encoding="utf-8"
    )
    arguments = [
        str(app),
        str(events),
        str(count),
        "one" if layout == "one stream" else "own",
        str(settings.warming),
        str(settings.passes),
        str(settings.budget),
    ]

    def once() -> Timing:
        return timing(siddhi_command(environments.siddhi(), arguments), timeout=settings.timeout)

    return Engine(name, once, lambda expected: expected.true, settings.rounds)


def _linear(
    name: str, settings: Settings, environments: Environments, path: Path, requirement: str, module: str
) -> Engine:
    arguments = [str(path), str(settings.passes), str(settings.budget)]

    def once() -> Timing:
        python = environments.python(requirement)
        command = [str(python), "-m", f"tests.benchmarks.rivals.{module}", *arguments]
        return timing(command, timeout=settings.timeout)

    return Engine(name, once, lambda expected: expected.seen, rounds=1)


def _rows(outcomes: Mapping[str, Mapping[int, Outcome]], settings: Settings) -> Iterator[Row]:
    ours = outcomes[OURS]
    itself = dict.fromkeys(RULE_COUNTS, ours[RULE_COUNTS[0]])
    flat, fast = (RULE_COUNTS[-1], AT_MOST_OF_ITSELF), (RULE_COUNTS[0], AT_MOST_OF_SIDDHI)
    yield compared(OURS, "itself with 10 rules", ours, itself, settings, goal=flat)
    for name in SIDDHI:
        yield compared(OURS, name, ours, outcomes[name], settings, goal=fast)
    for name in (REPLAY, EVERY, *LINEAR):
        yield compared(name, OURS, outcomes[name], ours, settings)


def compared(
    what: str,
    against: str,
    of: Mapping[int, Outcome],
    to: Mapping[int, Outcome],
    settings: Settings,
    *,
    goal: tuple[int, float] | None = None,
) -> Row:
    """The ratios of CPU per event, by the number of rules; `goal` is one of these, and the most it may be."""
    values: dict[str, str] = {}
    numbers: dict[str, float] = {}
    cut: list[str] = []
    trouble: list[str] = []
    for count in of:
        one, other = of[count], to[count]
        if isinstance(one, Timing) and isinstance(other, Timing):
            numbers[str(count)] = one.per_event / other.per_event
            values[f"{count} rules"] = ratio(numbers[str(count)])
            cut += [
                f"{found.events:,} of {settings.events:,} events at {count}"
                for found in (one, other)
                if found.events < settings.events
            ]
        else:
            trouble += [found for found in (one, other) if isinstance(found, str)]
            values[f"{count} rules"] = next(found for found in (one, other) if isinstance(found, str))
    verdict = None
    if any(found.startswith(WRONG) for found in trouble):
        verdict = Verdict.WRONG
    elif goal is not None:
        count, at_most = goal
        known = numbers.get(str(count))
        verdict = Verdict.NOT_RUN if known is None else judged(known, at_most=at_most)
    elif trouble and not numbers:
        verdict = Verdict.NOT_RUN
    text = "" if goal is None else f"≤ {goal[1]} at {goal[0]}"
    return Row(what, against, values, text, verdict, "; ".join(dict.fromkeys(cut)), numbers)
