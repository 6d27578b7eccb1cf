"""The templates of a message: which files there must be, and that each can be filled in."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from liquid import Environment, StrictUndefined
from liquid.exceptions import LiquidError
from liquid.static_analysis import TemplateAnalysis, Variable

from foreword.authoring.rules import AuthoredRule
from foreword.authoring.suggest import did_you_mean
from foreword.domain.errors import InvalidRulebook
from foreword.domain.profiles import ADDRESSES
from foreword.domain.rulebook import Channel, Rule, Send

Templates: TypeAlias = Mapping[str, Mapping[str, str]]
"""Message -> file name -> Liquid text."""

PARTS: Mapping[Channel, tuple[str, ...]] = {
    Channel.EMAIL: ("subject.txt", "email.txt", "email.html"),
    Channel.SMS: ("sms.txt",),
    Channel.TASK: (),
    Channel.OUTBOUND: (),
}
_ALL_PARTS = tuple(part for parts in PARTS.values() for part in parts)
_FILE = re.compile(r"([a-z]+\.(?:txt|html))(?:\.([a-z]{2,3}(?:-[A-Z]{2})?))?", re.ASCII)
_REFUSED_TAGS = ("include", "render")
_PROFILE = "profile"
_OTHERS = ("profile", "case", "rule")


def read_templates(messages: Path) -> dict[str, dict[str, str]]:
    """Of every folder in `messages`; raises InvalidRulebook for what is not UTF-8, OSError where it cannot read."""
    return {
        folder.name: {path.name: _text(path) for path in sorted(folder.iterdir()) if path.name[0] != "."}
        for folder in sorted(messages.iterdir())
        if folder.is_dir()
    }


def check_templates(authored: AuthoredRule, templates: Templates, messages: Path) -> list[InvalidRulebook]:
    """What is wrong with the messages of this rule: files that are missing, Liquid, placeholders.

    A send that only makes tasks or outbound events needs no templates.
    """
    known = frozenset((*authored.rule.signals, *_others(authored.rule)))
    errors: list[InvalidRulebook] = []
    for number, send in enumerate(authored.rule.sends):
        files = templates.get(send.message)
        if files is None and any(PARTS[channel] for channel in send.channels):
            words = (
                f"there is no message '{send.message}' in {messages}{did_you_mean(send.message, templates)}"
            )
            errors.append(authored.refused(f"send.{number}", words))
        if files is not None:
            folder = messages / send.message
            errors += _missing_files(send, files, folder)
            errors += (
                error for name, text in files.items() for error in _check_file(folder / name, text, known)
            )
    return errors


def _others(rule: Rule) -> tuple[str, ...]:
    """`variant` is known where there is always one."""
    has_variants = rule.experiment is not None and rule.experiment.variants
    return (*_OTHERS, "variant") if has_variants else _OTHERS


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRulebook(f"not UTF-8 text: {error.reason}", file=str(path)) from None


def _missing_files(send: Send, files: Mapping[str, str], folder: Path) -> Iterator[InvalidRulebook]:
    """The default language in full for every channel of the send, any other in full or not at all."""
    matches = [match for name in files if (match := _FILE.fullmatch(name))]
    for channel in send.channels:
        parts = PARTS[channel]
        locales = {match[2] for match in matches if match[1] in parts and match[2]}
        for suffix in ("", *(f".{locale}" for locale in sorted(locales))):
            for part in parts:
                if f"{part}{suffix}" not in files:
                    yield InvalidRulebook(f"{channel} needs this file", file=str(folder / f"{part}{suffix}"))


def _check_file(path: Path, text: str, known: frozenset[str]) -> Iterator[InvalidRulebook]:
    match = _FILE.fullmatch(path.name)
    if match is None or match[1] not in _ALL_PARTS:
        hint = (
            did_you_mean(path.name, _ALL_PARTS)
            or f"; known are: {', '.join(_ALL_PARTS)}, each with .LOCALE or not"
        )
        yield InvalidRulebook(f"not a template{hint}", file=str(path))
        return
    if match[1] == "subject.txt" and "\n" in text.strip():
        yield InvalidRulebook("a subject is one line", file=str(path), line=2)
    try:
        template = _environment().from_string(text, name=path.name)
        analysis = template.analyze()
    except LiquidError as error:
        place = error.context()
        line, column = (place[0], place[1] + 1) if place else (1, 1)
        yield InvalidRulebook(f"Liquid: {error.args[0]}", file=str(path), line=line, column=column)
        return
    yield from _check_names(path, text, analysis, known)


def _check_names(
    path: Path, text: str, analysis: TemplateAnalysis, known: frozenset[str]
) -> Iterator[InvalidRulebook]:
    def refused(message: str, index: int) -> InvalidRulebook:
        line = text.count("\n", 0, index) + 1
        return InvalidRulebook(message, file=str(path), line=line, column=index - text.rfind("\n", 0, index))

    for name, variables in analysis.globals.items():
        for variable in variables:
            problem = _unknown_name(variable, name, known)
            if problem:
                yield refused(problem, variable.span.index)
    for name, spans in analysis.filters.items():
        if name not in _environment().filters:
            yield refused(
                f"unknown filter '{name}'{did_you_mean(name, _environment().filters)}", spans[0].index
            )


def _unknown_name(variable: Variable, name: str, known: frozenset[str]) -> str | None:
    if name not in known:
        hint = did_you_mean(name, known) or f"; known are: {', '.join(sorted(known))}"
        return f"unknown placeholder '{name}'{hint}"
    if name == _PROFILE and len(variable.segments) < 2:
        return "a placeholder of the profile names a field: profile.x"
    if name == _PROFILE and variable.segments[1] in ADDRESSES:
        return f"{variable} is an address, and templates do not see addresses"
    return None


@functools.cache
def _environment() -> Environment:
    environment = Environment(undefined=StrictUndefined)
    for tag in _REFUSED_TAGS:
        del environment.tags[tag]
    return environment
