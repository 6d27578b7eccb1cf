"""`foreword erase`: a customer who wants to be forgotten is."""

from __future__ import annotations

import json
import time

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from foreword.backtest.decode import customer_text
from foreword.backtest.errors import Broken
from foreword.cli.deployed import stage_tables
from foreword.cli.failures import CannotRun
from foreword.cli.stages import require_stage
from foreword.domain.erasure import MARK_KEPT_FOR, ON_ITS_WAY_FOR, Erased, Swept
from foreword.domain.errors import StoreConflict, StoreUnavailable
from foreword.domain.instants import SECOND, format_instant

_TOLD = {
    Swept.MARKED: "marked: nothing is sent any more, and what comes is refused",
    Swept.CLOSED: "messages that were to be sent are closed",
    Swept.DELETED: "deleted",
    Swept.SWEPT: "looked once more at what was on its way",
    Swept.FORGOTTEN: "the id is forgotten, too",
}


def run(
    *, customer: str, stage: str | None, yes: bool, profile: str | None, region: str | None, as_json: bool
) -> None:
    """Raises CannotRun where it could not be done to the end: begun again, it goes on."""
    of = require_stage(stage)
    try:
        customer_text(customer)  # what has another name in the tables is nobody's
    except Broken as error:
        raise CannotRun(str(error)) from None
    if not yes:
        click.confirm(
            f"Erase all that stage {of} holds of '{customer}'? It cannot be undone.", abort=True, err=True
        )

    from foreword.adapters.clock import SystemClock
    from foreword.adapters.erasures import Erasures
    from foreword.adapters.personal_data import PersonalDataTables
    from foreword.app.erase_customer import EraseCustomer

    console = Console(stderr=True, highlight=False, emoji=False)

    def report(stage: Swept) -> None:
        if not as_json:
            console.print(_TOLD[stage], markup=False)

    clock = SystemClock()
    with stage_tables(of, profile=profile, region=region) as deployed:
        erasures = Erasures(deployed.client, deployed.tables["customers"], clock)
        data = PersonalDataTables(deployed.client, deployed.tables, erasures)
        try:
            erased = EraseCustomer(data, clock, lambda: _wait(console), report)(customer)
        except (StoreConflict, StoreUnavailable) as error:
            raise CannotRun(f"stage {of}: {error}") from None
    _show(customer, erased, as_json)


def _wait(console: Console) -> None:
    """Until all that was accepted before is written."""
    seconds = ON_ITS_WAY_FOR // SECOND
    columns = (TextColumn("waiting for what is on its way"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        for _ in progress.track(range(seconds)):
            time.sleep(1)


def _show(customer: str, erased: Erased, as_json: bool) -> None:
    again = None if erased.forgotten else format_instant(erased.marked_at + MARK_KEPT_FOR)
    if as_json:
        told = {"customer_id": customer, "items": erased.items, "messages_closed": erased.messages_closed}
        click.echo(json.dumps({**told, "forgotten": erased.forgotten, "run_again_after": again}))
        return
    counts = ", ".join(f"{count} of {table}" for table, count in erased.items.items() if count)
    click.echo(f"Erased: {counts or 'nothing was left'}; {erased.messages_closed} messages ended ERASED.")
    if again is not None:
        click.echo(f"The id itself stays as a mark; run this once more after {again}, and it goes, too.")
    click.echo(
        "Out of reach: quarantine and dead letters (14 days), frozen comparisons (7), recovery points (35)."
    )
