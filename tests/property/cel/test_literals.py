"""Every literal means what it means to Google's CEL, and what is none there is refused.

Two liberties of rules.md and the grammar are left out: numbers beyond 64 bits, and fields named `in` or `null`.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from foreword.authoring.cel_parser import InvalidCondition
from tests.property.cel import google_cel, ours
from tests.property.cel.google_cel import ERROR, Answer
from tests.property.cel.worlds import World

WORLD = World(data={}, profile={}, signals={}, type="Asked", source="shop", at=0)
REFUSED: Answer = ("refused",)

ESCAPES = (
    "a", "b", "f", "n", "r", "t", "v", "\\", "?", '"', "'", "`", "q", "0", "e", "\n", "x41", "X5a", "xff", "x4",
    "xg1", "u00e4", "uD800", "udfff", "u00e", "uFFFF", "U0001F600", "U0010ffff", "U00110000", "U0000d800",
    "U0001F60", "000", "101", "377", "400", "08", "12",
)  # fmt: skip
pieces = st.sampled_from(
    ["a", "b", "0", "8", " ", "é", "😀", "\n", "\t", "'", '"', "\\", "/", "#", *(f"\\{of}" for of in ESCAPES)]
)
quotes = st.sampled_from(['"', "'", '"""', "'''"])
strings = st.builds(
    lambda raw, quote, inner: f"{raw}{quote}{''.join(inner)}{quote}",
    st.sampled_from(["", "", "r", "R"]),
    quotes,
    st.lists(pieces, max_size=4),
)
numbers = st.builds(
    lambda *parts: "".join(parts),
    st.sampled_from(["", "-"]),
    st.sampled_from(["0", "1", "12", "007", "0x1f", "0xA", "0x", "0Xa", "0b1", "1_0"]),
    st.sampled_from(["", ".", ".5", ".25", ".0"]),
    st.sampled_from(["", "e2", "E+1", "e-2", "e", "u", "U", "L", "f"]),
) | st.sampled_from([".5", "-.5", ".5e1", ".", "-."])


@given(strings)
def test_strings_are_those_of_cel(literal: str) -> None:
    assert value_here(literal) == value_there(literal)


@given(numbers)
def test_numbers_are_those_of_cel(literal: str) -> None:
    assert value_here(literal) == value_there(literal)


def value_here(source: str) -> Answer:
    try:
        return ours.looked_up(source, WORLD)
    except InvalidCondition:
        return REFUSED


def value_there(source: str) -> Answer:
    """What is no literal can still be a field of a number, or an unsigned number with a sign: an error there."""
    try:
        answer = google_cel.answer(source, WORLD)
    except Exception:  # noqa: BLE001  the library raises nothing more exact
        return REFUSED
    return REFUSED if answer == ERROR else answer
