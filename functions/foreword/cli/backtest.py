"""`foreword backtest`: what these rules would have done with that history."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

import click

from foreword.authoring.fields import RulebookErrors
from foreword.backtest.errors import CannotBacktest
from foreword.backtest.outputs import whole_file
from foreword.backtest.page.report import report as report_page
from foreword.backtest.rulebook import read_given_policy, read_rulebook
from foreword.backtest.run import Request, Result, backtest
from foreword.backtest.summary import Subject
from foreword.cli.backtest_json import print_json
from foreword.cli.backtest_progress import WaitingForBacktest
from foreword.cli.backtest_text import print_text
from foreword.cli.failures import CannotRun, FoundWrong
from foreword.domain.errors import InvalidRulebook
from foreword.domain.instants import Instant, parse_instant


def run(
    *,
    rules: Path,
    events: Path,
    customers: Path | None,
    policy: Path | None,
    decisions: Path | None,
    report: Path | None,
    compare: Path | None,
    until: str | None,
    strict: bool,
    jobs: int | None,
    as_json: bool,
) -> None:
    """Raises CannotRun, and FoundWrong where a customer could not be evaluated."""
    end = _instant(until)
    _check_outputs([decisions, report], [events, customers, policy])
    directories = [rules] if compare is None else [rules, compare]
    try:
        gates = None if policy is None else read_given_policy(policy)
        rulebooks = tuple(read_rulebook(directory, gates) for directory in directories)
        subject = Subject(
            tuple(map(str, directories)), rulebooks, str(events), None if policy is None else str(policy)
        )
        with ExitStack() as outputs:
            lines, page = (
                None if path is None else outputs.enter_context(whole_file(path))
                for path in (decisions, report)
            )
            with WaitingForBacktest(shown=not as_json) as waiting:
                request = Request(rulebooks, events, customers, gates, end, strict, jobs or _cores(), lines)
                result = backtest(request, waiting)
            if page is not None:
                page.write(report_page(subject, result))
    except CannotBacktest as error:
        raise CannotRun(str(error)) from None
    except (InvalidRulebook, RulebookErrors) as error:
        told = str(error).split("\n")
        if policy is None and any("policy.yaml" in line for line in told):
            told.append("a backtest knows no policy but that of --policy")
        raise CannotRun("\nforeword: ".join(told)) from None
    _tell_oddities(events, result)
    (print_json if as_json else print_text)(subject, result)
    if result.failed:
        raise FoundWrong


def _instant(text: str | None) -> Instant | None:
    try:
        return None if text is None else parse_instant(text)
    except ValueError as error:
        raise CannotRun(f"--until: {error}") from None


def _check_outputs(outputs: list[Path | None], inputs: list[Path | None]) -> None:
    """None may take the place of what is read, nor of another."""
    taken = {path.resolve() for path in inputs if path is not None}
    for path in (path for path in outputs if path is not None):
        if path.resolve() in taken:
            raise CannotRun(f"{path}: cannot be written: it is named twice")
        taken.add(path.resolve())


def _tell_oddities(events: Path, result: Result) -> None:
    """On stderr, beside the broken records: what else an author should know before believing the figures."""
    for key, number in sorted(result.unknown.items(), key=lambda item: item[1]):
        click.echo(
            f"{events}:{number}: {key!r} is no part of an event and left out, here and wherever else it stands: "
            "an event's own fields belong into 'data'",
            err=True,
        )
    for customer, error in result.failed:
        click.echo(f"customer {customer!r} could not be evaluated: {error}", err=True)


def _cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
