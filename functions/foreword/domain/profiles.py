"""A customer's profile: each attribute with its last writer by event time, then first receipt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from foreword.domain.facts import Fact
from foreword.domain.instants import Instant

ADDRESSES = ("email", "phone")
"""Attributes that are addresses: never journalled, never seen by a condition or a template."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """`value` is None where the attribute was removed: the removal's time is remembered."""

    value: Any
    written: tuple[Instant, Instant, str]


@dataclass(frozen=True, slots=True)
class Profile:
    """`version` counts its writes, 0 for a customer nobody has described yet."""

    customer_id: str
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    version: int = 0
    erased: bool = False

    def merge(self, fact: Fact) -> Profile:
        """The profile after a CustomerUpdated, attribute by attribute; the order of arrival does not matter."""
        merged = dict(self.attributes)
        for name, value in fact.data.items():
            present = merged.get(name)
            if present is None or present.written < fact.order:
                merged[name] = Attribute(value, fact.order)
        return Profile(self.customer_id, merged, self.version, self.erased)

    def value(self, name: str) -> Any:
        """The attribute's present value, None when missing or removed."""
        attribute = self.attributes.get(name)
        return None if attribute is None else attribute.value

    def values(self) -> dict[str, Any]:
        """What conditions and templates may see: every present attribute but the addresses."""
        return {
            name: attribute.value
            for name, attribute in self.attributes.items()
            if attribute.value is not None and name not in ADDRESSES
        }
