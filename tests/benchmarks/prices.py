"""List prices of us-east-1 in dollars, as published in 2026, and what a use of AWS costs by them.

DynamoDB on demand, standard table class; Lambda on arm64, first tier; no free tier is taken off. Lambda reads
DynamoDB streams for nothing, and EventBridge delivers to a queue of the same account for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

MILLION = 1_000_000
GIGABYTE = 1024**3

BUS_EVENT = 1.00 / MILLION
QUEUE_REQUEST = 0.40 / MILLION
WRITE_UNIT = 0.625 / MILLION
READ_UNIT = 0.125 / MILLION
LAMBDA_REQUEST = 0.20 / MILLION
LAMBDA_GIGABYTE_SECOND = 0.0000133334
LOG_BYTE = 0.50 / GIGABYTE

SECONDS_A_CALL = 0.010
"""What one AWS call is taken to add to a function's billed time: about 5 ms until DynamoDB answers, and as much for
the SDK's own work on the third of a processor that 512 MB give. It cannot be measured here."""


@dataclass(slots=True)
class Use:
    """What was used, for so many events; units are request units."""

    events: int = 0
    bus_events: int = 0
    queue_requests: int = 0
    write_units: float = 0
    read_units: float = 0
    invocations: int = 0
    calls: int = 0
    gigabyte_seconds: float = 0
    log_bytes: int = 0

    def dollars_a_million(self) -> float:
        """What a million such events cost."""
        total = (
            self.bus_events * BUS_EVENT
            + self.queue_requests * QUEUE_REQUEST
            + self.write_units * WRITE_UNIT
            + self.read_units * READ_UNIT
            + self.invocations * LAMBDA_REQUEST
            + self.gigabyte_seconds * LAMBDA_GIGABYTE_SECOND
            + self.log_bytes * LOG_BYTE
        )
        return total / self.events * MILLION


def write_units(old_bytes: int, new_bytes: int) -> int:
    """Of one put, update or delete outside a transaction: the larger of the two, in whole KB."""
    return max(1, -(-max(old_bytes, new_bytes) // 1024))


def read_units(item_bytes: int, *, consistent: bool) -> float:
    """Of one item, or of all items of a query's page together, in steps of 4 KB."""
    return max(1, -(-item_bytes // 4096)) * (1 if consistent else 0.5)
