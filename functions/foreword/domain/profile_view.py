"""The profile as a condition sees it: as it stood at an instant, and never an address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from foreword.domain.errors import NeedsJournal
from foreword.domain.instants import Instant
from foreword.domain.profiles import ADDRESSES, Attribute, Profile


class ProfileView(Mapping[str, Any]):
    """`earlier` gives what the journal still tells of attributes that were written again since; without it, such
    an attribute cannot be answered and the journal is asked for.
    """

    def __init__(
        self, profile: Profile, t: Instant, earlier: Mapping[str, list[Attribute]] | None = None
    ) -> None:
        self._profile = profile
        self._t = t
        self._earlier = earlier

    def __getitem__(self, name: str) -> Any:
        if name in ADDRESSES:
            raise KeyError(name)
        attribute = self._profile.attributes[name]
        if attribute.written[0] > self._t:
            if self._earlier is None:
                raise NeedsJournal(f"profile.{name} was written again since {self._t}")
            older = [entry for entry in self._earlier.get(name, []) if entry.written[0] <= self._t]
            if not older:
                raise KeyError(name)
            attribute = max(older, key=lambda entry: entry.written)
        if attribute.value is None:
            raise KeyError(name)
        return attribute.value

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._profile.attributes if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)
