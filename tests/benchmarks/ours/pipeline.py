"""From the bytes of a batch to the bytes of the state: what evaluate_triggers does but for its calls to AWS.

`WORKLOAD PASSES RULEBOOK G`: a batch is G events of one customer. Batches that fill the customers' windows come
first, and are not timed. Prints the CPU time, and that of the core alone on the same events.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from foreword.contracts.activity_items import item_of
from foreword.contracts.activity_stream import facts_by_customer
from foreword.domain.core import Core
from foreword.domain.facts import Fact
from tests.benchmarks.ours.core import Customers, ready
from tests.benchmarks.ours.facts import fact_of
from tests.benchmarks.ours.rulebooks import read_published
from tests.benchmarks.ours.stores import Bench
from tests.benchmarks.workload import Workload


class Batch(NamedTuple):
    """The facts, and the text that Lambda is handed with them."""

    facts: tuple[Fact, ...]
    body: bytes


def batches(facts: Iterable[Fact], together: int) -> Iterator[Batch]:
    """In the order of their last facts; what remains of a customer in the end is a smaller batch."""
    waiting: dict[str, list[Fact]] = {}
    for fact in facts:
        some = waiting.setdefault(fact.customer_id, [])
        some.append(fact)
        if len(some) == together:
            yield _batch(waiting.pop(fact.customer_id))
    for some in waiting.values():
        yield _batch(some)


def _batch(facts: Sequence[Fact]) -> Batch:
    records = [
        {
            "eventID": f"{fact.id:0>32}",
            "eventName": "INSERT",
            "eventSource": "aws:dynamodb",
            "dynamodb": {
                "ApproximateCreationDateTime": fact.received_at // 1_000_000,
                "Keys": {"customer_id": {"S": fact.customer_id}, "fact": {"S": fact.key}},
                "NewImage": item_of(fact, fact.received_at),
                "SequenceNumber": f"{fact.id:0>21}",
            },
        }
        for fact in facts
    ]
    return Batch(tuple(facts), json.dumps({"Records": records}).encode())


def main() -> None:
    workload_path, passes, rulebook_path, together = sys.argv[1:]
    facts = [fact_of(event) for event in Workload.read(Path(workload_path)).events]
    core = ready(Core(read_published(Path(rulebook_path))), facts)
    found = list(batches(facts, int(together)))
    filling, timed = found[: len(found) // 2], found[len(found) // 2 :]
    pipeline = alone = float("inf")
    for _ in range(int(passes)):
        pipeline = min(pipeline, time_pipeline(core, filling, timed))
        alone = min(alone, time_core(core, filling, timed))
    events = sum(len(batch.facts) for batch in timed)
    print(json.dumps({"pipeline": pipeline, "core": alone, "events": events}))  # noqa: T201


def time_pipeline(core: Core, filling: Sequence[Batch], timed: Sequence[Batch]) -> float:
    """Seconds of CPU."""
    bench = Bench(core)
    for batch in filling:
        _evaluate(bench, batch)
    for batch in timed:  # a customer's first batch is no steady state
        if batch.facts[0].customer_id not in bench.states.stored:
            bench.evaluate(batch.facts[0].customer_id, ())
    gc.collect()
    gc.freeze()
    begun = time.process_time()
    for batch in timed:
        _evaluate(bench, batch)
    used = time.process_time() - begun
    gc.unfreeze()
    return used


def _evaluate(bench: Bench, batch: Batch) -> None:
    bench.clock.instant = batch.facts[-1].received_at
    bench.journal.keep(batch.facts)
    for customer in facts_by_customer(json.loads(batch.body)["Records"]):
        bench.evaluate(customer.customer_id, customer.facts)


def time_core(core: Core, filling: Sequence[Batch], timed: Sequence[Batch]) -> float:
    """Seconds of CPU for the same events, decoded and with every state in memory."""
    customers = Customers(core)
    for batch in filling:
        for fact in batch.facts:
            customers.take(fact)
    gc.collect()
    gc.freeze()
    begun = time.process_time()
    for batch in timed:
        for fact in batch.facts:
            customers.take(fact)
    used = time.process_time() - begun
    gc.unfreeze()
    return used


if __name__ == "__main__":
    main()
