"""`foreword vocabulary`: every word that a rule author can use, or the JSON Schemas that tell an editor."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from foreword.authoring import editor_schema
from foreword.authoring.fields import RulebookErrors
from foreword.authoring.rulebook import load_rulebook
from foreword.authoring.schemas import read_schemas
from foreword.authoring.vocabulary import EventWord, FieldWord, Vocabulary, vocabulary
from foreword.cli.failures import CannotRun, FoundWrong
from foreword.domain.errors import InvalidRulebook
from foreword.domain.message_files import LAYOUTS
from foreword.local import project

SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "rule": editor_schema.rule_schema,
    "signals": editor_schema.signals_schema,
    "policy": editor_schema.policy_schema,
    "lists": editor_schema.lists_schema,
}


def run(*, rulebook: Path | None, schema: Path | None, schema_of: str, as_json: bool) -> None:
    """Raises FoundWrong where the rulebook is wrong, CannotRun where it cannot be read."""
    if schema is not None:
        _write_schema(schema, schema_of)
        return
    words = _words(rulebook)
    if as_json:
        _print_json(words)
    else:
        _print(words)


def _write_schema(path: Path, of: str) -> None:
    try:
        path.write_text(json.dumps(SCHEMAS[of](), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise CannotRun(f"{path}: cannot be written: {error.strerror}") from None
    click.echo(f"wrote {path}")


def _words(rulebook: Path | None) -> Vocabulary:
    ours = project.find()
    directory = rulebook or ours.rulebook
    messages = directory / "messages" if rulebook is not None else ours.messages
    try:
        loaded, schemas = load_rulebook(directory), read_schemas(ours.schemas)
        folders = (
            [path.name for path in messages.iterdir() if path.is_dir() and path.name != LAYOUTS]
            if messages.is_dir()
            else []
        )
    except (RulebookErrors, InvalidRulebook) as error:
        click.echo(str(error), err=True)
        raise FoundWrong from None
    except OSError as error:
        raise CannotRun(f"{error.filename or directory}: cannot be read: {error.strerror}") from None
    return vocabulary(loaded, schemas, folders)


def _print(words: Vocabulary) -> None:
    console = Console(highlight=False, emoji=False)
    _table(console, "Events", ("event", "event.data.", "type", "meaning"), _event_rows(words.events))
    _table(console, "Profile", ("profile.", "type", "meaning"), map(_field_row, words.profile))
    _table(
        console,
        "Signals",
        ("signal", "of", "kind", "is a"),
        ((word.name, word.rule or "signals.yaml", word.kind, word.gives) for word in words.signals),
    )
    _table(
        console, "Lists", ("lists.", "elements"), ((name, str(size)) for name, size in words.lists.items())
    )
    _table(console, "Topics", ("topic",), ((topic,) for topic in words.topics))
    _table(console, "Messages", ("message",), ((message,) for message in words.messages))


def _event_rows(events: Iterable[EventWord]) -> Iterable[tuple[str, ...]]:
    for event in events:
        about = event.description or ("Foreword's own" if event.own else "no schema describes it")
        yield (event.type, "", "", about)
        for field in event.fields:
            yield ("", *_field_row(field))


def _field_row(field: FieldWord) -> tuple[str, ...]:
    kind = field.type if field.required else f"{field.type}, may be missing"
    values = f" One of: {', '.join(field.values)}." if field.values else ""
    never = "" if field.usable else " Never seen by conditions and templates."
    return (field.name, kind, f"{field.description}{values}{never}".strip())


def _table(console: Console, title: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))  # as they are: what authors wrote is no markup
    console.print(table)
    console.print()


def _print_json(words: Vocabulary) -> None:
    for kind, told in (
        ("event", [asdict(word) for word in words.events]),
        ("profile", [asdict(word) for word in words.profile]),
        ("signal", [asdict(word) for word in words.signals]),
        ("list", [{"name": name, "elements": size} for name, size in words.lists.items()]),
        ("topic", [{"name": name} for name in words.topics]),
        ("message", [{"name": name} for name in words.messages]),
    ):
        for word in told:
            click.echo(json.dumps({"word": kind, **word}, ensure_ascii=False))
