"""What a demo leaves of its tables, so that its customers can be asked about when its cloud is gone.

One JSON object a line: the end of its clock, then the items of each table as the DynamoDB client gives them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from foreword.adapters.consents_table import CURRENT, consents_from_item
from foreword.adapters.customers_table import PROFILE, profile_from_item
from foreword.adapters.ledger_items import LEDGER, ledger_from_item
from foreword.adapters.message_items import message_from_item
from foreword.cli.failures import CannotRun
from foreword.contracts.activity_items import fact_of
from foreword.domain.instants import Instant, format_instant, parse_instant, to_instant
from foreword.explaining.customer import Customer

if TYPE_CHECKING:
    from foreword.local.cloud import LocalCloud

DEMO = "demo"
"""By which a demo's records are asked for in place of a stage."""

LEFT_IN = Path("foreword-demo")
FILE = "records.jsonl"
TABLES = ("activity", "customers", "messages", "consents")

Items: TypeAlias = Mapping[str, list[dict[str, Any]]]


def leave_records(cloud: LocalCloud, out: Path) -> None:
    """Raises CannotRun where they cannot be written."""
    lines: list[dict[str, Any]] = [{"ended_at": format_instant(to_instant(cloud.now))}]
    lines += [{"table": table, "item": item} for table in TABLES for item in cloud.typed_table(table)]
    try:
        (out / FILE).write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    except OSError as error:
        raise CannotRun(f"{error.filename}: cannot be written: {error.strerror}") from None


class DemoRecords:
    """Of the demo that left its records in `out`; raises CannotRun where there are none that can be read."""

    def __init__(self, out: Path) -> None:
        self._path = out / FILE
        try:
            lines = [json.loads(line) for line in self._path.read_text(encoding="utf-8").splitlines()]
            self.ended_at: Instant = parse_instant(lines[0]["ended_at"])
            self._items: Items = {
                table: [line["item"] for line in lines[1:] if line["table"] == table] for table in TABLES
            }
        except FileNotFoundError:
            raise CannotRun(
                f"{self._path}: no demo has left its records there; run `foreword demo`"
            ) from None
        except OSError as error:
            raise CannotRun(f"{self._path}: cannot be read: {error.strerror}") from None
        except (ValueError, LookupError, TypeError):
            raise CannotRun(f"{self._path}: not the records of a demo; run `foreword demo`") from None

    def customers(self) -> list[str]:
        return sorted({item["customer_id"]["S"] for items in self._items.values() for item in items})

    def customer(self, customer_id: str) -> Customer:
        """Raises CannotRun where an item cannot be read."""
        profile = next(
            (item for item in self._of("customers", customer_id) if item["item"]["S"] == PROFILE), None
        )
        consents = next(
            (item for item in self._of("consents", customer_id) if item["item"]["S"] == CURRENT), None
        )
        ledger = next(
            (item for item in self._of("messages", customer_id) if item["message_id"]["S"] == LEDGER), None
        )
        try:
            return Customer(
                customer_id,
                [fact_of(item) for item in self._of("activity", customer_id)],
                profile_from_item(profile, customer_id),
                [
                    message_from_item(item)
                    for item in self._of("messages", customer_id)
                    if item["message_id"]["S"] != LEDGER
                ],
                consents_from_item(consents, customer_id),
                ledger_from_item(ledger, customer_id),
            )
        except (KeyError, ValueError):
            raise CannotRun(f"{self._path}: not the records of this release's demo; run it again") from None

    def items(self, customer_id: str) -> dict[str, list[dict[str, Any]]]:
        """All there is of the customer, by table, as the DynamoDB client gives it."""
        return {table: list(self._of(table, customer_id)) for table in TABLES}

    def _of(self, table: str, customer_id: str) -> Iterator[dict[str, Any]]:
        return (item for item in self._items[table] if item["customer_id"]["S"] == customer_id)
