"""What a rule is read against: the documents that stand beside it in the rulebook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from foreword.authoring.signals.shared import SharedSignals
from foreword.domain.rulebook import Policy


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`shared` is None where signals.yaml could not be read: then nobody knows what a condition may name."""

    policy: Policy = field(default_factory=Policy)
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    shared: SharedSignals | None = field(default_factory=SharedSignals)
