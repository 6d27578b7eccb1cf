"""YAML without its surprises."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from foreword.authoring.yaml_reader import json_value, parse_yaml, read_yaml
from foreword.domain.errors import InvalidRulebook


def test_only_booleans_null_and_json_numbers_are_typed() -> None:
    text = 'a: [1, 2.50, -1e3, true, false, null, "1", yes, no, ~, 0x1F, 007, .5, 1_000, 2026-03-02, 12:30]'
    expected = [Decimal(1), Decimal("2.50"), Decimal("-1e3"), True, False, None, "1"]
    texts = ["yes", "no", "~", "0x1F", "007", ".5", "1_000", "2026-03-02", "12:30"]
    value = json_value(parse_yaml(text, "f"))
    assert value == {"a": [*expected, *texts]}
    assert str(value["a"][1]) == "2.50"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("when: !x", "1:7", "'!x' is a YAML tag, which is not allowed; put the condition in quotes"),
        ("a: !!str x", "1:4", "is a YAML tag"),
        ("when: &x y", "1:7", "'&x' is a YAML anchor, which is not allowed; put the condition in quotes"),
        ("a: &x [1]\nb: *x", "1:4", "'&x' is a YAML anchor"),
        ("b: *x", "1:4", "'*x' is a YAML alias"),
        ("count: *\nwithin: 7d", "1:8", 'write "*" in quotes'),
        ("<<: {a: 1}", "1:5", "'<<' is YAML's merge key"),
        ("a: 1\nb: 2\na: 3", "3:1", "'a' stands twice; the first is in line 1"),
        ("a: 1\nwhen:\nb: 2", "2:1", "'when' has no value"),
        ("a:\n  - x\n  -\n", "3:4", "an element of the list has no value"),
        ("? [a]\n: b", "1:3", "a key is a word"),
        ("", "1:1", "the file is empty"),
        ("# only words\n", "1:1", "the file is empty"),
        ("a: 1\n---\nb: 2", "2:1", "a second one begins here"),
        ('when: "a" == b', "1:11", "put the condition in quotes"),
        ("when: a ? b : c", "1:13", "put the condition in quotes"),
        ("signals:\n  x: {count: A, where: !has(y)}", "2:31", "put the condition in quotes"),
        ("when: >= 3", "1:8", "put the condition in quotes"),
        ("when: {a}", "1:8", "put the condition in quotes"),
        ("when: [a", "1:9", "put the condition in quotes"),
        ("why: a: b", "1:7", "mapping values are not allowed here"),
        ("a:\n\t- b", "2:1", "a tab stands here; YAML is indented with spaces"),
        ("[" * 40, "1:31", "nested deeper than 30 levels"),
        ("a: 1e99999999999999999999", "1:4", "is not a number that can be reckoned with"),
        ('a: 1\nb: "\x01"', "2:1", "a character YAML does not allow"),
    ],
)
def test_refused_with_place_and_words(text: str, place: str, words: str) -> None:
    with pytest.raises(InvalidRulebook) as refused:
        parse_yaml(text, "rules/f.yaml")
    assert str(refused.value).startswith(f"rules/f.yaml:{place}: ")
    assert words in refused.value.message


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(b"why: \xff\xfe")
    with pytest.raises(InvalidRulebook, match="not UTF-8"):
        read_yaml(path)


def test_a_byte_order_mark_is_not_part_of_the_first_key(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(b"\xef\xbb\xbfwhy: x")
    node, text = read_yaml(path)
    assert json_value(node) == {"why": "x"}
    assert text == "why: x"
