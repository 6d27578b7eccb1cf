"""Messages' texts in Liquid: strict, escaped for HTML, with nothing to include and nothing to read from disk.

Templates see each signal by its name, `profile` (without addresses), `case` and `rule`. A missing variable is an
error, except where the template asks for it: `{% if profile.name %}` and `{{ profile.name | default: "there" }}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from liquid import BoundTemplate, Environment
from liquid.exceptions import LiquidError
from liquid.undefined import FalsyStrictUndefined

from foreword.adapters.mime import one_line, plain
from foreword.domain.content import Content, EmailContent, SmsContent
from foreword.domain.errors import InvalidTemplate
from foreword.domain.messages import Message
from foreword.domain.profiles import Profile
from foreword.domain.rulebook import Channel

Templates = Mapping[str, Mapping[str, str]]
"""As published: message, then file name (`email.html.de`, `sms.txt`), then Liquid."""

_WHOLE_DIGITS = 30
# BCP 47 asks nobody to take longer tags than 35 characters; this much of a profile's locale is looked at.
_LOCALE_LENGTH = 35
_LOCALE_PARTS = 4
# What filters and the interpreter raise beside LiquidError when a value is not what the template took it for.
_RENDERING_ERRORS = (LiquidError, ArithmeticError, LookupError, RecursionError, TypeError, ValueError)


class _Missing(FalsyStrictUndefined):
    """False and replaceable by `default`; an error wherever else it is used."""

    force_liquid_default = True


class _Environment(Environment):
    loop_iteration_limit: ClassVar[int | None] = 10_000
    output_stream_limit: ClassVar[int | None] = 500_000


class _Number(float):
    """A number that is not whole: prints its source text, and calculates as Liquid's filters need it."""

    text: str

    def __new__(cls, value: Decimal) -> _Number:
        number = super().__new__(cls, value)
        number.text = f"{value:f}" if abs(value.adjusted()) <= _WHOLE_DIGITS else str(value)
        return number

    def __str__(self) -> str:
        return self.text


class LiquidRenderer:
    """Parses a template when it is first needed, and once."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates
        self._plain = _Environment(undefined=_Missing)
        self._html = _Environment(undefined=_Missing, autoescape=True)
        self._parsed: dict[tuple[str, str], BoundTemplate] = {}

    def render(self, message: Message, channel: Channel, profile: Profile) -> Content:
        """Raises InvalidTemplate, naming the message's file and never a value."""
        values = {
            **{name: _shown(value) for name, value in message.signals.items()},
            "profile": _shown(profile.values()),
            "case": message.case,
            "rule": message.rule,
        }
        locale = profile.value("locale")

        def part(name: str) -> str:
            return self._part(message.message, name, locale, values)

        if channel is Channel.SMS:
            return SmsContent(_filled(plain(part("sms.txt")).strip(), message.message, "sms.txt"))
        return EmailContent(
            subject=_filled(" ".join(one_line(part("subject.txt")).split()), message.message, "subject.txt"),
            text=_filled(plain(part("email.txt")).strip(), message.message, "email.txt") + "\n",
            html=_filled(plain(part("email.html")).strip(), message.message, "email.html") + "\n",
        )

    def _part(self, message: str, name: str, locale: Any, values: Mapping[str, Any]) -> str:
        file = _localised(self._templates.get(message, {}), name, locale)
        if file is None:
            raise InvalidTemplate(f"{message}/{name}: there is no such template")
        try:
            return self._template(message, file).render(values)
        except _RENDERING_ERRORS as error:
            # The error's own words may quote a value; what is missing is the author's, and safe to say.
            raise InvalidTemplate(f"{message}/{file}: {type(error).__name__}") from None

    def _template(self, message: str, file: str) -> BoundTemplate:
        if (message, file) not in self._parsed:
            environment = self._html if file.startswith("email.html") else self._plain
            self._parsed[message, file] = environment.from_string(self._templates[message][file])
        return self._parsed[message, file]


def _localised(files: Mapping[str, str], name: str, locale: Any) -> str | None:
    """`email.txt.de-AT`, else `email.txt.de`, else `email.txt`, whichever is there first."""
    text = locale[:_LOCALE_LENGTH] if isinstance(locale, str) else ""
    parts = text.replace("_", "-").split("-")[:_LOCALE_PARTS]
    known = {file.lower(): file for file in files}
    for length in range(len(parts), 0, -1):
        file = known.get(f"{name}.{'-'.join(parts[:length])}".lower())
        if file is not None:
            return file
    return name if name in files else None


def _filled(text: str, message: str, file: str) -> str:
    if not text:
        raise InvalidTemplate(f"{message}/{file}: renders to nothing")
    return text


def _shown(value: Any) -> Any:
    """A value as Liquid knows it: whole numbers as int, others as _Number, at any depth."""
    if isinstance(value, Decimal):
        if value == value.to_integral_value() and value.adjusted() <= _WHOLE_DIGITS:
            return int(value)
        return _Number(value)
    if isinstance(value, Mapping):
        return {name: _shown(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(item) for item in value]
    return value
