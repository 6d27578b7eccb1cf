from __future__ import annotations

from dataclasses import replace

from foreword.app.announce_outcome import AnnounceOutcome
from foreword.app.deliver_message import Delivered
from foreword.app.handle_changes import Change, HandleChanges
from foreword.domain.messages import MessageStatus
from foreword.domain.outgoing import Outcome, OutgoingEvent
from tests.fakes.delivery import FakeBus
from tests.fakes.samples import NOON, a_message

SENT = Outcome("c-1", "m-1", "a-rule", "we-are-sorry", None, "email", MessageStatus.SENT, "SENT", NOON)
SKIPPED = replace(
    SENT, message_id="m-2", case="order-7", channel=None, status=MessageStatus.NOT_SENT, reason="NO_CONSENT"
)
UNKNOWN = replace(SENT, message_id="m-3", status=MessageStatus.UNKNOWN, reason="UNKNOWN_OUTCOME")


def nothing_to_do(customer_id: str, message_id: str) -> Delivered | None:
    return None


def ready(number: int) -> Change:
    return Change(str(number), f"c-{number}", f"m-{number}", None)


def ended(number: int, outcome: Outcome) -> Change:
    return Change(str(number), outcome.customer_id, outcome.message_id, outcome)


def test_outcomes_are_told_by_name_with_what_they_are_about() -> None:
    bus = FakeBus()
    assert AnnounceOutcome(bus)([SENT, SKIPPED, UNKNOWN]) == frozenset()
    about = {"rule": "a-rule", "message": "we-are-sorry"}
    assert bus.events == [
        OutgoingEvent(
            "MessageSent", "m-1/sent", "c-1", NOON, {"message_id": "m-1", **about, "channel": "email"}
        ),
        OutgoingEvent(
            "MessageSkipped",
            "m-2/skipped",
            "c-1",
            NOON,
            {"message_id": "m-2", **about, "case": "order-7", "reason": "NO_CONSENT"},
        ),
        OutgoingEvent(
            "MessageOutcomeUnknown",
            "m-3/unknown",
            "c-1",
            NOON,
            {"message_id": "m-3", **about, "channel": "email"},
        ),
    ]


def test_what_the_bus_refuses_comes_again_and_nothing_else() -> None:
    bus = FakeBus(refuses=frozenset({"m-2/skipped"}))
    handle = HandleChanges(nothing_to_do, AnnounceOutcome(bus))
    handled = handle([ended(1, SENT), ended(2, SKIPPED), ended(3, UNKNOWN)])
    assert handled.failed == {"2": "EventsNotAccepted"}
    assert handled.announced == [SENT, UNKNOWN]


def test_one_messages_failure_does_not_stop_its_neighbours() -> None:
    asked: list[str] = []

    def deliver(customer_id: str, message_id: str) -> Delivered | None:
        asked.append(message_id)
        if message_id == "m-2":
            raise TimeoutError
        return Delivered(a_message()) if message_id == "m-1" else None

    bus = FakeBus()
    handled = HandleChanges(deliver, AnnounceOutcome(bus))([ready(1), ready(2), ended(4, SENT), ready(3)])
    assert asked == ["m-1", "m-2", "m-3"]
    assert handled.failed == {"2": "TimeoutError"}
    assert (handled.delivered, handled.announced) == ([Delivered(a_message())], [SENT])


def test_a_batch_of_nothing_asks_nothing_of_the_bus() -> None:
    class NoBus:
        def put(self, events: object) -> None:
            raise AssertionError("asked")

    assert HandleChanges(nothing_to_do, AnnounceOutcome(NoBus()))([]).failed == {}
