"""`foreword new`: a rule with its tests and templates to fill in, like one that is there."""

from __future__ import annotations

import json
from pathlib import Path

import click

from foreword.authoring.scaffold import CannotScaffold, new_rule
from foreword.cli.failures import CannotRun
from foreword.domain.errors import InvalidRulebook
from foreword.local import project


def run(*, rule: str, like: str, rulebook: Path | None, as_json: bool) -> None:
    """Raises CannotRun where nothing could be written."""
    ours = project.find()
    directory = rulebook or ours.rulebook
    messages = directory / "messages" if rulebook is not None else ours.messages
    try:
        written = new_rule(rule, like, directory, messages)
    except (CannotScaffold, InvalidRulebook) as error:
        raise CannotRun(str(error)) from None
    except OSError as error:
        raise CannotRun(f"{error.filename or directory}: cannot be written: {error.strerror}") from None
    for path in written:
        click.echo(json.dumps({"wrote": str(path)}) if as_json else f"wrote {path}")
    if not as_json:
        click.echo(f"a draft like '{like}': change it, run `foreword check {rule}`, then set its mode")
