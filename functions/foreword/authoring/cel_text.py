"""CEL's literals: from the source text to the value they stand for."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

_SIMPLE = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "?": "?",
    '"': '"',
    "'": "'",
    "`": "`",
}
_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\?\"'`])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.?))",
    re.DOTALL,
)


_BARE_POINT = re.compile(r"\.(?![0-9])")


def number_text(literal: str) -> str:
    """The decimal of the source text, hexadecimal and `u` forms included; raises ValueError."""
    digits = literal.rstrip("uU")
    if digits != literal and digits.startswith("-"):
        raise ValueError(f"{literal}: an unsigned number has no sign")
    if _BARE_POINT.search(digits):
        raise ValueError(f"{literal} is not a number of CEL: digits follow its point")
    if "x" in digits:
        return str(int(digits, 16))
    try:
        number = Decimal(digits)
    except InvalidOperation:
        raise ValueError(f"{literal} is not a number that can be reckoned with") from None
    return str(number)


def is_number(text: str) -> bool:
    """Whether a text reads as a number."""
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def string_value(literal: str) -> str:
    """Without its quotes and escapes; raises ValueError."""
    raw = literal[0] in "rR"
    quoted = literal[1:] if raw else literal
    width = 3 if len(quoted) >= 6 and quoted[:3] in ('"""', "'''") else 1
    inner, quote = quoted[width:-width], quoted[:width]
    if not raw:
        return _ESCAPE.sub(_unescape, inner)
    ends = len(inner) - len(inner.rstrip("\\"))
    # The grammar reads on after \" as if it were an escape, and in a raw string there are none.
    if quoted.index(quote, width) < len(quoted) - width or ends % 2:
        raise ValueError(f"a raw string (r{quote}...{quote}) cannot hold its own quote or end in a backslash")
    return inner


def _unescape(match: re.Match[str]) -> str:
    simple, two, four, eight, octal, other = match.groups()
    if simple is not None:
        return _SIMPLE[simple]
    if other is not None:
        raise ValueError(f"\\{other} is not an escape of CEL; a backslash itself is written \\\\")
    code = int(octal, 8) if octal is not None else int(two or four or eight, 16)
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise ValueError(f"{match[0]} is not a character")
    return chr(code)
