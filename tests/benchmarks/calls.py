"""AWS calls and request units for an event, counted in the local cloud, and what a million events cost by them.

The customers are known already, their events come in order, and nothing fires: the steady state. `g` is how many
events of one customer come together.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from itertools import cycle, islice
from typing import Any

from foreword.domain.instants import format_instant, to_instant
from foreword.local.calls import Call, Proceed, watched
from foreword.local.cloud import LocalCloud
from foreword.local.items import plain
from foreword.local.records import Invocation, TableChange
from foreword.local.tables import DUE_INDEX
from tests.benchmarks import prices
from tests.benchmarks.prices import Use
from tests.benchmarks.results import Row, Section, judged
from tests.benchmarks.settings import Settings

TITLE = "AWS calls and request units for an event, by the local cloud"
MOST_DOLLARS = {1: 3.00, 10: 2.40}
BATCH = 10
"""As many messages a batch of the queue holds."""

TRANSACTIONAL = 2
GIGABYTES = 0.5
WARMING_ROUNDS = 3


def run(settings: Settings, say: Callable[[str], None]) -> Section:
    rows: list[Row] = []
    for together, most in MOST_DOLLARS.items():
        say(f"g = {together}")
        use = count(together, settings.calls)
        rows += _rows(use, together, most)
    return Section("calls", TITLE, rows)


def count(together: int, events: int) -> Use:
    """Of `events` events, `together` of each customer at a time; raises RuntimeError where something fired."""
    use = Use()
    customers = [f"c-{number:03}" for number in range(max(1, BATCH // together) * 4)]
    with LocalCloud() as cloud:
        happenings = {customer: cycle(_quiet_life(customer)) for customer in customers}
        turns = cycle(customers)
        for number in range(WARMING_ROUNDS * 4 + events // BATCH):
            if number % 4 == 0:
                cloud.advance(by=timedelta(days=4))
                # What an instance reads once a minute, whatever comes (who was erased), is no event's.
                cloud.put_events([_entry(cloud, "c-first", str(number), *_quiet_life("c-first")[0])])
            chosen = list(islice(turns, BATCH // together))
            entries = [
                _entry(cloud, customer, f"{number}-{place}", *next(happenings[customer]))
                for customer in chosen
                for place in range(together)
            ]
            if number < WARMING_ROUNDS * 4:
                cloud.put_events(entries)
                continue
            with metered(cloud, use):
                cloud.put_events(entries)
            use.events += len(entries)
        if cloud.messages or cloud.quarantined or cloud.dead_letters:
            raise RuntimeError("the events meant to be quiet were not")
    return use


@contextmanager
def metered(cloud: LocalCloud, use: Use) -> Iterator[None]:
    """Add what the cloud uses inside to `use`."""

    def watch(call: Call, proceed: Proceed) -> Any:
        before = len(cloud.timeline)
        answer = proceed()
        if call.service == "dynamodb":
            factor = TRANSACTIONAL if call.operation.startswith("Transact") else 1
            for record in cloud.timeline[before:]:
                if isinstance(record, TableChange):
                    use.write_units += factor * _units_of(record)
            use.read_units += factor * _read_units(call, json.loads(answer.content))
        return answer

    timeline, bus_events = len(cloud.timeline), len(cloud.bus_events)
    with watched(watch):
        yield
    for record in cloud.timeline[timeline:]:
        if isinstance(record, Invocation):
            use.invocations += 1
            use.calls += len(record.aws_calls)
            use.gigabyte_seconds += len(record.aws_calls) * prices.SECONDS_A_CALL * GIGABYTES
            use.log_bytes += len(record.logs.encode())
            if record.function == "record_activity":
                use.queue_requests += 2  # one receives the batch, one deletes it
    use.bus_events += len(cloud.bus_events) - bus_events
    use.queue_requests += len(cloud.bus_events) - bus_events  # the bus sends each to the queue by itself


def _entry(
    cloud: LocalCloud, customer: str, id: str, source: str, kind: str, data: Mapping[str, Any]
) -> dict[str, str]:
    detail = {
        "id": f"{customer}/{id}",
        "customer_id": customer,
        "occurred_at": format_instant(to_instant(cloud.now)),
        "data": data,
    }
    return {"Source": source, "DetailType": kind, "Detail": json.dumps(detail)}


def _quiet_life(customer: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Ten events of one customer that fire nothing, however often they come round with days in between."""
    order = ("shop", "OrderPlaced", {"order_id": f"{customer}/order", "amount": 0.49, "currency": "EUR"})
    value = ("custody", "PortfolioValued", {"value": 10_250.75, "currency": "EUR", "portfolio_id": "p-1"})
    return [
        order,
        value,
        ("support", "SupportContactOpened", {"channel": "phone", "ticket_id": f"{customer}/ticket"}),
        order,
        value,
        order,
        ("clinic", "AppointmentBooked", {"appointment_id": f"{customer}/appointment"}),
        order,
        value,
        ("shop", "OrderReturned", {"order_id": f"{customer}/order", "amount": 0.49}),
    ]


def _units_of(change: TableChange) -> int:
    """Write units of one change: the item's own, and those of its entry in the sparse index of deadlines."""
    old, new = change.old or {}, change.new or {}
    units = prices.write_units(item_bytes(old), item_bytes(new))
    before, after = _index_key(old), _index_key(new)
    if before != after:
        units += (before is not None) + (after is not None)
    return units


def _index_key(item: Mapping[str, Any]) -> tuple[str, str] | None:
    shard, at = item.get(f"{DUE_INDEX}_shard"), item.get(f"{DUE_INDEX}_at")
    return None if shard is None or at is None else (shard, at)


def _read_units(call: Call, answer: Mapping[str, Any]) -> float:
    body = call.request.body
    request = json.loads(body.decode() if isinstance(body, bytes) else str(body))
    match call.operation:
        case "GetItem":
            size = item_bytes(plain(answer.get("Item", {})))
            return prices.read_units(size, consistent=request.get("ConsistentRead", False))
        case "Query":
            size = sum(item_bytes(plain(item)) for item in answer["Items"])
            return prices.read_units(size, consistent=request.get("ConsistentRead", False))
        case "BatchGetItem":
            units = 0.0
            for table, asked in request["RequestItems"].items():
                found = [item_bytes(plain(item)) for item in answer["Responses"].get(table, [])]
                found += [0] * (len(asked["Keys"]) - len(found))
                consistent = asked.get("ConsistentRead", False)
                units += sum(prices.read_units(size, consistent=consistent) for size in found)
            return units
        case "TransactGetItems":
            sizes = [item_bytes(plain(one.get("Item", {}))) for one in answer["Responses"]]
            return sum(prices.read_units(size, consistent=True) for size in sizes)
        case _:
            return 0


def item_bytes(item: Mapping[str, Any]) -> int:
    """DynamoDB's size of an item: names and values, as its developer guide counts them."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Any) -> int:
    match value:
        case None | bool():
            return 1
        case str():
            return len(value.encode())
        case int() | Decimal():
            return (len(str(value).strip("-").replace(".", "")) + 1) // 2 + 1
        case Mapping():
            return 3 + sum(len(name.encode()) + _value_bytes(one) + 1 for name, one in value.items())
        case bytes():
            return len(value)
        case _:
            return 3 + sum(1 + _value_bytes(one) for one in value)


def _rows(use: Use, together: int, most: float) -> Iterator[Row]:
    name = f"g = {together}"

    def a_event(amount: float) -> str:
        return f"{amount / use.events:.2f}"

    writes = use.write_units / use.events
    most_writes = 1 + 1 / together
    yield Row(
        f"write units, {name}",
        "an event",
        {"": a_event(use.write_units)},
        f"≤ {most_writes:g}",
        judged(writes, at_most=most_writes),
        numbers={"write_units": writes},
    )
    yield Row(
        f"read units, {name}",
        "an event",
        {"": a_event(use.read_units)},
        "0",
        judged(use.read_units, at_most=0),
        numbers={"read_units": use.read_units / use.events},
    )
    yield Row(
        f"AWS calls of the functions, {name}",
        "an event",
        {"": a_event(use.calls)},
        f"≤ {most_writes:g}",
        judged(use.calls / use.events, at_most=most_writes),
        numbers={"calls": use.calls / use.events},
    )
    dollars = use.dollars_a_million()
    yield Row(
        f"list price of a million events, {name}",
        "dollars",
        {"": f"{dollars:.2f}"},
        f"≤ {most:.2f}",
        judged(dollars, at_most=most),
        "1.00 of it the bus's own",
        {"dollars": dollars},
    )
