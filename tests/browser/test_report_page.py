"""The report of `foreword backtest` on a phone and on a screen, by day and by night."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page

from foreword.backtest.page.report import report
from foreword.backtest.rulebook import read_rulebook
from foreword.backtest.summary import Subject
from tests.unit.backtest.support import COUNTED, EACH, event, rule, rulebook, run, write_lines

Scheme = Literal["light", "dark"]

LONG = "a-rule-with-a-name-that-is-longer-than-any-phone-is-wide-and-nobody-would-want-to-type"
CUSTOMER = "customer-" + "0123456789" * 11

PAGES = [(width, scheme) for width in (320, 360, 768, 1280) for scheme in ("light", "dark")]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with everything in it: many rules, long names, skips, a policy's gates, and a comparison."""
    folder = tmp_path_factory.mktemp("report")
    marketing = "{message: m, purpose: marketing, topic: care, channels: [email]}"
    rules = [
        COUNTED,
        EACH,
        rule(LONG, "contact: {each: Contact}", "contact", "re_eligible_after: 3d", send=marketing),
        *(EACH.replace("rule: each", f"rule: each-{letter}") for letter in "abcdefg"),
    ]
    directories = [rulebook(folder / "before", *rules), rulebook(folder / "after", EACH)]
    records = [
        event(
            f"2026-{month:02}-{day:02}T{9 + day % 9:02}:00:00Z", CUSTOMER if day % 5 == 0 else f"c-{day % 11}"
        )
        for month in range(1, 7)
        for day in range(1, 29)
        if (day * month) % 4
    ]
    (folder / "policy.yaml").write_text('quiet_hours: {from: "15:00", to: "09:00"}\n')
    events = write_lines(folder / "history.jsonl", records)
    found = run(directories[0], events, compare=directories[1], policy=folder / "policy.yaml")
    rulebooks = tuple(read_rulebook(directory, None) for directory in directories)
    names = ("rules/before/" + "deeply/nested/" * 6, "rules/after")
    path = folder / "report.html"
    path.write_text(
        report(Subject(names, rulebooks, "history.jsonl", "policy.yaml"), found.result), encoding="utf-8"
    )
    return path


@pytest.fixture(params=PAGES, ids=lambda value: f"{value[0]}-{value[1]}")
def page(request: pytest.FixtureRequest, browser: Browser, written: Path) -> Iterator[Page]:
    """Opened, with whatever it complained of or asked for in `complaints`."""
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request", lambda asked: complaints.append(asked.url) if not asked.url.startswith("file:") else None
    )
    page.goto(written.as_uri())
    yield page
    assert not complaints
    context.close()


def width_of(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


def test_nothing_is_wider_than_the_page(page: Page) -> None:
    assert page.viewport_size is not None
    page.evaluate("document.querySelectorAll('details').forEach(it => it.open = true)")
    assert width_of(page) == page.viewport_size["width"]


CONTRASTS = """
() => {
  const parse = text => text.match(/[0-9.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
  const behind = element => {
    for (let it = element; it; it = it.parentElement) {
      const colour = parse(getComputedStyle(it).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const words = [...document.querySelectorAll('main *')].filter(it => !it.closest('svg') &&
    [...it.childNodes].some(node => node.nodeType === 3 && node.textContent.trim()));
  const drawn = [...document.querySelectorAll('main rect:not(.empty)')];
  return {
    words: Math.min(...words.map(it => ratio(parse(getComputedStyle(it).color), behind(it)))),
    drawn: Math.min(...drawn.map(it => ratio(parse(getComputedStyle(it).fill), behind(it)))),
    small: Math.min(...words.map(it => parseFloat(getComputedStyle(it).fontSize))),
    counted: words.length + drawn.length,
  };
}
"""


def test_words_and_plots_stand_out_from_what_is_behind_them(page: Page) -> None:
    """By the figures of WCAG 2.2: 4.5 for words, 3 for what is drawn."""
    found: dict[str, Any] = page.evaluate(CONTRASTS)
    assert found["counted"] > 200
    assert found["words"] >= 4.5
    assert found["drawn"] >= 3
    assert found["small"] >= 13


def test_a_plot_fills_the_width_and_its_words_stay_readable(page: Page) -> None:
    plot = page.locator(".plot").first
    box, drawn = plot.bounding_box(), plot.locator("svg").bounding_box()
    assert box is not None
    assert drawn is not None
    assert page.viewport_size is not None
    assert drawn["width"] > 0.75 * min(page.viewport_size["width"], 1000)
    assert drawn["height"] > 150
    labels = [label.bounding_box() for label in plot.locator(".labels span").all()]
    assert len(labels) == 3
    for left, right in itertools.pairwise(labels):
        assert left is not None
        assert right is not None
        assert left["x"] + left["width"] < right["x"]


def test_a_table_is_unfolded_from_the_keyboard(page: Page) -> None:
    summary = page.locator("summary").first
    table = page.locator("details table").first
    assert not table.is_visible()
    summary.focus()
    page.keyboard.press("Enter")
    assert table.is_visible()


def test_the_page_follows_day_and_night(browser: Browser, written: Path) -> None:
    behind: dict[str, str] = {}
    schemes: list[Scheme] = ["light", "dark"]
    for scheme in schemes:
        context = browser.new_context(color_scheme=scheme)
        page = context.new_page()
        page.goto(written.as_uri())
        behind[scheme] = str(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        context.close()
    assert behind["light"] == "rgb(255, 255, 255)"
    assert behind["dark"] != behind["light"]
