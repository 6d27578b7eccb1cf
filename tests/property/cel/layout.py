"""Trees as texts: with the parentheses they need and others, with blanks, line ends and comments of no meaning."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from random import Random

from tests.property.cel.trees import COMPARISONS, Tree

_CHOICE, _UNARY, _MEMBER, _PRIMARY = 0, 6, 7, 8
_LEVELS = {
    "?:": _CHOICE, "||": 1, "&&": 2, **dict.fromkeys((*COMPARISONS, "in"), 3),
    "+": 4, "-": 4, "*": 5, "/": 5, "%": 5,
}  # fmt: skip
"""How tightly each binds."""

_GAPS = (*" " * 6, "  ", "\t", "\n", "\r\n", ' // "why" && (\n')


class Layout:
    """For seed 0 no parenthesis without need, and one blank between all; else `parentheses` is how many are put."""

    def __init__(self, seed: int, parentheses: float = 0.1) -> None:
        self._random = Random(seed) if seed else None
        self._parentheses = parentheses

    def text(self, tree: Tree) -> str:
        tokens = self._tokens(tree, _CHOICE)
        return tokens[0] + "".join(self._gap(before, token) + token for before, token in pairwise(tokens))

    def _tokens(self, tree: Tree, least: int) -> list[str]:
        """Those of `tree` in a place for what binds at least so tightly."""
        tokens, level = self._written(tree)
        if level < least or (self._random is not None and self._random.random() < self._parentheses):
            return ["(", *tokens, ")"]
        return tokens

    def _written(self, tree: Tree) -> tuple[list[str], int]:
        match tree:
            case ["atom", text]:
                return [text], _UNARY if text.startswith("-") else _PRIMARY
            case ["?:", condition, first, second]:
                chosen = [*self._tokens(condition, 1), "?", *self._tokens(first, 1)]
                return [*chosen, ":", *self._tokens(second, _CHOICE)], _CHOICE
            case [("!" | "-") as sign, operand]:
                # A sign that repeats itself is left out by Google's CEL before it sees that `!!0` has no answer.
                return [sign, *self._tokens(operand, _MEMBER)], _UNARY
            case [".", inner, name]:
                return [*self._tokens(inner, _MEMBER), ".", name], _MEMBER
            case ["[]", inner, index]:
                return [*self._tokens(inner, _MEMBER), "[", *self._tokens(index, _CHOICE), "]"], _MEMBER
            case ["[,]", *elements]:
                return ["[", *self._commas(elements), "]"], _PRIMARY
            case ["call", name, *arguments]:
                return [name, "(", *self._commas(arguments), ")"], _PRIMARY
            case ["method", name, receiver, *arguments]:
                called = [*self._tokens(receiver, _MEMBER), ".", name]
                return [*called, "(", *self._commas(arguments), ")"], _MEMBER
            case [symbol, first, *others]:
                level = _LEVELS[symbol]
                tokens = self._tokens(first, level)
                for other in others:
                    tokens += [symbol, *self._tokens(other, level + 1)]
                return tokens, level
        raise ValueError(f"not a tree: {tree!r}")

    def _commas(self, trees: Sequence[Tree]) -> list[str]:
        tokens: list[str] = []
        for at, tree in enumerate(trees):
            tokens += [*([","] if at else []), *self._tokens(tree, _CHOICE)]
        return tokens

    def _gap(self, before: str, token: str) -> str:
        if self._random is None:
            return " "
        fraction = token[0] == "." and token != "."
        apart = before[-1].isalnum() and (token[0].isalnum() or token[0] in "\"'" or fraction)
        gaps: Sequence[str] = _GAPS if apart else (*_GAPS, *[""] * len(_GAPS))
        return self._random.choice(gaps)
