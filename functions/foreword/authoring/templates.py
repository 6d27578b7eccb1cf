"""The templates of a message: which files there must be, in which folders and languages."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from foreword.authoring.rules import AuthoredRule
from foreword.authoring.suggest import did_you_mean
from foreword.authoring.template_texts import Known, TemplateFile, check_text
from foreword.domain.errors import InvalidRulebook
from foreword.domain.message_files import (
    HTML,
    LAYOUTS,
    PREHEADER,
    SEGMENTS,
    SMS,
    SUBJECT,
    TEXT,
    VARIANTS,
    split_name,
    split_path,
    suffixes,
)
from foreword.domain.rulebook import Channel, Rule, Send

Templates: TypeAlias = Mapping[str, Mapping[str, str]]
"""Message -> path in its folder -> Liquid text; `LAYOUTS` in place of a message has what e-mails share."""

PARTS: Mapping[Channel, tuple[str, ...]] = {
    Channel.EMAIL: (SUBJECT, HTML),
    Channel.SMS: (SMS,),
    Channel.TASK: (),
    Channel.OUTBOUND: (),
}
OPTIONAL: Mapping[Channel, tuple[str, ...]] = {Channel.EMAIL: (PREHEADER, TEXT)}
_ALL_PARTS = (SUBJECT, PREHEADER, HTML, TEXT, SMS)
_LOCALE = re.compile(r"(?:[a-z]{2,3}(?:-[A-Z]{2})?)?", re.ASCII)
_FOLDER = re.compile(rf"(?:(?:{SEGMENTS}|{VARIANTS})/[A-Za-z0-9][A-Za-z0-9 _-]*/)?", re.ASCII)


def read_templates(messages: Path) -> dict[str, dict[str, str]]:
    """Of every folder in `messages`; raises InvalidRulebook for what is not UTF-8, OSError where it cannot read."""
    return {
        folder.name: {path.relative_to(folder).as_posix(): _text(path) for path in template_files(folder)}
        for folder in sorted(messages.iterdir())
        if folder.is_dir() and folder.name[0] != "."
    }


def template_files(folder: Path) -> list[Path]:
    """All in it that is not hidden, in the folders of segments and variants too."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part[0] == "." for part in path.relative_to(folder).parts)
    ]


def check_templates(
    authored: AuthoredRule, templates: Templates, messages: Path, link_hosts: Collection[str]
) -> list[InvalidRulebook]:
    """What is wrong with the messages of this rule: files that are missing, Liquid, placeholders, links.

    A send that only makes tasks or outbound events needs no templates.
    """
    known = Known(_values(authored.rule), templates.get(LAYOUTS, {}), frozenset(link_hosts))
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
            errors += _languages_of_folders(files, folder)
            for path, text in files.items():
                errors += _check_file(path, text, files, folder, known)
    return errors


def check_layouts(templates: Templates, messages: Path, link_hosts: Collection[str]) -> list[InvalidRulebook]:
    """What is wrong with what the e-mails share. Layouts see no signals: they serve every rule."""
    layouts = templates.get(LAYOUTS, {})
    known = Known(frozenset(), layouts, frozenset(link_hosts))
    errors: list[InvalidRulebook] = []
    for path, text in layouts.items():
        name = split_name(path)
        file = str(messages / LAYOUTS / path)
        if name is None or not name[0].endswith(".html") or not _LOCALE.fullmatch(name[1]):
            errors.append(
                InvalidRulebook("not a layout: one is called NAME.html or NAME.html.LOCALE", file=file)
            )
        else:
            if name[0] not in layouts:
                errors.append(
                    InvalidRulebook(
                        f"the layout needs a file without a locale too, {name[0]}, for all other languages",
                        file=file,
                    )
                )
            errors += check_text(TemplateFile(file, name[0], text, is_layout=True), known)
    return errors


def _values(rule: Rule) -> frozenset[str]:
    """What is known by a name of its own: signals, and `variant` where there is always one."""
    has_variants = rule.experiment is not None and rule.experiment.variants
    return frozenset(rule.signals) | ({"variant"} if has_variants else frozenset())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRulebook(f"not UTF-8 text: {error.reason}", file=str(path)) from None


def _missing_files(send: Send, files: Mapping[str, str], folder: Path) -> Iterator[InvalidRulebook]:
    """The default language in full for every channel of the send, any other in full or not at all.

    A preheader that is there is so in every language; a text is where its HTML is, and made from it elsewhere.
    """
    own = [split for split in map(split_name, files) if split is not None]
    for channel in send.channels:
        parts = PARTS[channel]
        optional = OPTIONAL.get(channel, ())
        locales = {locale for part, locale in own if part in (*parts, *optional)} - {""}
        needed = (*parts, *(part for part in optional if part == PREHEADER and (part in dict(own))))
        for suffix in ("", *(f".{locale}" for locale in sorted(locales))):
            for part in needed:
                if f"{part}{suffix}" not in files:
                    yield InvalidRulebook(f"{channel} needs this file", file=str(folder / f"{part}{suffix}"))


def _languages_of_folders(files: Mapping[str, str], folder: Path) -> Iterator[InvalidRulebook]:
    """What a segment or variant has of its own, it has in the message's languages: a folder precedes a language."""
    own = _locales(files, "")
    for within in sorted({split_path(path)[0] for path in files} - {""}):
        for part, locales in _locales(files, within).items():
            if part == TEXT:
                continue
            spoken = own.get(part) or own.get(HTML) or {""}
            for locale in sorted(spoken):
                if not any(suffix.lstrip(".") in _small(locales) for suffix in _without_default(locale)):
                    suffix = f".{locale}" if locale else ""
                    yield InvalidRulebook(
                        f"the message has {part} in this language, so {within} needs it too",
                        file=str(folder / f"{within}{part}{suffix}"),
                    )
            for locale in sorted(locales - spoken):
                if not any(suffix.lstrip(".") in _small(spoken) for suffix in _without_default(locale)):
                    yield InvalidRulebook(
                        f"the message has no {part}.{locale}, so its other parts would be in another language",
                        file=str(folder / f"{within}{part}.{locale}"),
                    )


def _locales(files: Mapping[str, str], within: str) -> dict[str, set[str]]:
    """Part -> the locales it has in that folder, the default one empty."""
    found: dict[str, set[str]] = {}
    for path in files:
        folder, name = split_path(path)
        split = split_name(name)
        if folder == within and split is not None:
            found.setdefault(split[0], set()).add(split[1])
    return found


def _without_default(locale: str) -> list[str]:
    """`.de-at`, `.de` of `de-AT`; the default alone of itself."""
    return suffixes(locale)[:-1] or [""]


def _small(locales: set[str]) -> set[str]:
    return {locale.lower() for locale in locales}


def _check_file(
    path: str, text: str, files: Collection[str], folder: Path, known: Known
) -> Iterator[InvalidRulebook]:
    within, name = split_path(path)
    file = str(folder / path)
    split = split_name(name)
    if split is None or split[0] not in _ALL_PARTS or not _LOCALE.fullmatch(split[1]):
        hint = (
            did_you_mean(name, _ALL_PARTS)
            or f"; known are: {', '.join(_ALL_PARTS)}, each with .LOCALE or not"
        )
        yield InvalidRulebook(f"not a template{hint}", file=file)
        return
    if not _FOLDER.fullmatch(within):
        yield InvalidRulebook(
            f"templates stand in the message's folder, in {SEGMENTS}/NAME or in {VARIANTS}/NAME", file=file
        )
        return
    part, locale = split
    if part == TEXT and within + name.replace(TEXT, HTML) not in files:
        yield InvalidRulebook(
            f"nobody would get this text: it needs its {name.replace(TEXT, HTML)} beside it", file=file
        )
    if part in (SUBJECT, PREHEADER) and "\n" in text.strip():
        yield InvalidRulebook(f"a {part.removesuffix('.txt')} is one line", file=file, line=2)
    yield from check_text(TemplateFile(file, part, text, locale), known)
