"""The model of the whole policy and `Contacting`, asked the same and answering in the same terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from foreword.domain.consent import Consents
from foreword.domain.contacting import Contacting
from foreword.domain.core import Core
from foreword.domain.facts import Fact
from foreword.domain.messages import MessageStatus
from foreword.domain.profiles import Attribute, Profile
from foreword.domain.reached import Reached, reached
from foreword.domain.replay import once, replay
from foreword.domain.rulebook import Rulebook
from foreword.domain.state import BEGINNING
from tests.reference.contacting import Contacted, Person
from tests.reference.writing import CUSTOMER

ADDRESSES = {"email": "ada@example.com", "phone": "+4915112345678"}


class Came(NamedTuple):
    """What became of a rise; of its messages each (send, reason, channel, at, winner), at None while it waits."""

    rule: str
    case: str | None
    at: int
    reason: str | None
    messages: tuple[tuple[int, str, str | None, int | None, str | None], ...]


def model(
    rulebook: Rulebook, facts: Sequence[Fact], profile: Mapping[str, Any] | None, person: Person, more: int
) -> list[Came]:
    times = [fact.occurred_at for fact in facts]
    found = Contacted(rulebook, CUSTOMER, profile, list(facts), person, min(times), max(times) + more)
    firings = {(firing.rule.rule, firing.case, firing.at): firing for firing in found.firings}
    came = []
    for rule, case, at, reason in found.decisions:
        messages = [
            (
                note.index,
                str(note.reason or note.waits_for),
                note.place if note.sent else None,
                note.ended,
                note.winner,
            )
            for note in ([] if reason else firings[rule, case, at].notes)
        ]
        came.append(Came(rule, case, at, reason, tuple(messages)))
    return sorted(came, key=_in_order)


def core(
    rulebook: Rulebook, facts: Sequence[Fact], profile: Mapping[str, Any] | None, person: Person, more: int
) -> list[Came]:
    history = once(facts)
    compiled = Core(rulebook).as_live()
    contacting = Contacting(compiled, compiled.rulebook.policy, CUSTOMER, _reached(history, profile, person))
    end = max(fact.occurred_at for fact in facts) + more
    as_given = profile is not None
    replay(compiled, CUSTOMER, profile or {}, history, None, end, as_given=as_given, contacting=contacting)
    came = []
    for decision in contacting.decisions:
        sends = decision.sends if decision.reason is None else ()
        ended = [contacting.message(decision, send) for send in sends]
        messages = tuple(
            (
                send,
                str(message.reason),
                str(message.channel) if message.status is MessageStatus.SENT else None,
                message.closed_at,
                message.winner,
            )
            for send, message in zip(sends, ended, strict=True)
        )
        reason = None if decision.reason is None else str(decision.reason)
        came.append(Came(decision.rule, decision.case, decision.at, reason, messages))
    return sorted(came, key=_in_order)


def _reached(history: Sequence[Fact], given: Mapping[str, Any] | None, person: Person) -> Reached:
    told = {name: value for name, value in (given or {}).items() if name not in ADDRESSES}
    known = {**told, **{name: ADDRESSES[name] for name in person.addresses}}
    profile = Profile(CUSTOMER, {name: Attribute(value, BEGINNING) for name, value in known.items()})
    without = [
        fact._replace(data={name: value for name, value in fact.data.items() if name not in ADDRESSES})
        if fact.type == "CustomerUpdated"
        else fact
        for fact in history
    ]
    consents = Consents(CUSTOMER, suppressed=person.suppressed)
    return reached(profile, consents, without, as_given=given is not None)


def _in_order(came: Came) -> tuple[int, str, str]:
    return (came.at, came.rule, came.case or "")
