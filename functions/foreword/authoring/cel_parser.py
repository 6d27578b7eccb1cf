"""CEL text -> cel-python's parse tree, or an error an author can act on."""

from __future__ import annotations

import functools
import re
from typing import Any

from lark import Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from foreword.domain.errors import ForewordError

RESERVED = frozenset({
    "as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop",
    "namespace", "null", "package", "return", "true", "var", "void", "while",
})  # fmt: skip
"""CEL's own words, which name nothing else."""

_WORDS = {"and": "&&", "or": "||", "not": "!", "&": "&&", "|": "||"}
_SINGLE_EQUALS = re.compile(r"(?<![=!<>])=(?!=)")


class InvalidCondition(ForewordError):
    """A condition that is refused; `line` and `column` count from 1 inside its own text."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


@functools.cache
def _parser() -> Any:
    # Imported at the first condition: with its grammar it takes half a second.
    from celpy.celparser import CELParser

    return CELParser()


def parse(source: str) -> Tree[Token]:
    """The tree of the grammar's rule `expr`, with positions; raises InvalidCondition."""
    from celpy.celparser import CELParseError

    if not source.strip():
        raise InvalidCondition("the condition is empty")
    try:
        tree: Tree[Token] = _parser().parse(source)
    except CELParseError as error:
        cause = error.__context__
        if isinstance(cause, UnexpectedToken) and cause.token.type == "$END":
            lines = source.rstrip().split("\n")
            raise InvalidCondition(
                "the condition ends where more is needed", len(lines), len(lines[-1]) + 1
            ) from None
        line, column = max(error.line or 1, 1), max(error.column or 1, 1)
        unread = isinstance(cause, UnexpectedCharacters)
        raise InvalidCondition(_syntax_message(source, line, column, unread), line, column) from None
    return tree


def _syntax_message(source: str, line: int, column: int, unread: bool) -> str:
    """`unread`: what begins there is no word of CEL at all."""
    rest = source.split("\n")[line - 1][column - 1 :]
    found = re.match(r"\w+|\S", rest)
    word = found[0] if found else rest[:1]
    if word == "`":
        return 'CEL\'s quoted names are not supported in a condition; write x["a-name"]'
    if word == "?" and source[: _offset(source, line, column)].rstrip().endswith((".", "[")):
        return "CEL's optional values (x.?y) are not supported in a condition; ask has(x.y) first"
    if unread and word in ('"', "'"):
        return f"the text that begins with {word} has no end on this line"
    if word.lower() in _WORDS:
        return f"'{word}' is not an operator of CEL; did you mean '{_WORDS[word.lower()]}'?"
    if rest.startswith("=") and _SINGLE_EQUALS.match(source, _offset(source, line, column)):
        return "'=' is not an operator of CEL; did you mean '=='?"
    return f"'{word}' is not expected here"


def _offset(source: str, line: int, column: int) -> int:
    return sum(len(text) + 1 for text in source.split("\n")[: line - 1]) + column - 1
