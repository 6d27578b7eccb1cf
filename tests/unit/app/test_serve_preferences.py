"""Looking changes nothing, closing always gets through, opening waits to be confirmed; whatever dies in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from foreword.app.serve_preferences import Answer, PageRequest, ServePreferences
from foreword.domain.consent import Consents, allows
from foreword.domain.errors import EventsNotAccepted, StoreConflict
from foreword.domain.facts import FOREWORD, Fact
from foreword.domain.instants import DAY, HOUR, MINUTE
from foreword.domain.outgoing import OutgoingEvent
from foreword.domain.preference_links import CONFIRM_WITHIN, Link, LinkPurpose, LinkSigner
from foreword.domain.preference_page import Form, Topic
from foreword.domain.rulebook import Channel, Policy, Purpose
from tests.fakes.choosing import FakeChoices
from tests.fakes.customers import FakeClock
from tests.fakes.delivery import FakeBus
from tests.fakes.samples import CUSTOMER, NOON, a_change, a_profile

CARE = Topic(
    "care", {"en": "Care", "de": "Hilfe"}, (Channel.EMAIL, Channel.SMS), frozenset({Purpose.SERVICE})
)
OFFERS = Topic("offers", {}, (Channel.EMAIL, Channel.SMS), frozenset({Purpose.MARKETING}))
SIGNER = LinkSigner({1: b"k" * 64})
MESSAGE = "0123456789abcdef" * 2
POLICY = Policy(default_timezone="Europe/Berlin")
ALL = {(topic, channel): topic == "care" for topic in ("care", "offers") for channel in ("email", "sms")}
EVERY_BOX = frozenset(ALL)
UNTOUCHED = frozenset(key for key, on in ALL.items() if on)


@dataclass
class Site:
    """`ServePreferences` with the world in memory."""

    choices: FakeChoices = field(default_factory=FakeChoices)
    bus: FakeBus = field(default_factory=FakeBus)
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOON))

    def __post_init__(self) -> None:
        self.choices.profiles[CUSTOMER] = a_profile()
        self.serve = ServePreferences(
            customers=self.choices,
            journal=self.choices,
            bus=self.bus,
            signer=lambda: SIGNER,
            base_url="https://links.example",
            topics=(CARE, OFFERS),
            policy=POLICY,
            clock=self.clock,
        )

    def token(self, purpose: LinkPurpose, about: str = "") -> str:
        return SIGNER.token(Link(purpose, CUSTOMER, MESSAGE, NOON, about))

    def look(self, purpose: LinkPurpose, about: str = "") -> Answer:
        return self.serve(PageRequest(purpose, self.token(purpose, about), writes=False))

    def send(self, purpose: LinkPurpose, about: str = "", form: Form | None = None) -> Answer:
        return self.serve(PageRequest(purpose, self.token(purpose, about), True, form or Form()))

    def unsubscribe(self) -> Answer:
        return self.send(LinkPurpose.UNSUBSCRIBE, "care")

    def save(self, *, on: frozenset[tuple[str, str]], **changes: object) -> Answer:
        form = Form("save", self.consents.version, ALL, on, **changes)  # type: ignore[arg-type]
        return self.send(LinkPurpose.PREFERENCES, form=form)

    def press(self, action: str) -> Answer:
        return self.send(LinkPurpose.PREFERENCES, form=Form(action, self.consents.version))

    def confirm(self, channel: Channel = Channel.EMAIL) -> Answer:
        shown = {("offers", "email"): False, ("offers", "sms"): False}
        return self.send(LinkPurpose.CONFIRM, channel, Form("confirm", shown=shown))

    @property
    def consents(self) -> Consents:
        return self.choices.read(CUSTOMER)[1]

    def may(self, topic: Topic, channel: Channel = Channel.EMAIL) -> bool:
        (purpose,) = topic.purposes
        return allows(self.consents, POLICY, purpose, topic.name, channel)

    @property
    def told(self) -> list[str]:
        return [event.type for event in self.bus.events]


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.mark.parametrize(
    ("purpose", "about"),
    [(LinkPurpose.PREFERENCES, ""), (LinkPurpose.UNSUBSCRIBE, "care"), (LinkPurpose.CONFIRM, "email")],
)
def test_looking_changes_nothing(site: Site, purpose: LinkPurpose, about: str) -> None:
    before = site.consents
    assert site.look(purpose, about).shows.status == 200
    assert site.consents is not None
    assert (site.consents, site.bus.events, site.choices.facts) == (before, [], {})


def test_one_click_opts_out_of_the_topic_on_every_channel_and_the_bus_is_told(site: Site) -> None:
    answer = site.unsubscribe()
    assert (answer.changed, answer.told, answer.shows.name) == (True, True, "unsubscribed")
    assert not site.may(CARE)
    assert not site.may(CARE, Channel.SMS)
    ((key, fact),) = site.choices.facts.items()
    assert key.startswith(f"{FOREWORD}#{MESSAGE}/one-click/")
    assert fact.data == {
        "choices": [{"topic": "care", "channel": "any", "choice": "out"}],
        "via": "one-click",
    }
    (event,) = site.bus.events
    assert (event.id, event.data, event.occurred_at) == (fact.id, fact.data, fact.occurred_at)


def test_the_same_request_again_changes_nothing_new(site: Site) -> None:
    site.unsubscribe()
    site.clock.instant += HOUR
    assert not site.unsubscribe().changed
    assert len(site.choices.facts) == len(site.bus.events) == 1


def test_who_came_back_may_leave_again_by_the_same_link(site: Site) -> None:
    site.unsubscribe()
    site.clock.instant += HOUR
    site.choices.add(a_change(site.clock.instant, topic="care", channel="email", choice="in"))
    assert site.may(CARE)
    site.clock.instant += HOUR
    assert site.unsubscribe().changed
    assert not site.may(CARE)


def test_an_opt_out_wins_over_what_another_clock_dates_ahead_of_ours(site: Site) -> None:
    site.choices.add(a_change(NOON + 4 * MINUTE, topic="care", channel="email", choice="in"))
    site.unsubscribe()
    assert not site.may(CARE)


def test_an_opt_in_that_comes_in_between_is_looked_at_again(site: Site) -> None:
    def first() -> None:
        site.choices.before_add = lambda: None
        site.choices.add(a_change(NOON + MINUTE, topic="care", channel="sms", choice="in"))

    site.choices.before_add = first
    assert site.unsubscribe().changed
    assert not site.may(CARE, Channel.SMS)


def test_an_opt_out_that_never_gets_through_is_not_said_to_have_been_saved(site: Site) -> None:
    times = iter(range(1, 100))

    def always() -> None:
        fact = a_change(NOON + next(times) * MINUTE, topic="care", channel="sms", choice="in")
        _, consents = site.choices.read(CUSTOMER)
        site.choices.consents[CUSTOMER] = replace(consents.merge(fact), version=consents.version + 1)

    site.choices.before_add = always
    with pytest.raises(StoreConflict):
        site.unsubscribe()


def test_only_boxes_that_were_touched_are_changed(site: Site) -> None:
    answer = site.save(on=frozenset({("care", "sms")}))
    assert answer.changed
    assert (site.may(CARE), site.may(CARE, Channel.SMS)) == (False, True)
    assert list(site.consents.choices) == [("care", "email")]
    assert answer.shows.values["done"] == "save"


def test_a_form_that_changes_nothing_leaves_no_trace(site: Site) -> None:
    answer = site.save(on=UNTOUCHED)
    assert (answer.changed, answer.shows.values["done"]) == (False, "nothing")
    assert not site.choices.facts


def test_opting_in_to_service_again_needs_no_confirmation(site: Site) -> None:
    site.unsubscribe()
    shown = {**ALL, ("care", "email"): False, ("care", "sms"): False}
    form = Form("save", site.consents.version, shown, frozenset({("care", "email")}))
    site.clock.instant += HOUR
    site.send(LinkPurpose.PREFERENCES, form=form)
    assert (site.may(CARE), site.may(CARE, Channel.SMS)) == (True, False)
    assert "ConfirmationRequested" not in site.told


def test_opting_in_to_marketing_is_asked_back_on_each_channel(site: Site) -> None:
    site.save(on=EVERY_BOX)
    assert not site.may(OFFERS)
    assert site.told == ["PreferenceChanged", "ConfirmationRequested", "ConfirmationRequested"]
    asked = [event.data for event in site.bus.events[1:]]
    assert [one["channel"] for one in asked] == ["email", "sms"]
    assert {one["topics"] for one in asked} == {"Offers"}
    token = asked[0]["confirm_url"].removeprefix("https://links.example/c/")
    link = SIGNER.read(token, LinkPurpose.CONFIRM, NOON)
    assert link is not None
    assert (link.customer_id, link.about) == (CUSTOMER, "email")


def test_a_confirmation_is_for_the_channel_it_was_asked_on(site: Site) -> None:
    site.save(on=EVERY_BOX)
    site.clock.instant += HOUR
    assert site.look(LinkPurpose.CONFIRM, "email").shows.name == "confirm"
    assert site.confirm().changed
    assert (site.may(OFFERS), site.may(OFFERS, Channel.SMS)) == (True, False)
    assert not site.confirm().changed
    assert site.look(LinkPurpose.CONFIRM, "email").shows.name == "confirmed"
    site.confirm(Channel.SMS)
    assert site.may(OFFERS, Channel.SMS)


def test_only_what_was_shown_is_confirmed(site: Site) -> None:
    site.save(on=EVERY_BOX)
    assert not site.send(LinkPurpose.CONFIRM, "email", Form("confirm")).changed
    assert not site.may(OFFERS)


def test_a_confirmation_that_comes_after_an_opt_out_confirms_nothing(site: Site) -> None:
    site.save(on=EVERY_BOX)
    site.clock.instant += HOUR
    site.press("stop")
    site.clock.instant += HOUR
    assert not site.confirm().changed
    assert not site.may(OFFERS)


def test_a_confirmation_that_comes_too_late_is_no_link(site: Site) -> None:
    site.save(on=EVERY_BOX)
    site.clock.instant += CONFIRM_WITHIN + HOUR
    assert site.confirm().shows.status == 404


def test_everything_is_stopped_and_who_opts_in_again_is_still_asked_back(site: Site) -> None:
    site.press("stop")
    assert not any(site.may(topic, channel) for topic in (CARE, OFFERS) for channel in topic.channels)
    assert not allows(site.consents, POLICY, Purpose.CRITICAL, "confirmation", Channel.EMAIL)
    assert not site.press("stop").changed
    site.clock.instant += HOUR
    off = dict.fromkeys(ALL, False)
    form = Form("save", site.consents.version, off, frozenset({("offers", "email")}))
    site.send(LinkPurpose.PREFERENCES, form=form)
    assert allows(site.consents, POLICY, Purpose.CRITICAL, "confirmation", Channel.EMAIL)
    assert not allows(site.consents, POLICY, Purpose.CRITICAL, "confirmation", Channel.SMS)


def test_a_pause_begins_once_and_ends_when_asked_to(site: Site) -> None:
    assert site.press("pause").changed
    assert site.consents.paused_until == NOON + 30 * DAY
    assert not site.press("pause").changed
    assert site.press("resume").changed
    assert site.consents.paused_until is None


def test_how_often_and_on_which_channel_are_saved(site: Site) -> None:
    site.save(on=UNTOUCHED, limit="1/7d", preferred="sms")
    assert site.consents.at_most is not None
    assert (site.consents.at_most.count, site.consents.at_most.within) == (1, 7 * DAY)
    assert site.consents.preferred == (Channel.SMS,)
    site.save(on=UNTOUCHED, limit="1000/1d", preferred="fax")
    assert site.consents.at_most.count == 1
    site.save(on=UNTOUCHED)
    assert not site.consents.preferred
    assert not site.consents.at_most


def test_a_form_from_before_may_close_and_never_open(site: Site) -> None:
    """A browser that sends an old page once more must not undo a later opt-out."""
    old = Form("save", 0, {**ALL, ("care", "email"): False}, frozenset({("care", "email")}), "3/7d", "sms")
    site.unsubscribe()
    site.press("pause")
    assert not site.send(LinkPurpose.PREFERENCES, form=old).changed
    assert not site.send(LinkPurpose.PREFERENCES, form=Form("resume", 0)).changed
    assert not site.may(CARE)
    assert site.send(LinkPurpose.PREFERENCES, form=Form("stop", 0)).changed


@pytest.mark.parametrize("form", [Form(), Form("drop table"), Form("save", 7, {("x", "y"): True})])
def test_a_form_that_says_nothing_changes_nothing(site: Site, form: Form) -> None:
    assert not site.send(LinkPurpose.PREFERENCES, form=form).changed


def tokens_that_do_not_work(site: Site) -> list[str]:
    good = site.token(LinkPurpose.PREFERENCES)
    unknown_key = LinkSigner({9: b"k" * 64}).token(Link(LinkPurpose.PREFERENCES, CUSTOMER, MESSAGE, NOON))
    forged = LinkSigner({1: b"x" * 64}).token(Link(LinkPurpose.PREFERENCES, CUSTOMER, MESSAGE, NOON))
    erased = SIGNER.token(Link(LinkPurpose.PREFERENCES, "c-gone", MESSAGE, NOON))
    return [
        "",
        "x",
        "é",
        good[:-1],
        good + "A",
        unknown_key,
        forged,
        erased,
        site.token(LinkPurpose.UNSUBSCRIBE),
    ]


@pytest.mark.parametrize("writes", [False, True])
def test_every_link_that_does_not_work_gets_the_same_answer(site: Site, writes: bool) -> None:
    site.choices.profiles["c-gone"] = replace(a_profile("c-gone", locale="de"), erased=True)
    answers = [
        site.serve(PageRequest(LinkPurpose.PREFERENCES, token, writes, Form("stop"), ("en",)))
        for token in tokens_that_do_not_work(site)
    ]
    assert answers == [answers[0]] * len(answers)
    assert (answers[0].shows.name, answers[0].shows.status) == ("invalid", 404)
    assert not site.choices.facts
    assert not site.bus.events


# ---- what dies, and when


class Died(Exception):
    """The function was killed here."""


def dying() -> None:
    raise Died


def refuse_all(site: Site) -> None:
    def put(events: list[OutgoingEvent]) -> None:
        raise EventsNotAccepted(frozenset(event.id for event in events))

    site.bus.put = put  # type: ignore[method-assign, assignment]


def test_an_opt_out_does_not_wait_for_the_bus(site: Site) -> None:
    refuse_all(site)
    answer = site.unsubscribe()
    assert (answer.changed, answer.told) == (True, False)
    assert not site.may(CARE)


def test_an_opt_in_nobody_could_be_asked_about_is_not_saved(site: Site) -> None:
    refuse_all(site)
    with pytest.raises(EventsNotAccepted):
        site.save(on=EVERY_BOX)
    assert not site.choices.facts


@pytest.mark.parametrize("send", [Site.unsubscribe, lambda site: site.save(on=EVERY_BOX)])
def test_what_died_before_its_commit_is_committed_from_the_bus_under_the_same_id(
    site: Site, send: Callable[[Site], Answer]
) -> None:
    site.choices.before_add = dying
    with pytest.raises(Died):
        send(site)
    assert not site.choices.facts
    site.choices.before_add = lambda: None
    event = site.bus.events[0]
    told = Fact(FOREWORD, event.id, event.type, CUSTOMER, event.occurred_at, NOON + MINUTE, event.data)
    send(site)
    assert site.choices.add(told) is False
    assert site.choices.consents[CUSTOMER].version == 1
