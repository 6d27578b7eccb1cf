"""How far the daily look at the providers' own suppression lists has come."""

from __future__ import annotations

from dataclasses import dataclass, replace

from foreword.domain.rulebook import Channel

LISTS = (Channel.EMAIL, Channel.SMS)
"""SES's suppression list of the account, and SNS's numbers that opted out, in this order."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Of one `day`, counted from 1970. `at` is the list that is read, `page` where to go on in it.

    `version` counts its writes.
    """

    day: int
    at: int = 0
    page: str | None = None
    version: int = 0

    @property
    def done(self) -> bool:
        return self.at == len(LISTS)

    @property
    def channel(self) -> Channel:
        return LISTS[self.at]

    def after(self, next_page: str | None) -> Reconciliation:
        """One page further; the next list where there is none."""
        at = self.at if next_page is not None else self.at + 1
        return replace(self, at=at, page=next_page, version=self.version + 1)
