"""`foreword check`: what is wrong with a rulebook, and whether its rules do what their tests say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from foreword.adapters.liquid_templates import LiquidRenderer
from foreword.authoring.check import Report, check
from foreword.cli.failures import CannotRun, FoundWrong
from foreword.local import project


def run(*, rules: Sequence[str], rulebook: Path | None, as_json: bool) -> None:
    """Raises FoundWrong where anything but a warning was found."""
    ours = project.find()
    directory = rulebook or ours.rulebook
    messages = directory / "messages" if rulebook is not None else ours.messages
    try:
        report = check(directory, messages, ours.schemas, mappings=ours.mappings, renderer=LiquidRenderer)
    except OSError as error:
        raise CannotRun(f"{error.filename or directory}: cannot be read: {error.strerror}") from None
    unknown = [name for name in rules if not report.problems and name not in report.rules]
    if unknown:
        raise CannotRun(f"no rule {unknown[0]!r} in {directory}; there are: {', '.join(report.rules)}")
    asked = replace(
        report,
        tests=tuple(test for test in report.tests if not rules or test.rule in rules),
        text_messages=tuple(sms for sms in report.text_messages if not rules or sms.rule in rules),
    )
    (_print_json if as_json else _print)(asked)
    if not asked.passed:
        raise FoundWrong


def _print(report: Report) -> None:
    console = Console(highlight=False, emoji=False, soft_wrap=True)
    for problem in report.problems:
        console.print(str(problem), style="red", markup=False)
    for warning in report.warnings:
        console.print(f"{warning} (warning)", style="yellow", markup=False)
    for rule in sorted({test.rule for test in report.tests}):
        console.print(rule, style="bold", markup=False)
        for test in (test for test in report.tests if test.rule == rule):
            mark, style = ("✓", "green") if test.passed else ("✗", "red")
            console.print(f"  {mark} {test.test}", style=style, markup=False)
            for line in test.difference:
                console.print(f"      {line}", markup=False)
            if not test.passed:
                console.print(f"      in {test.file}:{test.line}", markup=False)
    for sms in report.text_messages:
        console.print(f"{sms.file}: {sms.length}", markup=False)
    failed = sum(not test.passed for test in report.tests)
    console.print(
        f"{len(report.rules)} rules, {len(report.tests)} tests: {failed} failed, {len(report.problems)} problems, "
        f"{len(report.warnings)} warnings",
        markup=False,
    )


def _print_json(report: Report) -> None:
    console = Console(highlight=False, emoji=False, soft_wrap=True)
    for kind, found in (("problem", report.problems), ("warning", report.warnings)):
        for one in found:
            told = {
                "kind": kind,
                "file": one.file,
                "line": one.line,
                "column": one.column,
                "message": one.message,
            }
            console.print(json.dumps(told), markup=False)
    for sms in report.text_messages:
        length = sms.length
        told = {
            "kind": "sms",
            "file": sms.file,
            "encoding": length.encoding,
            "units": length.units,
            "segments": length.segments,
        }
        console.print(json.dumps(told), markup=False)
    for test in report.tests:
        told = {
            "kind": "test",
            "rule": test.rule,
            "test": test.test,
            "passed": test.passed,
            "file": test.file,
            "line": test.line,
            "difference": list(test.difference),
        }
        console.print(json.dumps(told), markup=False)
