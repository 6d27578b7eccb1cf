"""What CEL has and a condition has not is refused when the rulebook is read, by a name that its author knows."""

from __future__ import annotations

import pytest

from foreword.authoring.cel_parser import InvalidCondition
from tests.property.cel import google_cel, ours

FUNCTIONS = {
    'bool("true")': "bool()",
    'bytes("a") == event.data.x': "bytes()",
    "double(event.data.n) > 1": "double()",
    "dyn(1) == 1": "dyn()",
    "int(event.data.s) > 1": "int()",
    'string(event.data.n) == "1"': "string()",
    "uint(event.data.n) == 1": "uint()",
    "type(event.data.n) == event.data.x": "type()",
    **{
        f"event.occurred_at.{getter}() == 1": f"{getter}()"
        for getter in (
            "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours",
            "getMilliseconds", "getMinutes", "getMonth", "getSeconds",
        )
    },
    'event.occurred_at.getHours("Europe/Berlin") == 1': "getHours()",
    "silence.getHours() == 1": "getHours()",
    'event.type.charAt(0) == "a"': "charAt()",
    'event.type.indexOf("a") == 0': "indexOf()",
    'event.type.lastIndexOf("a") == 0': "lastIndexOf()",
    'event.type.lowerAscii() == "a"': "lowerAscii()",
    'event.type.upperAscii() == "a"': "upperAscii()",
    'event.type.replace("a", "b") == "a"': "replace()",
    'event.type.split(",") == []': "split()",
    'event.type.substring(1) == "a"': "substring()",
    'event.type.trim() == "a"': "trim()",
    '"%s".format([1]) == "1"': "format()",
    '["a"].join(",") == "a"': "join()",
    "math.greatest(1, 2) == 2": "greatest()",
    'base64.encode("a") == "a"': "encode()",
    "cel.bind(x, 1, x == 1)": "bind()",
    "optional.of(1).hasValue()": "hasValue()",
    "unknown(event.data.x)": "unknown()",
}  # fmt: skip
REFUSED = {
    **{source: f"the function {name} is not supported in a condition" for source, name in FUNCTIONS.items()},
    "event.data.l.all(x, x > 1)": "macro all() is not supported",
    "event.data.l.exists(x, x > 1)": "macro exists() is not supported",
    "event.data.l.exists_one(x, x > 1)": "macro exists_one() is not supported",
    "event.data.l.existsOne(x, x > 1)": "macro existsOne() is not supported",
    "event.data.l.filter(x, x > 1) == []": "macro filter() is not supported",
    "event.data.l.map(x, x + 1) == [1]": "macro map() is not supported",
    "event.data.l.map(x, x > 0, x + 1) == [1]": "macro map() is not supported",
    "event.data.m.all(k, v, v > 1)": "macro all() is not supported",
    "event.data.m.transformList(k, v, v) == []": "macro transformList() is not supported",
    "event.data.m.transformMap(k, v, v) == event.data.m": "macro transformMap() is not supported",
    'event.data.s.matches("a.*")': "a condition holds no regular expressions",
    'matches(event.data.s, "a.*")': "a condition holds no regular expressions",
    '{"a": 1} == event.data.m': "maps ({...}) are not supported",
    "{} == event.data.m": "maps ({...}) are not supported",
    '{"a": 1}.a == 1': "maps ({...}) are not supported",
    '{"a": 1}["a"] == 1': "maps ({...}) are not supported",
    'b"x" == event.data.x': 'bytes (b"...") are not supported',
    "B'x' == event.data.x": 'bytes (b"...") are not supported',
    'br"x" == event.data.x': 'bytes (b"...") are not supported',
    'b"""x""" == event.data.x': 'bytes (b"...") are not supported',
    "Point{x: 1} == event.data.x": "messages (Name{...}) are not supported",
    "Point{} == event.data.x": "messages (Name{...}) are not supported",
    "google.protobuf.Duration{seconds: 1} == event.data.x": "messages (Name{...}) are not supported",
    "event.data.`x-y` == 1": "quoted names are not supported in a condition; write x",
    ".contacts == 1": "'.contacts': a name does not begin with a dot",
    '.size("a") == 1': "'.size': a name does not begin with a dot",
    "[1,] == [1]": "']' is not expected here",
    "event.data.n == int": "unknown name 'int'",
    "null_type == event.data.x": "unknown name 'null_type'",
    "timestamp(1) > event.occurred_at": "timestamp(\"2026-03-02T09:00:00Z\"): '1' is a number",
    'timestamp("2026-03-02 09:00") > event.occurred_at': "is not a time like 2026-03-02T09:00:00Z",
    'duration("3 days") > silence': "is not a duration like 72h",
    "has()": "has() asks for a field",
    "has(event.data.x, event.data.y)": "has() asks for a field",
}
NOT_CEL = {
    'has(event.data["x"])': "has() asks for a field",
    "has(event.data.l[0])": "has() asks for a field",
    "has(event.data.x == 1)": "has() asks for a field",
    'has("x")': "has() asks for a field",
    "has(contacts)": "'contacts' is a signal, and has() asks for a field",
    "event.data.?x == 1": "optional values (x.?y) are not supported",
    'event.data[?"x"] == 1': "optional values (x.?y) are not supported",
    "[?event.data.x] == []": "optional values (x.?y) are not supported",
    "hit ? true ? hit : hit : hit": "'?' is not expected here",
    "if == 1": "unknown name 'if'",
    "contacts > 1 & hit": "'&' is not an operator of CEL; did you mean '&&'?",
    "contacts > 1 | hit": "'|' is not an operator of CEL; did you mean '||'?",
    'event.type == "a': 'the text that begins with " has no end on this line',
    "event.type == 'a\nb'": "the text that begins with ' has no end on this line",
    r'event.type == r"\"': "cannot hold its own quote or end in a backslash",
    "contacts > 1.": "1. is not a number of CEL",
}
"""Google's CEL refuses these too, optional values but with an extension of it."""


@pytest.mark.parametrize("source", REFUSED)
def test_what_is_not_supported_is_refused_by_name(source: str) -> None:
    assert REFUSED[source] in refusal(source)
    google_cel.parse(source)


@pytest.mark.parametrize("source", NOT_CEL)
def test_what_is_not_cel_is_refused_in_words_for_it(source: str) -> None:
    assert NOT_CEL[source] in refusal(source)
    with pytest.raises(RuntimeError):
        google_cel.parse(source)


def refusal(source: str) -> str:
    with pytest.raises(InvalidCondition) as refused:
        ours.checked(source)
    return refused.value.message
