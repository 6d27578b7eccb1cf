"""The report page: what it tells, that all of it is escaped, and that it needs nothing from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from foreword.backtest.page import plots
from foreword.backtest.page.calendar import bins
from foreword.backtest.page.report import report
from foreword.backtest.rulebook import read_rulebook
from foreword.backtest.summary import Subject
from foreword.domain.instants import DAY, parse_instant
from tests.unit.backtest.support import COUNTED, EACH, Backtested, event, rule, rulebook, run, write_lines

HOSTILE = "<img/src=x/onerror=alert(1)>&'\""
"""Visible ASCII throughout: it may be a customer's id."""


class Page(HTMLParser):
    """What a browser would make of it: elements, their attributes, and the text that is to be seen."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "head" not in self.open:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.texts)


def page_of(
    found: Backtested, *directories: Path, events: str = "history.jsonl", policy: str | None = None
) -> str:
    rulebooks = tuple(read_rulebook(directory, None) for directory in directories)
    return report(Subject(tuple(map(str, directories)), rulebooks, events, policy), found.result)


def backtested(
    tmp_path: Path, *rules: str, compare: str | None = None, customer: str = "c-1"
) -> tuple[str, Page]:
    directories = [rulebook(tmp_path / "before", *rules)]
    if compare is not None:
        directories.append(rulebook(tmp_path / "after", compare))
    records = [event(f"2026-03-{day:02}T09:00:00Z", customer) for day in (1, 2, 12, 13)]
    records += [event("2026-03-03T09:00:00Z", "c-2")]
    events = write_lines(tmp_path / "history.jsonl", records)
    found = run(directories[0], events, compare=directories[1] if compare else None)
    text = page_of(found, *directories)
    return text, Page(text)


def test_the_page_tells_what_the_tables_tell(tmp_path: Path) -> None:
    _, page = backtested(tmp_path, COUNTED, EACH, compare=EACH)
    for told in (
        "5 events of 2 customers, 2026-03-01T09:00:00Z to 2026-03-13T09:00:00Z",
        "Without a policy",
        "From a rise to a message",
        "7 · 100 %",
        "6 · 86 %",
        "Fired per day",
        "Each rule",
        "It is a test.",
        "2 rises, 1 firings, 1 sent",
        "Held back",
        "NOT_RE_ELIGIBLE",
        "1 · 14 %",
        "Customers who would hear most",
        "c-2",
        "instead of",
        "no longer",
    ):
        assert told in page.text, told


def test_every_plot_has_a_title_and_a_table_beside_it(tmp_path: Path) -> None:
    _, page = backtested(tmp_path, COUNTED, EACH, compare=EACH)
    drawn = [
        attributes for tag, attributes in page.elements if tag == "svg" and "aria-hidden" not in attributes
    ]
    assert len(drawn) > 10
    assert all(one["role"] == "img" and one["aria-label"] for one in drawn)
    assert sum(tag == "table" for tag, _ in page.elements) == 7
    assert sum(tag == "h1" for tag, _ in page.elements) == 1
    assert ("html", {"lang": "en"}) in page.elements


def test_the_page_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    text, page = backtested(tmp_path, COUNTED, compare=EACH)
    tags = {tag for tag, _ in page.elements}
    assert not tags & {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "a",
        "base",
        "form",
        "video",
        "image",
        "use",
    }
    assert not re.search(r"url\(|@import|https?:|//", text.replace("<!doctype html>", ""))
    attributes = {name for _, found in page.elements for name in found}
    assert not {name for name in attributes if name.startswith("on") or name in ("src", "href", "style")}
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    assert ("meta", {"http-equiv": "Content-Security-Policy", "content": policy}) in page.elements


def test_everything_that_comes_from_elsewhere_is_escaped(tmp_path: Path) -> None:
    why = 'It is <b>bold</b> & "quoted".'
    each = EACH.replace("why: It is a test.", f"why: '{why}'")
    before, after = tmp_path / "<i>before</i>", tmp_path / "<u>after</u>"
    directories = [rulebook(before, each), rulebook(after, COUNTED)]
    events = write_lines(tmp_path / "history.jsonl", [event(customer=HOSTILE)])
    found = run(directories[0], events, compare=directories[1])
    text = page_of(found, *directories, events="<s>history</s>.jsonl", policy="<em>policy</em>.yaml")
    page = Page(text)
    assert not {tag for tag, _ in page.elements} & {"b", "i", "u", "s", "em", "img"} - {"b"}
    assert text.count("<b>") == 6  # the headline's figures
    for told in (
        HOSTILE,
        why,
        "<i>before</i>",
        "<u>after</u>",
        "<s>history</s>.jsonl",
        "<em>policy</em>.yaml",
    ):
        assert told in page.text
    assert all(
        HOSTILE in str(found["aria-label"])
        for _, found in page.elements
        if "img" in str(found.get("aria-label"))
    )


def test_a_history_in_which_nothing_rises_has_a_page_too(tmp_path: Path) -> None:
    never = rule("never", "contacts: {count: Contact}", "contacts >= 1000")
    _, page = backtested(tmp_path, never)
    assert "0 · 0 %" in page.text
    assert "Fired per" not in page.text
    empty = run(tmp_path / "before", write_lines(tmp_path / "empty.jsonl", []))
    assert "0 events of 0 customers" in Page(page_of(empty, tmp_path / "before")).text


def test_nothing_held_back_is_said(tmp_path: Path) -> None:
    _, page = backtested(tmp_path, EACH)
    assert "Nothing was: every rise was sent." in page.text


def test_many_rules_share_the_colours_and_the_rest_comes_together(tmp_path: Path) -> None:
    rules = [EACH.replace("rule: each", f"rule: each-{letter}") for letter in "abcdefghij"]
    _, page = backtested(tmp_path, *rules)
    assert "other rules" in page.text
    tones = {
        found["class"]
        for tag, found in page.elements
        if tag == "rect" and str(found["class"]).startswith("tone-")
    }
    assert len(tones) == 6


# ---- plots and calendars


@pytest.mark.parametrize(
    ("first", "last", "unit", "columns", "ends"),
    [
        ("2026-03-01", "2026-03-01", "day", 1, ("2026-03-01", "2026-03-01")),
        ("2026-03-01", "2026-06-28", "day", 120, ("2026-03-01", "2026-06-28")),
        ("2026-03-01", "2026-06-29", "week", 19, ("2026-02-23", "2026-06-29")),
        ("2016-01-01", "2020-12-31", "month", 60, ("2016-01", "2020-12")),
        ("1917-06-22", "2019-12-31", "year", 103, ("1917", "2019")),
        ("0001-01-01", "0001-06-30", "week", 26, ("0001-01-01", "0001-06-25")),
    ],
)
def test_days_are_put_together_so_that_there_are_not_too_many(
    first: str, last: str, unit: str, columns: int, ends: tuple[str, str]
) -> None:
    days = [parse_instant(f"{day}T00:00:00Z") // DAY for day in (first, last)]
    found = bins(*days)
    assert (found.unit, len(found.labels), (found.labels[0], found.labels[-1])) == (unit, columns, ends)
    assert [found.column[day] for day in days] == [0, columns - 1]


@pytest.mark.parametrize(
    ("value", "top"),
    [(0, 2), (1, 2), (2, 2), (3, 4), (7, 8), (9, 10), (11, 20), (99, 100), (101, 200), (6001, 8000)],
)
def test_an_axis_ends_at_a_round_number_that_has_a_half(value: int, top: int) -> None:
    drawn = Page(plots.columns("t", ["a"], [plots.Series("s", "sent", [value])]))
    axis = drawn.texts[:3]
    assert axis == [f"{number:,}" for number in (top, top // 2, 0)]


def test_columns_stand_on_one_another(tmp_path: Path) -> None:
    series = [plots.Series("one", "tone-0", [3, 0]), plots.Series("two", "tone-1", [1, 4])]
    drawn = Page(plots.columns("title", ["a", "b"], series))
    rects = [found for tag, found in drawn.elements if tag == "rect"]
    assert [(found["class"], found["y"], found["height"]) for found in rects] == [
        ("tone-0", "25.000", "75.000"),
        ("tone-1", "0.000", "25.000"),
        ("tone-1", "0.000", "100.000"),
    ]
    assert [text for text in drawn.texts if ":" in text] == ["a: one 3", "a: two 1", "b: two 4"]
