from __future__ import annotations

from typing import Any

import pytest

from foreword.domain.errors import InvalidEvent
from foreword.domain.instants import DAY
from foreword.domain.preference_changes import AtMost, Chosen, read_change
from tests.fakes.samples import NOON

OUT = {"topic": "care", "channel": "email", "choice": "out"}


def test_one_choice_several_and_settings_may_be_told_at_once() -> None:
    change = read_change(
        {
            **OUT,
            "choices": [{"topic": "offers", "channel": "any", "choice": "in", "confirmation": "pending"}],
            "paused_until": "2026-03-04T12:00:00Z",
            "preferred": ["sms", "email"],
            "at_most": {"count": 2, "within": "7d"},
            "basis": "consent",
            "via": "contact-centre",
        }
    )
    assert change.choices == (
        Chosen(("care", "email"), opted_in=False, pending=False),
        Chosen(("offers", "any"), opted_in=True, pending=True),
    )
    assert change.settings == {
        "paused_until": NOON,
        "preferred": ("sms", "email"),
        "at_most": AtMost(2, 7 * DAY),
    }
    assert (change.basis, change.via) == ("consent", "contact-centre")


def test_a_setting_is_taken_back_by_null() -> None:
    change = read_change({"paused_until": None, "at_most": None, "preferred": []})
    assert change.settings == {"paused_until": None, "at_most": None, "preferred": ()}


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "data.topic"),
        ({"via": "page"}, "data.topic"),
        ({"topic": "care"}, "data.channel"),
        ({**OUT, "topic": "any", "choice": "in"}, "data.topic"),
        ({**OUT, "confirmation": "pending"}, "data.confirmation"),
        ({**OUT, "choice": "in", "confirmation": "soon"}, "data.confirmation"),
        ({"choices": []}, "data.choices"),
        ({"choices": "all"}, "data.choices"),
        ({"choices": [7]}, r"data.choices\[0\]"),
        ({"choices": [OUT, {**OUT, "channel": "fax"}]}, r"data.choices\[1\].channel"),
        ({"choices": [OUT, OUT]}, "data.choices"),
        ({**OUT, "choices": [OUT]}, "data.choices"),
        ({"paused_until": "tomorrow"}, "data.paused_until"),
        ({"paused_until": 7}, "data.paused_until"),
        ({"preferred": "sms"}, "data.preferred"),
        ({"preferred": ["fax"]}, "data.preferred"),
        ({"preferred": ["sms", "sms"]}, "data.preferred"),
        ({"at_most": 2}, "data.at_most"),
        ({"at_most": {"count": 0, "within": "7d"}}, "data.at_most.count"),
        ({"at_most": {"count": True, "within": "7d"}}, "data.at_most.count"),
        ({"at_most": {"count": 2, "within": "a week"}}, "data.at_most.within"),
        ({"at_most": {"count": 2, "within": "0d"}}, "data.at_most.within"),
        ({"at_most": {"count": 2}}, "data.at_most.within"),
        ({**OUT, "basis": ""}, "data.basis"),
        ({**OUT, "via": ["page"]}, "data.via"),
    ],
)
def test_what_says_nothing_or_something_else_is_refused_by_its_field(
    data: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidEvent, match=f"BREAKS_SCHEMA: {field} must"):
        read_change(data)
