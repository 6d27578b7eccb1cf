"""What else happens in the demo: a file that can be read as data, with one line for whatever is wrong in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from foreword.cli.failures import CannotRun
from foreword.cli.happenings import FILE, read_happenings
from foreword.local.cloud import LocalCloud
from foreword.local.project import find

ONE = {"at": "2026-03-02T09:00:00Z", "customer_id": "c-1", "message": "m", "happens": "bounce"}


def test_those_of_the_demo_stand_in_the_order_of_their_times() -> None:
    found = read_happenings(find().samples / FILE)
    assert {one.happens for one in found} == {"bounce", "unsubscribe"}
    assert found == sorted(found, key=lambda one: one.at)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (json.dumps([{**ONE, "happens": "boounce"}]), "'boounce' is none of bounce, unsubscribe"),
        (
            json.dumps([{**ONE, "at": "noon"}]),
            "each has at, customer_id, message, happens: 'noon' is not a time",
        ),
        (json.dumps([{"at": ONE["at"]}]), "each has at, customer_id, message, happens: 'customer_id'"),
        ("[", "each has at, customer_id, message, happens: Expecting value"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / FILE
    path.write_text(text)
    with pytest.raises(CannotRun, match=r"happenings\.json: ") as refused:
        read_happenings(path)
    assert told in str(refused.value)


def test_what_happens_to_a_message_that_was_not_sent_is_refused(
    tmp_path: Path, foreword_cloud: LocalCloud
) -> None:
    path = tmp_path / FILE
    path.write_text(json.dumps([ONE]))
    (one,) = read_happenings(path)
    with pytest.raises(CannotRun, match="m was not sent to c-1 by e-mail"):
        one.do(foreword_cloud)
