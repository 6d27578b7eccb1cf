"""The vocabulary names what conditions, sends and templates may name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from foreword.authoring.rulebook import load_rulebook
from foreword.authoring.vocabulary import EventWord, FieldWord, SignalWord, Vocabulary, vocabulary
from tests.unit.authoring.rulebooks import RULE, write_rulebook

SCHEMAS: dict[str, Any] = {
    "SupportContactOpened": {
        "description": "Help was asked for.",
        "properties": {
            "channel": {"type": "string", "enum": ["phone", "chat"], "description": "How."},
            "agent": {"type": ["object", "null"], "properties": {"team": {}}, "required": ["team"]},
            "anything": True,
        },
        "required": ["channel"],
    },
    "CustomerUpdated": {"properties": {"email": {"type": "string"}, "segment": {"type": "string"}}},
}


def words(directory: Path) -> Vocabulary:
    text = RULE.replace("    within", "    reset: Solved\n    within").replace(
        "contacts >= 3", "contacts >= 3 && shared > 1 && willingness < 3"
    )
    text = f"exceptions: [Left]\nhold: {{purposes: [marketing], for: 1d, until: Called}}\n{text}"
    rulebook = write_rulebook(
        directory,
        stuck=text,
        lists="codes: [a, b]\n",
        signals="shared: {count: Visit}\n",
        policy="willingness: {scores: {Clicked: 1}}\n"
        "open_cases: [{opened: Opened, closed: Closed, by: event.data.x, hold: [marketing]}]\n",
    )
    return vocabulary(load_rulebook(rulebook), SCHEMAS, ["welcome", "stuck"])


def test_events_are_those_described_those_used_and_forewords_own(tmp_path: Path) -> None:
    events = {event.type: event for event in words(tmp_path).events}
    assert events["SupportContactOpened"] == EventWord(
        type="SupportContactOpened",
        description="Help was asked for.",
        fields=(
            FieldWord("channel", "string", required=True, values=("phone", "chat"), description="How."),
            FieldWord("agent", "object or null", required=False, values=(), description=""),
            FieldWord("agent.team", "any", required=True, values=(), description=""),
            FieldWord("anything", "any", required=False, values=(), description=""),
        ),
        described=True,
        own=False,
    )
    for used in ("Solved", "Visit", "Clicked", "Opened", "Closed", "Left", "Called"):
        assert events[used] == EventWord(used, "", (), described=False, own=False)
    assert events["MessageClicked"].own
    assert not {"CustomerUpdated", "DeadlineReached", "PeersCompared"} & events.keys()
    assert list(events) == sorted(events)


def test_an_address_is_shown_as_what_nobody_may_name(tmp_path: Path) -> None:
    assert [(field.name, field.usable) for field in words(tmp_path).profile] == [
        ("email", False),
        ("segment", True),
    ]


def test_signals_lists_topics_and_messages(tmp_path: Path) -> None:
    told = words(tmp_path)
    assert told.signals == (
        SignalWord("shared", None, "count", "number"),
        SignalWord("contacts", "stuck", "count", "number"),
        SignalWord("willingness", "stuck", "willingness", "number"),
    )
    assert (told.lists, told.topics, told.messages) == ({"codes": 2}, ("care",), ("stuck", "welcome"))
