"""The schemas for editors take what the readers take, and refuse what they refuse of words, keys and types."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest

from foreword.authoring import (
    editor_schema,
    experiments,
    holds,
    limits,
    open_cases,
    policy,
    quiet_hours,
    rules,
    schedules,
    sends,
    written_tests,
)
from foreword.authoring.fields import Key, RulebookErrors
from foreword.authoring.rulebook import load_rulebook
from foreword.authoring.signals.kinds import KINDS
from foreword.authoring.yaml_reader import json_value, parse_yaml, read_yaml
from foreword.domain.json_text import dumps
from foreword.local.project import find
from tests.unit.authoring.rulebooks import RULE, write_rulebook

PROJECT = find().rulebook

FULL = """\
rule: stuck
why: W
owner: O
runbook: R
mode: live
for_each: event.data.order_id
signals:
  a: {count: [A, B], where: 'event.data.x', within: 7d, reset: {type: C, where: 'true'}, per: customer}
  b: {sum: event.data.x, of: A, where: 'event.data.y', within: 7d, per: customer}
  c: {average: event.data.x, of: "*"}
  d: {min: event.data.x, of: A}
  e: {max: event.data.x, of: A}
  f: {distinct: event.data.x, of: A, within: 1d}
  g: {last: event.data.x, of: A}
  h: {first: event.data.x, of: A}
  i: {ratio: A, to: B, at_least: 4, within: 1w}
  j: {since: A, within: 1d}
  k: {each: A}
  l: {first_time: event.data.x, of: A, within: 1d}
  m: {absence: A, after: B, within: 3d, timer: last}
  n: {absence: A, after: B, until: event.data.x}
  o: {sequence: [A, {type: [B, C]}], within: 1d}
  p: {change: event.data.x, of: A, over: 30d, stale_after: 7d}
  q: {baseline: a, versus: 8, as: zscore}
when: 'a > 1'
evaluate: {every: 1w, at: "Mon 06:00"}
repeat: while_true
eligible: 'profile.x'
re_eligible_after: none
exceptions: {type: [D, E], where: 'event.data.x'}
send:
  - {message: a, purpose: service, topic: care, channels: [email, sms], priority: 1, expires_after: 6h, if: 'a > 2'}
  - {message: b, purpose: critical, topic: care, channels: [task, outbound]}
  - {message: c, purpose: service, topic: care, channels: [email], after: 7d, unless: D, propensity: 0.5,
     context: a / 10, value: profile.x}
hold: {purposes: [marketing, service], for: 72h, until: [F]}
experiment: {holdout: 5%, variants: {calm: 50%, direct: 50%}, goal: {event: G, within: 14d}}
tests:
  - name: t
    customer: {segment: x}
    given:
      - {at: 2026-03-02T09:00:00Z, event: A, data: {x: 1}, source: s, id: i}
      - {at: 2026-03-02T09:00:00Z, event: A, source: s, id: j, retracts: i}
    others: [{customer_id: z, customer: {segment: x}, given: []}]
    until: 2026-03-02T09:00:00Z
    policy: true
    expect: [{message: a, channel: email}, {skipped: NOT_ELIGIBLE}]
"""

DATES = """\
rule: stuck
why: W
owner: O
signals:
  r: {date: profile.x, before: 0d, at: "09:00", yearly: true}
  s: {count: A}
  t: {peers: s, cohort: profile.x, statistic: p95, at_least: 2, period: 1d, excluding_self: true}
when: 't > 1'
send: {message: a, purpose: service, topic: care, channels: [email]}
"""


def document(text: str) -> Any:
    """As an editor sees it: whole numbers are `int`."""
    return json.loads(dumps(json_value(parse_yaml(text, "x.yaml"))))


VALID = fastjsonschema.compile(editor_schema.rule_schema())


def accepted(text: str) -> bool:
    try:
        VALID(document(text))
    except fastjsonschema.JsonSchemaValueException:
        return False
    return True


@pytest.mark.parametrize("path", sorted((PROJECT / "rules").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_seed_rule_is_accepted(path: Path) -> None:
    assert accepted(path.read_text("utf-8"))


@pytest.mark.parametrize(
    ("name", "schema"),
    [("policy", editor_schema.policy_schema()), ("lists", editor_schema.lists_schema())],
)
def test_the_projects_other_documents_are_accepted(name: str, schema: dict[str, Any]) -> None:
    node, _ = read_yaml(PROJECT / f"{name}.yaml")
    fastjsonschema.compile(schema)(json.loads(dumps(json_value(node))))


@pytest.mark.parametrize("text", [FULL, DATES])
def test_every_key_is_accepted_by_the_reader_and_the_schema(tmp_path: Path, text: str) -> None:
    assert load_rulebook(write_rulebook(tmp_path, stuck=text)).rules
    assert accepted(text)


def test_the_two_name_every_key_there_is() -> None:
    used = {key for text in (FULL, DATES) for key in _keys(document(text))}
    tables: list[Any] = [
        rules.KEYS,
        sends.KEYS,
        schedules.KEYS,
        holds.KEYS,
        experiments.KEYS,
        experiments.GOAL_KEYS,
        written_tests.KEYS,
        written_tests.GIVEN_KEYS,
        written_tests.MEMBER_KEYS,
        written_tests.EXPECTED_KEYS,
        *(kind.keys for kind in KINDS.values()),
    ]
    assert {key for table in tables for key in table} <= used


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {*value, *(key for inner in value.values() for key in _keys(inner))}
    return {key for inner in value for key in _keys(inner)} if isinstance(value, list) else set()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_the_schema_requires_of_a_signal_the_reader_requires_too(tmp_path: Path, kind: str) -> None:
    signals = {**document(FULL)["signals"], **document(DATES)["signals"]}
    name = next(name for name, signal in signals.items() if kind in signal)
    rule = {key: value for key, value in document(DATES).items() if key != "signals"} | {"when": "z > 1"}
    for key, spec in KINDS[kind].keys.items():
        without = {other: value for other, value in signals[name].items() if other != key}
        if key in (kind, "until") or (kind, key) == ("absence", "within"):
            continue  # then it is of another kind, or of none; and of `within` and `until` one is needed
        others = {other: signals[other] for other in ("a", "s")}
        text = json.dumps({**rule, "signals": {**others, "z": {"count": "A"}, name: without}})
        assert accepted(text) is not spec.key.required, key
        assert _read(tmp_path, text) is not spec.key.required, key


def _read(directory: Path, rule: str) -> bool:
    try:
        load_rulebook(write_rulebook(directory, stuck=rule))
    except RulebookErrors:
        return False
    return True


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("owner: care-team\n", ""),
        ("owner: care-team", "owners: care-team"),
        ("owner: care-team", "owner: 7"),
        ("rule: stuck", "rule: Stuck"),
        ("mode: live", "mode: alive"),
        ("mode: live", "mode: live\nrepeat: always"),
        ("mode: live", "mode: live\nexceptions: []"),
        ("mode: live", "mode: live\nhold: {purposes: [marketing]}"),
        ("mode: live", "mode: live\nhold: {purposes: [critical], for: 3d}"),
        ("mode: live", "mode: live\nhold: {purposes: [service, service], for: 3d}"),
        ("mode: live", "mode: live\nexperiment: {}"),
        ("mode: live", "mode: live\nexperiment: {holdout: 5}"),
        ("mode: live", "mode: live\nexperiment: {variants: {calm: 100%}}"),
        ("mode: live", "mode: live\nexperiment: {variants: {holdout: 50%, calm: 50%}}"),
        ("mode: live", "mode: live\nexperiment: {holdout: 5%, goal: {event: A}}"),
        ("  topic: care", "  topic: care\n  unless: A"),
        ("  topic: care", "  topic: care\n  propensity: [1]"),
        ("mode: live", "mode: live\nevaluate: {every: 1w}"),
        ("mode: live", "mode: live\nevaluate: {every: 1w, at: '6'}"),
        ("within: 7d", "within: 7"),
        ("within: 7d", "within: 7 days"),
        ("within: 7d", "wihtin: 7d"),
        ("    count: SupportContactOpened", "    cuont: SupportContactOpened"),
        ("    count: SupportContactOpened", "    count: []"),
        ("    count: SupportContactOpened", "    count: A\n    each: B"),
        ("  contacts:\n", "  in:\n"),
        ("re_eligible_after: 14d", "re_eligible_after: never"),
        ("purpose: service", "purpose: servce"),
        ("priority: 80", "priority: 101"),
        ("priority: 80", "priority: '80'"),
        ("[email, sms]", "[]"),
        ("[email, sms]", "[sms, sms]"),
        ("[email, sms]", "[inbound]"),
        ("expect: []", "expect: none"),
        ("expect: []", "expect: [{message: stuck}]"),
        ("expect: []", "expect: [{skipped: NOT_ELIGIBLE, message: stuck}]"),
        ("- {at: 2026-03-02T09:00:00Z, event", "- {event"),
    ],
)
def test_what_is_wrong_is_refused_by_the_schema_and_the_reader(tmp_path: Path, old: str, new: str) -> None:
    assert old in RULE
    assert accepted(RULE)
    assert not accepted(RULE.replace(old, new, 1))
    assert not _read(tmp_path, RULE.replace(old, new, 1))


POLICY = """\
default_timezone: Europe/Berlin
retention: 400d
allowed_lateness: 7d
settle: 5m
quiet_hours: {from: "20:00", to: "09:00", sms: {from: "18:00", to: "10:00"},
  email: none, task: none, outbound: none}
frequency_caps:
  - {purpose: marketing, channel: any, at_most: 2, within: 7d}
volume_constraints: [{topic: care, at_most: 500, per: day}]
willingness: {within: 7d, scores: {A: -3}, hold_marketing_below: 0}
open_cases:
  - {opened: A, closed: [B], by: event.data.x, hold: [marketing, service], then_for: 5d, at_most: 60d}
consent: {marketing: opt-in, service: opt-out}
holdout: 2%
links: [shop.example.com]
topics: {care: {en: Care, de: Beratung}}
"""
VALID_POLICY = fastjsonschema.compile(editor_schema.policy_schema())


def test_every_key_of_a_policy_is_accepted_by_the_reader_and_the_schema(tmp_path: Path) -> None:
    load_rulebook(write_rulebook(tmp_path, policy=POLICY))
    VALID_POLICY(document(POLICY))
    tables = (
        policy.KEYS,
        policy.WILLINGNESS_KEYS,
        policy.CONSENT_KEYS,
        limits.CAP_KEYS,
        limits.VOLUME_KEYS,
        open_cases.KEYS,
        quiet_hours.KEYS,
    )
    assert {key for table in tables for key in table} <= _keys(document(POLICY))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('from: "20:00", ', ""),
        ("email: none", "email: never"),
        ("purpose: marketing, ", "purpose: critical, "),
        (", within: 7d}\nv", "}\nv"),
        ("per: day", "per: week"),
        ("topic: care, ", ""),
        ("hold: [marketing, service]", "hold: [critical]"),
        ("by: event.data.x, ", ""),
        ("below: 0", "below: some"),
        ("holdout: 2%", "holdout: 2"),
    ],
)
def test_what_is_wrong_in_a_policy_is_refused_by_both(tmp_path: Path, old: str, new: str) -> None:
    assert old in POLICY
    wrong = POLICY.replace(old, new, 1)
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        VALID_POLICY(document(wrong))
    with pytest.raises(RulebookErrors):
        load_rulebook(write_rulebook(tmp_path, policy=wrong))


def test_the_keys_are_those_of_the_readers() -> None:
    schema = editor_schema.rule_schema()
    tables: list[tuple[dict[str, Any], dict[str, Key]]] = [
        (schema, rules.KEYS),
        (schema["definitions"]["send"], sends.KEYS),
        (schema["definitions"]["tests"]["items"], written_tests.KEYS),
        (editor_schema.policy_schema(), policy.KEYS),
        *(
            (described, {name: spec.key for name, spec in kind.keys.items()})
            for described, kind in zip(schema["definitions"]["signal"]["oneOf"], KINDS.values(), strict=True)
        ),
    ]
    for described, keys in tables:
        assert list(described["properties"]) == list(keys)
        assert described["required"] == [name for name, key in keys.items() if key.required]
        assert described["additionalProperties"] is False


def test_shared_signals_have_a_schema_of_their_own() -> None:
    valid = fastjsonschema.compile(editor_schema.signals_schema())
    valid(document("week: {count: A, within: 7d}"))
    for wrong in ("week: {cuont: A}", "a-b: {count: A}", "- week"):
        with pytest.raises(fastjsonschema.JsonSchemaValueException):
            valid(document(wrong))
