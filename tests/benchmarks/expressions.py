"""Conditions alone: the same ten, compiled by us, by Google's CEL, and by zen-engine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from tests.benchmarks.processes import Environments, Failed, NotInstalled, Timing, timing
from tests.benchmarks.results import Row, Section, Verdict, ratio
from tests.benchmarks.settings import Settings

Run: TypeAlias = Callable[[], Timing]

TITLE = "Ten conditions alone: CPU for a question"
OURS = "Foreword's conditions, exact decimals"
RIVALS = {
    "cel-expr-python 0.1.3": ("cel-expr-python==0.1.3", "cel_conditions"),
    "zen-engine 2.1.3": ("zen-engine==2.1.3", "zen_conditions"),
}


def run(settings: Settings, environments: Environments, say: Callable[[str], None]) -> Section:
    arguments = [str(settings.events // 5), str(settings.passes)]
    engines: dict[str, Run] = {OURS: partial(_ours, arguments, settings)}
    for name, (requirement, module) in RIVALS.items():
        engines[name] = partial(_rival, environments, requirement, module, arguments, settings)
    best: dict[str, Timing | str] = {}
    for _ in range(settings.rounds):
        for name, once in engines.items():
            before = best.get(name)
            if isinstance(before, str):
                continue
            say(name)
            try:
                found = once()
            except (NotInstalled, Failed) as error:
                best[name] = str(error)
            else:
                best[name] = found if before is None else min(before, found, key=lambda one: one.cpu)
    return Section("expressions", TITLE, [_row(name, best[OURS], best[name]) for name in RIVALS])


def _ours(arguments: list[str], settings: Settings) -> Timing:
    command = [sys.executable, "-m", "tests.benchmarks.ours.conditions", *arguments]
    return timing(command, timeout=settings.timeout, python_path="functions")


def _rival(
    environments: Environments, requirement: str, module: str, arguments: list[str], settings: Settings
) -> Timing:
    python = environments.python(requirement)
    command = [str(python), "-m", f"tests.benchmarks.rivals.{module}", *arguments]
    return timing(command, timeout=settings.timeout)


def _row(name: str, ours: Timing | str, rival: Timing | str) -> Row:
    if isinstance(ours, str) or isinstance(rival, str):
        trouble = ours if isinstance(ours, str) else str(rival)
        return Row(OURS, name, {"": trouble}, verdict=Verdict.NOT_RUN)
    if ours.matches != rival.matches:
        wrong = f"{ours.matches} are true, not {rival.matches}"
        return Row(OURS, name, {"": wrong}, verdict=Verdict.WRONG)
    value = ours.per_event / rival.per_event
    return Row(OURS, name, {"": ratio(value)}, numbers={"ratio": value})
