"""policy.yaml and lists.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from foreword.authoring.fields import RulebookErrors
from foreword.authoring.policy import read_lists, read_policy
from foreword.domain.errors import InvalidRulebook
from foreword.domain.instants import DAY, MINUTE
from foreword.domain.rulebook import Policy, Purpose, QuietHours, Willingness


def write(directory: Path, text: str) -> Path:
    path = directory / "file.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert read_policy(tmp_path / "policy.yaml") == Policy()
    assert read_lists(tmp_path / "lists.yaml") == {}


def test_a_policy_is_read_whole(tmp_path: Path) -> None:
    text = """\
default_timezone: Europe/Berlin
retention: 90d
allowed_lateness: 2d
settle: 0s
quiet_hours: {from: "20:30", to: 09:00}
consent: {service: opt-in}
"""
    policy = read_policy(write(tmp_path, text))
    assert (policy.default_timezone, policy.retention, policy.allowed_lateness) == (
        "Europe/Berlin",
        90 * DAY,
        2 * DAY,
    )
    assert policy.settle == 0
    assert policy.quiet_hours == QuietHours(start=20 * 60 + 30, end=9 * 60)
    assert policy.consent == {Purpose.SERVICE: "opt-in", Purpose.MARKETING: "opt-in"}
    assert read_policy(write(tmp_path, "settle: 3m")).settle == 3 * MINUTE


def test_topics_have_a_name_in_each_language(tmp_path: Path) -> None:
    text = "topics: {offers: {en: Offers, de-AT: Angebote}, my-care: {en: Care}}"
    assert read_policy(write(tmp_path, text)).topics == {
        "offers": {"en": "Offers", "de-AT": "Angebote"},
        "my-care": {"en": "Care"},
    }


def test_willingness_is_scores_of_event_types_over_a_window(tmp_path: Path) -> None:
    text = "willingness: {within: 3d, scores: {SupportContactOpened: -10, MessageClicked: 10}}"
    assert read_policy(write(tmp_path, text)).willingness == Willingness(
        within=3 * DAY, scores={"SupportContactOpened": -10, "MessageClicked": 10}
    )
    default = read_policy(write(tmp_path, "willingness: {scores: {A: 0}}")).willingness
    assert default == Willingness(within=7 * DAY, scores={"A": 0})


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (
            "default_timezone: Europe/Berlim",
            "1:19",
            "unknown time zone 'Europe/Berlim'; did you mean 'Europe/Berlin'?",
        ),
        ("retention: 0d", "1:12", "a duration of zero is no duration"),
        ("retenton: 9d", "1:1", "unknown key 'retenton' of the policy; did you mean 'retention'?"),
        ("quiet_hours: {from: '20:00'}", "1:14", "quiet_hours needs 'to'"),
        ("quiet_hours: {from: '24:00', to: '09:00'}", "1:21", 'a time of day like "20:00" is needed here'),
        ("quiet_hours: {from: 20, to: '09:00'}", "1:21", 'a time of day like "20:00" is needed here'),
        ("quiet_hours: {from: '09:00', to: '09:00'}", "1:14", "from and to are the same"),
        ("consent: {marketing: opt-inn}", "1:22", "unknown consent 'opt-inn'; did you mean 'opt-in'?"),
        ("consent: {critical: opt-in}", "1:11", "unknown key 'critical' of consent"),
        ("frequency_caps: []", "1:1", "'frequency_caps' of the policy is not built yet"),
        ("volume_constraints: []", "1:1", "'volume_constraints' of the policy is not built yet"),
        ("topics: {}", "1:9", "'topics' must give topics their names"),
        ("topics: {Offers: {en: Offers}}", "1:10", "'Offers' is neither a topic nor a language"),
        ("topics: {offers: {english!: Offers}}", "1:19", "'english!' is neither a topic nor a language"),
        ("topics: {offers: Offers}", "1:18", "'topics' must give topics their names"),
        ("willingness: {within: 7d}", "1:14", "willingness needs 'scores'"),
        ("willingness: {scores: {}}", "1:23", "'scores' must give event types their scores"),
        ("willingness: {scores: [A]}", "1:23", "'scores' must give event types their scores"),
        ("willingness: {scores: {A: 11}}", "1:27", "a whole number from -10 to 10 is needed here"),
        ("willingness: {scores: {A: 0.5}}", "1:27", "a whole number from -10 to 10 is needed here"),
        ("willingness: {scores: {'*': 1}}", "1:24", "'*' is not an event type"),
        ("willingness: {scores: {CustomerUpdated: 1}}", "1:24", "tells of the profile and is no interaction"),
        ("willingness: {within: 0d, scores: {A: 1}}", "1:23", "a duration of zero is no duration"),
        (
            "willingness: {within: 9d, scores: {A: 1}}\nretention: 8d",
            "1:14",
            "is further back than the policy's",
        ),
        (
            "willingness: {scores: {A: 1}, hold_marketing_below: 0}",
            "1:31",
            "'hold_marketing_below' of willingness is not built yet",
        ),
        ("open_cases: []", "1:1", "'open_cases' of the policy is not built yet"),
        ("holdout: 2%", "1:1", "'holdout' of the policy is not built yet"),
    ],
)
def test_a_policy_is_refused_with_place_and_words(tmp_path: Path, text: str, place: str, words: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(RulebookErrors) as refused:
        read_policy(path)
    assert str(refused.value).startswith(f"{path}:{place}: ")
    assert words in str(refused.value)


def test_a_policy_must_be_a_mapping(tmp_path: Path) -> None:
    with pytest.raises(InvalidRulebook, match="must be a mapping of keys, not a list"):
        read_policy(write(tmp_path, "- settle"))


def test_lists_hold_texts(tmp_path: Path) -> None:
    assert read_lists(write(tmp_path, "a: [E10, '250']\nb:\n  - x\n")) == {"a": ("E10", "250"), "b": ("x",)}


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: [E10, 250]", "1:10", "an element of a list is a text: write '250' in quotes"),
        ("a: [E10, true]", "1:10", "write 'true' in quotes"),
        ("a: [[x]]", "1:5", "a text is needed here, not a list"),
        ("a: E10", "1:4", "the list 'a' must be a list, not a text"),
        ("a: []", "1:4", "must not be empty"),
        ("a-b: [x]", "1:1", "'a-b' cannot be written as lists.name"),
    ],
)
def test_lists_are_refused_with_place_and_words(tmp_path: Path, text: str, place: str, words: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(RulebookErrors) as refused:
        read_lists(path)
    assert str(refused.value).startswith(f"{path}:{place}: ")
    assert words in str(refused.value)
