"""What is read to tell an experiment's results; the adapters and the tests' fakes fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from foreword.domain.exposures import Exposure
from foreword.domain.facts import Fact


class ContactHistory(Protocol):
    def exposures(self, rule: str) -> Iterator[list[Exposure]]:
        """Every decision of the rule that is kept, in no order, as many at a time as come together (or none)."""
        ...


class Journal(Protocol):
    def read(self, customer_id: str) -> list[Fact]:
        """All facts of a customer, in no order."""
        ...
