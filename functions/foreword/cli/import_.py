"""`foreword import`: profiles, choices and history from elsewhere, into a stage, without firing anything."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from foreword.authoring.fields import RulebookErrors
from foreword.authoring.rulebook import load_rulebook
from foreword.backtest.errors import CannotBacktest
from foreword.cli.deployed import stage_tables
from foreword.cli.emit import bus_events
from foreword.cli.failures import CannotRun, FoundWrong
from foreword.cli.import_records import Records
from foreword.cli.importing import Imported, Importing, Watch
from foreword.cli.stages import require_stage
from foreword.domain.errors import InvalidRulebook, StoreConflict
from foreword.domain.rulebook import Rulebook
from foreword.local import project


def run(
    *,
    customers: Sequence[Path],
    events: Sequence[Path],
    stage: str | None,
    profile: str | None,
    region: str | None,
    as_json: bool,
) -> None:
    """Raises FoundWrong where a record was broken, CannotRun where it did not come to its end."""
    of = require_stage(stage)
    if not customers and not events:
        raise CannotRun("nothing to import: name a file with --customers or --events")
    rulebook = _rulebook()

    from foreword.adapters.activity_table import ActivityTable
    from foreword.adapters.clock import SystemClock
    from foreword.adapters.erasures import Erasures
    from foreword.adapters.journal_writer import JournalWriter

    console = Console(stderr=True, highlight=False, emoji=False, markup=False, soft_wrap=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with (
        stage_tables(of, profile=profile, region=region) as deployed,
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress,
    ):
        bar = progress.add_task("Importing", total=None)
        tables, clock = deployed.tables, SystemClock()
        activity = ActivityTable(deployed.client, tables["activity"], rulebook.journal_kept_for)
        importing = Importing(
            writer=JournalWriter(deployed.client, activity, tables["customers"], tables["consents"]),
            erased=Erasures(deployed.client, tables["customers"], clock),
            records=Records(bus_events()),
            clock=clock,
            watch=Watch(
                read=lambda path, read, size: progress.update(
                    bar, description=path.name, completed=read, total=size
                ),
                broken=lambda path, number, reason: console.print(f"{path}:{number}: {reason}"),
            ),
        )
        try:
            done = importing(customers, events)
        except (CannotBacktest, StoreConflict) as error:
            raise CannotRun(str(error)) from None
    _show(done, as_json)
    if done.broken:
        raise FoundWrong


def _rulebook() -> Rulebook:
    """Which says how long the journal is kept."""
    try:
        return load_rulebook(project.find().rulebook).published()
    except (RulebookErrors, InvalidRulebook) as error:
        raise CannotRun(
            f"the rulebook has errors, which `foreword check` tells: {str(error).splitlines()[0]}"
        ) from None


def _show(done: Imported, as_json: bool) -> None:
    if as_json:
        told = {"new": done.new, "known": done.known, "erased": done.erased, "broken": done.broken}
        click.echo(json.dumps(told))
        return
    parts = [f"{done.new} imported", f"{done.known} known already"]
    parts += [f"{done.erased} of customers who were erased"] if done.erased else []
    parts += [f"{done.broken} broken records left out"] if done.broken else []
    click.echo(", ".join(parts))
