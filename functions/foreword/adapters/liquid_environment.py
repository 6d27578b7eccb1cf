"""Liquid as templates have it: strict, with no file to reach, and values shown as people read them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from liquid import CachingDictLoader, Environment
from liquid.exceptions import LiquidError
from liquid.extra import BlockTag, ExtendsTag
from liquid.undefined import FalsyStrictUndefined

from foreword.adapters.mime import encodable
from foreword.domain.message_files import REFUSED_FILTERS, REFUSED_TAGS

RENDERING_ERRORS = (LiquidError, ArithmeticError, LookupError, RecursionError, TypeError, ValueError)
"""What filters and the interpreter raise when a value is not what the template took it for."""

_WHOLE_DIGITS = 30
# They turn the direction of the text around them; letters that run from right to left need none of them.
_BIDI_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")


class _Missing(FalsyStrictUndefined):
    """False and replaceable by `default`; an error wherever else it is used."""

    force_liquid_default = True


class _Limited(Environment):
    loop_iteration_limit: ClassVar[int | None] = 10_000
    output_stream_limit: ClassVar[int | None] = 500_000


def plain_environment() -> Environment:
    """For texts: nothing is escaped, nothing shared."""
    return _refusing(_Limited(undefined=_Missing))


def html_environment(layouts: Mapping[str, str]) -> Environment:
    """Every value is escaped; a template may fill in the blocks of a layout (`{% extends "mail.html" %}`)."""
    loader = CachingDictLoader(dict(layouts), auto_reload=False)
    environment = _refusing(_Limited(undefined=_Missing, autoescape=True, loader=loader))
    environment.add_tag(ExtendsTag)
    environment.add_tag(BlockTag)
    return environment


def _refusing(environment: Environment) -> Environment:
    for tag in REFUSED_TAGS:
        del environment.tags[tag]
    for name in REFUSED_FILTERS:
        del environment.filters[name]
    return environment


class _Number(float):
    """A number that is not whole: prints its source text, and calculates as Liquid's filters need it."""

    text: str

    def __new__(cls, value: Decimal) -> _Number:
        number = super().__new__(cls, value)
        number.text = f"{value:f}" if abs(value.adjusted()) <= _WHOLE_DIGITS else str(value)
        return number

    def __str__(self) -> str:
        return self.text


def shown(value: Any) -> Any:
    """A value as Liquid knows it, at any depth: numbers as int or _Number, no text that turns others."""
    if isinstance(value, Decimal):
        if value == value.to_integral_value() and value.adjusted() <= _WHOLE_DIGITS:
            return int(value)
        return _Number(value)
    if isinstance(value, str):
        return _BIDI_CONTROLS.sub("", encodable(value))
    if isinstance(value, Mapping):
        return {name: shown(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [shown(item) for item in value]
    return value
