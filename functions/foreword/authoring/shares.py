"""Shares written as percent, exactly: `2%` is 0.02."""

from __future__ import annotations

import re
from decimal import Decimal

from foreword.authoring.fields import Source
from foreword.authoring.value_schemas import Schema
from foreword.authoring.yaml_reader import Node, Scalar

LARGEST_HOLDOUT = Decimal("0.5")
"""Whoever is to be left alone more often than not should not be written to by a rule at all."""

_WRITTEN = r"([0-9]{1,3}(?:\.[0-9]{1,4})?)%"
_PERCENT = re.compile(_WRITTEN, re.ASCII)
_NEARLY = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,4})?) ?(?:%|percent|pct)?", re.ASCII | re.IGNORECASE)

PERCENT: Schema = {"type": "string", "pattern": f"^{_WRITTEN}$", "examples": ["2%"]}


def holdout(source: Source, node: Node) -> Decimal:
    return share(source, node, LARGEST_HOLDOUT)


def share(source: Source, node: Node, largest: Decimal = Decimal(1)) -> Decimal:
    """From 0 to `largest`."""
    written = node.value if isinstance(node, Scalar) else ""
    match = _PERCENT.fullmatch(written)
    if match is None:
        nearly = _NEARLY.fullmatch(written)
        hint = f"; did you mean {nearly[1]}%?" if nearly else ""
        raise source.refused(node, f"a share like 2% or 0.5% is needed here{hint}")
    part = Decimal(match[1]).scaleb(-2)
    if part > largest:
        raise source.refused(node, f"{written} is more than the {percent(largest)} that are possible here")
    return part


def percent(part: Decimal) -> str:
    """As it would be written: `0.025` is `2.5%`."""
    return f"{(part * 100).normalize():f}%"
