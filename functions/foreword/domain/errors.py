"""Every error Foreword raises on purpose.

ForewordError
├── InvalidEvent        an event a producer must mend: quarantined with its reason
├── CustomerErased      an event of a customer who was erased: refused, counted, and kept nowhere
├── InvalidRulebook     a document an author must mend: carries file, line, column
├── ConditionError      a condition that ends in an error: it counts as false (rules.md, Conditions)
├── NeedsJournal        the state alone cannot tell: the journal must be read
├── NewerState          a state that only later code can read: the facts have to come again
├── StoreConflict       somebody else wrote first: read again and decide anew
├── PageGone            a provider's list cannot be read on from where it was left: it begins anew
├── StoreUnavailable    a store did not answer for everything asked: nothing may be decided from the rest
├── EventsNotAccepted   the bus refused some events for good: they are put again on redelivery
└── InvalidTemplate     a message that does not render: a reasoned outcome on that message alone
"""

from __future__ import annotations


class ForewordError(Exception):
    """The root of the tree above."""


class InvalidEvent(ForewordError):
    """An event that cannot be accepted.

    `reason` is one of `QuarantineReason`; `detail` says it to the producer in a sentence.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class CustomerErased(ForewordError):
    """The customer's profile bears the mark of an erasure."""


class InvalidRulebook(ForewordError):
    """A document that is refused, with the place to look at: `line` and `column` count from 1."""

    def __init__(self, message: str, *, file: str, line: int = 1, column: int = 1) -> None:
        super().__init__(f"{file}:{line}:{column}: {message}")
        self.message = message
        self.file = file
        self.line = line
        self.column = column


class ConditionError(ForewordError):
    """A condition met a missing field, an undefined signal or a value of the wrong type."""


class NeedsJournal(ForewordError):
    """The folded state cannot answer exactly; the caller reads the journal and folds again."""


class NewerState(ForewordError):
    """A deployment is under way, and the customer was folded by the code that comes."""


class StoreConflict(ForewordError):
    """A conditional write lost: the item changed since it was read."""


class PageGone(ForewordError):
    """The provider does not know the page any more."""


class StoreUnavailable(ForewordError):
    """A read came back incomplete; what is missing must not be taken for absent."""


class EventsNotAccepted(ForewordError):
    """`ids` are those of the events that are not on the bus."""

    def __init__(self, ids: frozenset[str]) -> None:
        super().__init__(f"{len(ids)} events were not accepted by the bus")
        self.ids = ids


class InvalidTemplate(ForewordError):
    """A template that cannot be rendered with this message's values."""
