"""`foreword explain`: why a customer did or did not get a message."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from foreword.authoring.suggest import did_you_mean
from foreword.cli.demo_records import DEMO, DemoRecords
from foreword.cli.deployed import read_customer
from foreword.cli.explain_text import ExplanationText
from foreword.cli.failures import CannotRun, FoundWrong
from foreword.cli.rulebooks import with_drafts
from foreword.cli.stages import declared_stages
from foreword.domain import json_text
from foreword.domain.instants import Instant, format_instant, parse_instant, to_instant
from foreword.domain.rulebook import Rulebook
from foreword.explaining.customer import Customer
from foreword.explaining.explain import explain
from foreword.explaining.explanation import to_json
from foreword.local import project


def run(
    *,
    customer: str,
    rule: str | None,
    at: str | None,
    stage: str | None,
    out: Path,
    rulebook: Path | None,
    profile: str | None,
    region: str | None,
    as_json: bool,
) -> None:
    """Raises FoundWrong where nothing is known of the customer, CannotRun where nothing can be told."""
    of = _stage(stage)
    asked = None if at is None else _instant(at)
    directory = rulebook or project.find().rulebook
    rules = with_drafts(directory)
    names = [one.rule for one in rules.rules]
    if rule is not None and rule not in names:
        raise CannotRun(f"no rule '{rule}' in {directory}{did_you_mean(rule, names)}")
    now, known, hint = _customer(customer, of, rules, out, profile, region)
    if asked is not None and asked > now:
        raise CannotRun(f"--at: {at} is later than {format_instant(now)}, up to which is known what happened")
    if not known.is_known:
        click.echo(f"foreword: nothing is known of customer '{customer}' in stage {of}{hint}", err=True)
        raise FoundWrong
    explanation = explain(rules, known, now if asked is None else asked, None if rule is None else [rule])
    if as_json:
        click.echo(json_text.dumps(to_json(explanation)))
    else:
        ExplanationText().show(explanation)


def _stage(stage: str | None) -> str:
    known = [*declared_stages(), DEMO]
    if stage is None:
        raise CannotRun(
            f"say where the customer is: --stage NAME (declared: {', '.join(known[:-1])}), "
            f"or --stage {DEMO} for what `foreword demo` left behind"
        )
    if stage not in known:
        raise CannotRun(f"no stage '{stage}' is declared in cdk.json; there are: {', '.join(known)}")
    return stage


def _instant(text: str) -> Instant:
    try:
        return parse_instant(text)
    except ValueError as error:
        raise CannotRun(f"--at: {error}") from None


def _customer(
    customer_id: str, stage: str, rulebook: Rulebook, out: Path, profile: str | None, region: str | None
) -> tuple[Instant, Customer, str]:
    """Up to when things are known, what is stored, and whom the name was probably meant for."""
    if stage != DEMO:
        now = to_instant(datetime.now(UTC))
        return now, read_customer(customer_id, stage, rulebook, profile=profile, region=region), ""
    records = DemoRecords(out)
    hint = did_you_mean(customer_id, records.customers())
    return records.ended_at, records.customer(customer_id), hint
