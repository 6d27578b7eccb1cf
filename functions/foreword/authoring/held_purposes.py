"""The purposes that a hold names: those of a rule's own and of open cases."""

from __future__ import annotations

from foreword.authoring.fields import Source, items, one_of
from foreword.authoring.value_schemas import list_of
from foreword.authoring.value_schemas import one_of as any_of
from foreword.authoring.yaml_reader import Node
from foreword.domain.rulebook import Purpose

HELD = (Purpose.MARKETING, Purpose.SERVICE)
SCHEMA = {**list_of(any_of(HELD)), "uniqueItems": True}


def held_purposes(source: Source, node: Node, what: str) -> tuple[Purpose, ...]:
    """Nothing holds what is critical."""
    purposes: list[Purpose] = []
    for item in items(source, node, what):
        purpose = one_of(source, item, {purpose.value: purpose for purpose in Purpose}, "purpose")
        if purpose is Purpose.CRITICAL:
            raise source.refused(item, "nothing holds critical messages; held are marketing and service")
        if purpose in purposes:
            raise source.refused(item, f"the purpose '{purpose}' stands twice")
        purposes.append(purpose)
    return tuple(purposes)
