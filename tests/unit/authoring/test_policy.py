"""policy.yaml and lists.yaml."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from foreword.authoring.fields import RulebookErrors
from foreword.authoring.policy import read_lists, read_policy
from foreword.domain.errors import InvalidRulebook
from foreword.domain.instants import DAY, MINUTE
from foreword.domain.rulebook import (
    Channel,
    FrequencyCap,
    Policy,
    Purpose,
    QuietHours,
    VolumeConstraint,
    Willingness,
)


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


def test_links_are_the_hosts_that_messages_may_lead_to(tmp_path: Path) -> None:
    policy = read_policy(write(tmp_path, "links: [shop.example.com, help.example.com]"))
    assert policy.link_hosts == ("shop.example.com", "help.example.com")


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


CASE = "{opened: A, closed: B, by: event.data.x, hold: [marketing]}"


def test_caps_and_volumes_are_limits_of_purposes_channels_and_topics(tmp_path: Path) -> None:
    text = """\
frequency_caps:
  - {purpose: marketing, channel: any, at_most: 2, within: 7d}
  - {purpose: any, channel: sms, at_most: 3, within: 30d}
  - {at_most: 9, within: 400d}
volume_constraints: [{topic: care, at_most: 500, per: day}, {topic: any, at_most: 900, per: day}]
"""
    policy = read_policy(write(tmp_path, text))
    assert policy.frequency_caps == (
        FrequencyCap(purpose=Purpose.MARKETING, channel=None, at_most=2, within=7 * DAY),
        FrequencyCap(purpose=None, channel=Channel.SMS, at_most=3, within=30 * DAY),
        FrequencyCap(purpose=None, channel=None, at_most=9, within=400 * DAY),
    )
    assert policy.volume_constraints == (
        VolumeConstraint(topic="care", at_most=500),
        VolumeConstraint(topic=None, at_most=900),
    )


def test_open_cases_hold_from_an_event_to_another_of_the_same_case(tmp_path: Path) -> None:
    (short,) = read_policy(write(tmp_path, f"open_cases: [{CASE}]")).open_cases
    assert (short.opened.types, short.closed.types, short.by.source) == (("A",), ("B",), "event.data.x")
    assert (short.hold, short.then_for, short.at_most) == ((Purpose.MARKETING,), 0, 60 * DAY)
    states = CASE.replace("opened: A", "opened: {type: T, where: '!event.data.done'}").replace(
        "closed: B", "closed: {type: T, where: 'event.data.done'}"
    )
    (long,) = read_policy(
        write(tmp_path, f"open_cases: [{states[:-1]}, then_for: 5d, at_most: 395d}}]")
    ).open_cases
    assert (long.then_for, long.at_most) == (5 * DAY, 395 * DAY)


def test_channels_may_have_quiet_hours_of_their_own_or_none(tmp_path: Path) -> None:
    night = '{from: "20:00", to: "09:00"'
    policy = read_policy(
        write(tmp_path, f'quiet_hours: {night}, sms: {{from: "18:00", to: "10:00"}}, task: none}}')
    )
    assert policy.quiet_hours == QuietHours(start=20 * 60, end=9 * 60)
    assert policy.quiet_hours_on == {
        Channel.SMS: QuietHours(start=18 * 60, end=10 * 60),
        Channel.TASK: None,
    }
    alone = read_policy(write(tmp_path, f"quiet_hours: {{sms: {night}}}}}"))
    assert alone.quiet_hours is None
    assert alone.quiet_hours_on == {Channel.SMS: QuietHours(start=20 * 60, end=9 * 60)}


@pytest.mark.parametrize(
    ("written", "share"), [("0%", "0"), ("2%", "0.02"), ("0.125%", "0.00125"), ("50%", "0.5")]
)
def test_a_holdout_is_an_exact_share(tmp_path: Path, written: str, share: str) -> None:
    assert read_policy(write(tmp_path, f"holdout: {written}")).holdout == Decimal(share)


def test_marketing_may_be_held_below_a_line_of_the_index(tmp_path: Path) -> None:
    text = "willingness: {scores: {A: 1}, hold_marketing_below: -4}"
    willingness = read_policy(write(tmp_path, text)).willingness
    assert willingness is not None
    assert willingness.hold_marketing_below == -4


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
        ("links: []", "1:8", "'links' must not be empty"),
        (
            "links: [https://Shop.example.com/x]",
            "1:9",
            "is not a host name like shop.example.com; did you mean 'shop.",
        ),
        ("links: [localhost]", "1:9", "'localhost' is not a host name like shop.example.com"),
        ("links: [7]", "1:9", "a text is needed here"),
        ("links: shop.example.com", "1:8", "'links' must be a list"),
        ("frequency_caps: []", "1:17", "'frequency_caps' must not be empty"),
        ("frequency_caps: [{within: 7d}]", "1:18", "a frequency cap needs 'at_most'"),
        ("frequency_caps: [{at_most: 2}]", "1:18", "a frequency cap needs 'within'"),
        (
            "frequency_caps: [{purpose: critical, at_most: 2, within: 7d}]",
            "1:28",
            "critical messages pass every cap",
        ),
        ("frequency_caps: [{channel: sns, at_most: 2, within: 7d}]", "1:28", "did you mean 'sms'?"),
        ("frequency_caps: [{at_most: 0, within: 7d}]", "1:28", "a whole number from 1 to 1000000 is needed"),
        ("frequency_caps: [{at_most: 1, within: 7}]", "1:39", "did you mean '7d'?"),
        (
            "frequency_caps: [{at_most: 1, chanel: sms, within: 7d}]",
            "1:31",
            "'chanel' of a frequency cap; did you mean 'channel'?",
        ),
        (
            "retention: 8d\nallowed_lateness: 1d\nfrequency_caps: [{at_most: 1, within: 9d}]",
            "3:18",
            "a cap within 9d is further back than the policy's retention of 8d keeps events and messages",
        ),
        (
            "frequency_caps: [{at_most: 1, within: 7d}, {purpose: any, at_most: 3, within: 1w}]",
            "1:44",
            "a second cap of any by any within 7d; only the lower one would count",
        ),
        ("volume_constraints: [{topic: care, at_most: 5}]", "1:22", "a volume constraint needs 'per'"),
        (
            "volume_constraints: [{topic: care, at_most: 5, per: week}]",
            "1:53",
            "unknown period 'week'; known are",
        ),
        ("volume_constraints: [{at_most: 5, per: day}]", "1:22", "a volume constraint needs 'topic'"),
        ("volume_constraints: [{topic: Care, at_most: 5, per: day}]", "1:30", "did you mean 'care'?"),
        (
            "volume_constraints: [{topic: a, at_most: 5, per: day}, {topic: a, at_most: 6, per: day}]",
            "1:56",
            "a second constraint of a; only the lower one would count",
        ),
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
            "willingness: {scores: {A: 1}, hold_marketing_below: 0.5}",
            "1:53",
            "a whole number from -1000000 to 1000000 is needed here",
        ),
        ("open_cases: []", "1:13", "'open_cases' must not be empty"),
        (
            "open_cases: [{closed: B, by: event.data.x, hold: [marketing]}]",
            "1:14",
            "an open case needs 'opened'",
        ),
        (f"open_cases: [{CASE.replace(', hold: [marketing]', '')}]", "1:14", "an open case needs 'hold'"),
        (f"open_cases: [{CASE.replace('marketing', 'critical')}]", "1:62", "nothing holds critical messages"),
        (f"open_cases: [{CASE.replace('marketing', 'markting')}]", "1:62", "did you mean 'marketing'?"),
        (
            f"open_cases: [{CASE.replace('[marketing]', '[service, service]')}]",
            "1:71",
            "the purpose 'service' stands twice",
        ),
        (
            f"open_cases: [{CASE.replace('closed: B', 'closed: A')}]",
            "1:34",
            "'A' would open and close a case",
        ),
        (f"open_cases: [{CASE.replace('closed: B', 'closed: [B, A]')}]", "1:34", "'A' would open and close"),
        (
            "open_cases: [" + CASE.replace("closed: B", "closed: '*'") + "]",
            "1:34",
            "any event would open and close",
        ),
        (f"open_cases: [{CASE.replace('event.data.x', 'profile.x')}]", "1:41", "named by the event alone"),
        (f"open_cases: [{CASE.replace('event.data.x', '7')}]", "1:41", "'by' names nothing of the event"),
        (
            f"open_cases: [{CASE.replace('closed: B', 'closed: {type: A, where: event.data.y}')}]",
            "1:51",
            "put the condition in quotes",
        ),
        (
            f"open_cases: [{CASE[:-1]}, at_most: 397d, then_for: 4d}}]",
            "1:14",
            "an open case, at_most and then_for together, of 401d is further back than the policy's retention",
        ),
        ("holdout: 2", "1:10", "a share like 2% or 0.5% is needed here; did you mean 2%?"),
        ("holdout: 2 percent", "1:10", "did you mean 2%?"),
        ("holdout: two", "1:10", "a share like 2% or 0.5% is needed here"),
        ("holdout: 51%", "1:10", "51% is more than the 50% that are possible here"),
        ("holdout: -1%", "1:10", "a share like 2% or 0.5% is needed here"),
        ("quiet_hours: {to: '09:00', sms: none}", "1:14", "quiet_hours needs 'from'"),
        ("quiet_hours: {sms: none}", "1:20", "there are no quiet hours from which sms could be free"),
        ("quiet_hours: {sms: {from: '20:00'}}", "1:20", "quiet_hours of sms needs 'to'"),
        (
            "quiet_hours: {sms: {from: '20:00', to: '20:00'}}",
            "1:20",
            "quiet_hours of sms from and to are the same",
        ),
        (
            "quiet_hours: {from: '20:00', to: '09:00', smss: none}",
            "1:43",
            "unknown key 'smss' of quiet_hours; did you mean 'sms'?",
        ),
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
