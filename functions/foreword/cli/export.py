"""`foreword export`: all that is stored of a customer, for whoever asks in that customer's name."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from foreword.cli.customer_document import document, is_known
from foreword.cli.demo_records import DEMO, DemoRecords
from foreword.cli.deployed import stage_tables
from foreword.cli.failures import CannotRun, FoundWrong
from foreword.cli.stages import require_stage
from foreword.domain import json_text
from foreword.domain.instants import to_instant


def run(
    *,
    customer: str,
    stage: str | None,
    to: Path | None,
    out: Path,
    profile: str | None,
    region: str | None,
    as_json: bool,
) -> None:
    """Raises FoundWrong where nothing is known of the customer, CannotRun where nothing can be read."""
    of = require_stage(stage, DEMO)
    told = _document(customer, of, out, profile, region)
    if not is_known(told):
        click.echo(f"foreword: nothing is known of customer '{customer}' in stage {of}", err=True)
        raise FoundWrong
    # Through text that keeps numbers as they were written, then laid out for people.
    one_line = json_text.dumps(told)
    text = one_line if as_json else json.dumps(json.loads(one_line), indent=2, ensure_ascii=False)
    if to is None:
        click.echo(text)
        return
    try:
        to.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise CannotRun(f"{to}: cannot be written: {error.strerror}") from None
    if not as_json:
        _show(told, to)


def _document(
    customer: str, stage: str, out: Path, profile: str | None, region: str | None
) -> dict[str, Any]:
    if stage == DEMO:
        records = DemoRecords(out)
        return document(customer, records.items(customer), records.ended_at)

    from foreword.adapters.clock import SystemClock
    from foreword.adapters.erasures import Erasures
    from foreword.adapters.personal_data import PersonalDataTables

    with stage_tables(stage, profile=profile, region=region) as deployed:
        erasures = Erasures(deployed.client, deployed.tables["customers"], SystemClock())
        data = PersonalDataTables(deployed.client, deployed.tables, erasures)
        return document(customer, data.items(customer), to_instant(datetime.now(UTC)))


def _show(told: dict[str, Any], to: Path) -> None:
    console = Console(highlight=False, emoji=False)
    table = Table(title=f"{told['customer_id']}, as of {told['exported_at']}", show_header=False)
    steps = sum(len(message["steps"]) for message in told["messages"])
    choices = told["consents"]["choices"]
    for name, what in {
        "profile": ", ".join(told["profile"]) or "nothing",
        "choices": ", ".join(f"{it['topic']}/{it['channel']}: {it['choice']}" for it in choices) or "none",
        "suppressed": f"{len(told['consents']['suppressed'])} channels or addresses",
        "journal": f"{len(told['journal'])} events",
        "messages": f"{len(told['messages'])} messages, {steps} steps",
        "comparisons": f"{len(told['comparisons'])} items",
    }.items():
        table.add_row(name, what)
    console.print(table)
    console.print(f"all of it is in {to}", markup=False)
