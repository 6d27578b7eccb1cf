"""compare_peers: one part of the close of a period (see domain.peers_closing for the stages).

All that a close reckons comes from the values as they were frozen. So whatever comes later, however often and by
whomever a part is worked on, the result is the same, and is written over itself.

| dies                                     | leaves                       | a redelivery                         |
|------------------------------------------|------------------------------|--------------------------------------|
| COUNT    in the middle of freezing       | the first runs               | goes on behind the last one          |
|          after the last run              | the shard frozen             | tells of these values                |
|          after telling                   | what it told                 | writes the same again                |
| MERGE    after settling                  | what it settled              | writes the same again                |
| COMPARE  before a customer's fact        | the customer as before       | hands the customer on                |
|          after the fact                  | the fact, and the old truth  | the fact is known; writes the truth  |
|          after the truth                 | the customer done            | passes the customer over             |
| each     before its part is taken off    | the part left                | does it again, to the same effect    |
|          after it was the last one       | a stage with nothing left    | begins the next stage                |
|          after the next stage is written | a stage nobody works on      | nothing; the tick hands it out again |

Work of a stage that is over, or of a definition that is not in the rulebook, is dropped: the tick hands it out
again as long as it matters.

A million accounts a day in one cohort, one in a hundred changing, cost 1.1 million writes (a million of them keep
the values), 0.2 million reads and some 200 requests of the queue: at most 0.75 dollars of list price, as counted in
tests/scenarios/test_peers_cost.py. Lambda adds some 130 GB-seconds, less than a cent. No worker holds more than the
values of one shard in sixteen, some tens of bytes each, or compares more than one run at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from foreword.app.close_periods import Stages
from foreword.app.count_peers import MOST_TIME, CountPeers
from foreword.app.merge_peers import MergePeers
from foreword.app.ports import Clock, Journal, PeerCloses, PeerStore, WorkQueue
from foreword.domain.core import Core
from foreword.domain.facts import FOREWORD, PEERS_COMPARED, Fact
from foreword.domain.instants import Instant, sortable
from foreword.domain.peer_values import PeerValue, signals_to_json
from foreword.domain.peers import Compared, Comparison
from foreword.domain.peers_closing import Close, Progress, Step, Truth, Work
from foreword.domain.peers_lines import settled_of, value_of
from foreword.domain.peers_statistics import Standing


@dataclass(slots=True)
class Worked:
    """What came of one part: how many customers were compared, and how many handed to the road."""

    compared: int = 0
    changed: int = 0
    closed: bool = False


@dataclass(frozen=True, slots=True)
class ComparePeers:
    """`comparisons` are those of the rulebook that `core` was made from."""

    core: Core
    comparisons: Mapping[str, Comparison]
    closes: PeerCloses
    store: PeerStore
    journal: Journal
    queue: WorkQueue
    clock: Clock

    def __call__(self, work: Work) -> Worked:
        """Raises the stores' own errors: the work is then to be given again."""
        worked = Worked()
        comparison = self.comparisons.get(work.close.rule)
        if comparison is None or comparison.digest != work.close.digest:
            return worked
        progress = self.closes.load(work.close)
        if progress is None or progress.is_closed or progress.stage != work.stage:
            return worked
        if work.part in progress.left:
            progress = self._do(work, comparison, worked)
        if progress is not None and not progress.left:
            following = Stages(self.closes, self.queue, self.clock).go_on(progress)
            worked.closed = following is not None and following.is_closed
        return worked

    def _do(self, work: Work, comparison: Comparison, worked: Worked) -> Progress | None:
        """The progress afterwards; None where the work goes on elsewhere."""
        match work.stage.step:
            case Step.COUNT:
                return CountPeers(self.closes, self.store, self.queue, self.clock)(work, comparison)
            case Step.MERGE:
                return MergePeers(self.closes, self.store)(work, comparison)
            case Step.COMPARE:
                return self._compare(work, comparison, worked)

    def _compare(self, work: Work, comparison: Comparison, worked: Worked) -> Progress | None:
        started = self.clock.now()
        settled = map(settled_of, self.store.settled(work.close))
        standings = {cohort: found for cohort, found in settled if isinstance(found, Standing)}
        rule = self.core.rules[comparison.rule].rule
        for run in self.store.frozen(work.close, work.part, work.begin):
            values = [value_of(rule, work.close.period, line) for line in run.lines]
            evaluated = [value for value in values if value.cohort in standings]
            worked.compared += len(evaluated)
            worked.changed += self._compare_run(work, comparison, evaluated, standings)
            if self.clock.now() - started > MOST_TIME and not run.is_last:
                self.queue.send([work._replace(begin=run.number + 1)])
                return None
        return self.closes.finish(work)

    def _compare_run(
        self,
        work: Work,
        comparison: Comparison,
        values: Sequence[PeerValue],
        standings: Mapping[str, Standing],
    ) -> int:
        """How many were handed to the road: those whose truth is another than after their period before."""
        if not values:
            return 0
        compiled = self.core.rules[comparison.rule]
        ends = values[0].customer_id, values[-1].customer_id
        truths = self.store.truths(comparison.rule, work.part, *ends)
        changed = 0
        for value in values:
            before = truths.get(value.customer_id, Truth(is_true=False, period=work.close.period - 1))
            if before.period >= work.close.period:
                continue  # this close was here before, or a later one
            cohort = standings[value.cohort]
            compared = comparison.compare(compiled, value, cohort)
            if compared.is_true != before.is_true:
                now = self.clock.now()
                self.journal.add(_fact(work.close, value, cohort, compared, now))
                truth = Truth(compared.is_true, work.close.period)
                self.store.set_truth(comparison.rule, value.customer_id, truth, now)
                changed += 1
        return changed


def _fact(close: Close, value: PeerValue, cohort: Standing, compared: Compared, now: Instant) -> Fact:
    return Fact(
        source=FOREWORD,
        id=f"peers/{close.rule}/{close.digest}/{sortable(close.period)}",
        type=PEERS_COMPARED,
        customer_id=value.customer_id,
        occurred_at=close.end,
        received_at=now,
        data={
            "rule": close.rule,
            "period": sortable(close.period),
            "at": sortable(value.at),
            "true": compared.is_true,
            "value": value.value,
            "statistic": compared.statistic,
            "cohort": value.cohort,
            "members": cohort.members,
            "signals": signals_to_json(compared.signals),
            "profile": value.profile,
        },
    )
