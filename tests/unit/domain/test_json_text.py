from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreword.domain import json_text

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_what_is_written_is_read_back(value: object) -> None:
    assert json_text.loads(json_text.dumps(value)) == value


@pytest.mark.parametrize("text", ["1.10", "0.1", "1E+400", "12345678901234567890.12345678901234567890", "-0"])
def test_a_number_keeps_its_source_text(text: str) -> None:
    written = json_text.dumps(json_text.loads(text))
    assert Decimal(written) == Decimal(text)
    if "." in text:
        assert written == text


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", '{"a": [NaN]}'])
def test_what_is_not_a_number_is_refused(text: str) -> None:
    with pytest.raises(json_text.NotANumber):
        json_text.loads(text)


@pytest.mark.parametrize("depth", [json_text.MAX_DEPTH + 1, 100_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    with pytest.raises(json_text.TooDeep):
        json_text.loads("[" * depth + "]" * depth)


def test_the_deepest_allowed_nesting_is_read() -> None:
    depth = json_text.MAX_DEPTH
    assert json_text.loads("[" * depth + "]" * depth)
