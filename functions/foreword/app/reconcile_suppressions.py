"""Once a day: what SES and SNS suppress on their own lists is suppressed here too, for whoever has the address.

From AWS to us alone: what is suppressed here never reaches a provider, so that its lists need not know.

Page by page, a few pages a tick, with the progress in the customers table. Killed between a page and its progress,
the page is read again, and whoever is on it is known. Two ticks at once read the same page; one keeps the
progress. A page that AWS does not know any more is where the list begins anew. A list that cannot be read is tried
again at the next tick, and the tick goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from foreword.app.ports import Clock, ProviderLists, Reconciliations
from foreword.app.suppress_address import SuppressAddress
from foreword.domain.errors import PageGone
from foreword.domain.instants import DAY, SECOND, Duration
from foreword.domain.reconciling import Reconciliation
from foreword.domain.suppression import Cause

MOST_TIME: Duration = 10 * SECOND
"""Of a tick: what is due comes first."""


@dataclass(slots=True)
class Reconciled:
    """`customers` newly suppressed; `failed` holds the kind of an error that the next tick tries again."""

    customers: int = 0
    failed: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ReconcileSuppressions:
    lists: ProviderLists
    progress: Reconciliations
    suppress: SuppressAddress
    clock: Clock
    _done: int = -1  # the last day that is known here to be done

    def __call__(self) -> Reconciled:
        done = Reconciled()
        if self._done == self.clock.now() // DAY:
            return done
        try:
            self._go_on(done)
        except Exception as error:  # noqa: BLE001  a provider's list must not hold up what is due
            done.failed.append(type(error).__name__)
        return done

    def _go_on(self, done: Reconciled) -> None:
        begun = self.clock.now()
        today = begun // DAY
        known = self.progress.load()
        at = known if known is not None else Reconciliation(today - 1)
        if at.day != today:
            at = Reconciliation(today, version=at.version)
        while not at.done and self.clock.now() - begun < MOST_TIME:
            try:
                addresses, following = self.lists.page(at.channel, at.page)
            except PageGone:
                at = replace(at, page=None)
                continue
            for address in addresses:
                done.customers += self.suppress(
                    at.channel, address, Cause.PROVIDER_LIST, f"list/{at.channel}", begun, only_news=True
                )
            after = at.after(following)
            if not self.progress.keep(at, after):
                return  # another tick is at it
            at = after
        if at.done:
            self._done = today
