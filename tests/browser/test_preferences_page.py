"""The customer's page as people meet it: on a phone and at a desk, by day and by night, by keyboard, scriptless.

The browser asks nobody: each of its requests is answered by the function in a local cloud.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route

from foreword.domain.preference_links import LinkPurpose
from foreword.local.cloud import LocalCloud
from tests.browser.test_report_page import CONTRASTS
from tests.fakes.links import link_in

Scheme = Literal["light", "dark"]
SCREENS: list[tuple[int, Scheme]] = [(390, "light"), (1280, "dark")]
LOOKS = [(width, scheme) for width in (320, 1280) for scheme in ("light", "dark")]
PROFILE = {"email": "ada@example.com", "phone": "+4915112345678", "name": "Ada"}


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(at="2026-03-02T09:00:00Z") as cloud:
        cloud.emit("CustomerUpdated", "c-42", PROFILE, source="crm")
        yield cloud


@dataclass
class Visit:
    cloud: LocalCloud
    page: Page
    complaints: list[str]

    def open(self, purpose: LinkPurpose, about: str = "") -> None:
        self.page.goto(link_in(self.cloud, purpose, "c-42", about))

    def is_wanted(self, topic: str, channel: str) -> bool:
        return self.page.locator(f'input[name=on][value="{topic}/{channel}"]').is_checked()


def visiting(cloud: LocalCloud, context: BrowserContext) -> Visit:
    complaints: list[str] = []

    def answer(route: Route) -> None:
        asked = route.request
        parts = urlsplit(asked.url)
        if parts.path == "/favicon.ico":
            route.fulfill(status=404)
            return
        response = cloud.request(
            asked.method,
            asked.url,
            headers=asked.headers,
            body=asked.post_data_buffer or b"",
        )
        route.fulfill(status=response.status, headers=dict(response.headers), body=response.body)

    context.route("**/*", answer)
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    return Visit(cloud, page, complaints)


@pytest.fixture(params=SCREENS, ids=lambda value: f"{value[0]}-{value[1]}")
def visit(request: pytest.FixtureRequest, browser: Browser, cloud: LocalCloud) -> Iterator[Visit]:
    """Script is off, and cookies come to nothing, on every screen."""
    width, scheme = request.param
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=False, locale="en"
    )
    visit = visiting(cloud, context)
    yield visit
    assert not visit.complaints
    assert context.cookies() == []
    context.close()


def test_boxes_are_unchecked_and_saved(visit: Visit) -> None:
    visit.open(LinkPurpose.PREFERENCES)
    assert visit.is_wanted("care", "email")
    assert not visit.is_wanted("advice", "email")
    visit.page.get_by_role("group", name="Help when something went wrong").get_by_label("E-mail").uncheck()
    visit.page.get_by_label("How often at most").select_option("1 a week")
    visit.page.get_by_role("button", name="Save choices").click()
    assert visit.page.get_by_role("status").inner_text() == "Your choices are saved."
    assert not visit.is_wanted("care", "email")
    assert visit.is_wanted("care", "sms")
    assert visit.page.get_by_label("How often at most").input_value() == "1/7d"


def test_an_opt_in_waits_for_its_confirmation_which_the_mail_brings(visit: Visit) -> None:
    visit.open(LinkPurpose.PREFERENCES)
    visit.page.get_by_role("group", name="Advice and offers").get_by_label("E-mail").check()
    visit.page.get_by_role("button", name="Save choices").click()
    assert "waiting for your confirmation" in visit.page.content()
    (mail,) = visit.cloud.sent_to("ada@example.com")
    visit.page.goto(next(line for line in mail.text.splitlines() if line.startswith("https://")))
    assert visit.page.get_by_role("listitem").all_inner_texts() == ["Advice and offers (E-mail)"]
    visit.page.get_by_role("button", name="Yes, write to me").click()
    assert visit.page.get_by_role("heading").inner_text() == "Thank you"
    visit.open(LinkPurpose.PREFERENCES)
    assert "waiting for your confirmation" not in visit.page.content()
    assert visit.is_wanted("advice", "email")


def test_a_pause_says_until_when_and_can_be_ended(visit: Visit) -> None:
    visit.open(LinkPurpose.PREFERENCES)
    visit.page.get_by_role("button", name="Pause for 30 days").click()
    assert "Paused until April 1, 2026." in visit.page.content()
    visit.page.get_by_role("button", name="End the pause now").click()
    assert visit.page.get_by_role("button", name="Pause for 30 days").is_visible()


def test_everything_is_stopped_at_once(visit: Visit) -> None:
    visit.open(LinkPurpose.PREFERENCES)
    visit.page.get_by_role("button", name="Stop all messages").click()
    assert "You receive no messages at present." in visit.page.content()
    assert visit.page.locator("input[type=checkbox]:checked").count() == 0


def test_a_link_scanner_sees_a_button_and_changes_nothing(visit: Visit) -> None:
    visit.open(LinkPurpose.UNSUBSCRIBE, "care")
    assert not visit.cloud.table("consents")
    visit.page.get_by_role("button", name="Unsubscribe").click()
    assert visit.page.get_by_role("heading").inner_text() == "You are unsubscribed"
    assert visit.cloud.table("consents")


def test_everything_is_reached_and_done_by_keyboard(visit: Visit) -> None:
    visit.open(LinkPurpose.PREFERENCES)
    keyboard = visit.page.keyboard
    keyboard.press("Tab")
    keyboard.press("Space")
    advice = visit.page.locator('input[value="advice/email"]')
    assert advice.is_checked()
    keyboard.press("Space")
    stops = 1
    while visit.page.locator("button:focus").count() == 0:
        keyboard.press("Tab")
        stops += 1
        assert stops < 40
    keyboard.press("Enter")
    assert visit.page.locator("[role=status]:focus").inner_text() == "There was nothing left to change."


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
@pytest.mark.parametrize("purpose", list(LinkPurpose))
def test_nothing_is_too_wide_too_faint_or_too_small_to_touch(
    browser: Browser, cloud: LocalCloud, width: int, scheme: Scheme, purpose: LinkPurpose
) -> None:
    """Script is on, to measure; the page has none of its own."""
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True, locale="en"
    )
    visit = visiting(cloud, context)
    visit.open(LinkPurpose.PREFERENCES)
    visit.page.get_by_role("group", name="Advice and offers").get_by_label("E-mail").check()
    visit.page.get_by_role("button", name="Save choices").click()
    if purpose is not LinkPurpose.PREFERENCES:
        visit.open(purpose, "email" if purpose is LinkPurpose.CONFIRM else "care")
    assert visit.page.evaluate("document.documentElement.scrollWidth") == width
    assert visit.page.locator("script").count() == 0
    found = visit.page.evaluate(CONTRASTS.replace("...drawn.map", "3, ...drawn.map"))
    assert found["words"] >= 4.5
    assert found["small"] >= 13
    for control in visit.page.locator("button, select, .box").all():
        box = control.bounding_box()
        assert box is not None
        assert box["height"] >= 44
    context.close()


@pytest.mark.parametrize(
    ("locale", "asked", "language"),
    [("de-AT", "en", "de"), ("ar", "de-CH,de;q=0.9", "de"), (None, "fr, en;q=0.5", "en"), (None, "", "en")],
)
def test_the_page_speaks_the_language_of_the_profile_then_that_of_the_browser(
    cloud: LocalCloud, locale: str | None, asked: str, language: str
) -> None:
    if locale is not None:
        cloud.emit("CustomerUpdated", "c-42", {"locale": locale}, source="crm")
    url = link_in(cloud, LinkPurpose.PREFERENCES, "c-42")
    response = cloud.request("GET", url, headers={"Accept-Language": asked})
    assert f'<html lang="{language}" dir="ltr">' in response.body
