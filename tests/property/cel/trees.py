"""Random conditions as trees that know their types.

They come from a seed: Hypothesis varies what it draws too little to reach many different trees.

A tree is a list: an operator and its operands, or `["atom", text]`. The types are those of the checker: wherever
CEL allows it, a tree of a type may hold what is known only at run time (`dyn`).

CEL has no arithmetic between ints and doubles, and cuts what `/` leaves over; here a number is a number. So all
numbers that are reckoned with are of one kind: ints, without `/`, or doubles, without `%` and with divisors that
leave an exact quotient. Comparisons and `in` mix both kinds freely.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, TypeAlias

from tests.property.cel.worlds import FIELDS, SIGNALS, duration_text, instant_text

Tree: TypeAlias = list[Any]
Make: TypeAlias = Callable[[int], Tree]
"""A tree of at most so many levels, give or take the fields' own."""

COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
METHODS = ("contains", "startsWith", "endsWith")

_NAMES = tuple(name for names in FIELDS.values() for name in names)
_STRINGS = (
    '"a"', "'E11'", '""', '"ä"', "r'b'", '"\\u00e4"', "'\\U0001F600'", '"\\uffff"', '"a\\nb"', '"""a\nb"""',
    '"\\141"', "'1'", '"A"', '"z"', '"aa"', "event.type", "event.source",
)  # fmt: skip
_LITERAL_STRINGS = _STRINGS[:-2]
_INTS = ("0", "1", "2", "3", "-1", "-2", "7", "0x3", "-0x1", "9")
_DOUBLES = ("0.0", "1.0", "2.0", "0.5", "-1.0", ".25", "-0.5", "3e0", "15e-1", "-2.0")
_COMPARED = (
    "1u", "2.0", "1", "0.1", "0.3", "19.90", "1e3", "9007199254740993", "9007199254740992", "0x2u", "-0.1",
)  # fmt: skip
_DIVISORS = ("2.0", "4.0", "0.5", "-2.0", "1.0")


def atom(text: str) -> Tree:
    return ["atom", text]


def field(root: str, *names: str) -> Tree:
    tree = atom(root)
    for name in names:
        tree = [".", tree, name]
    return tree


_TRUTHS = (atom("true"), atom("false"), atom("hit"), field("event.data", "b"), field("profile", "c"))
_FAILURES = (
    field("event.data", "gone"),
    field("event.data", "s"),
    field("profile", "s", "gone"),
    ["call", "has", field("profile", "gone", "x")],
    ["<", field("profile", "n"), atom('"a"')],
    ["[]", ["[,]", atom("true")], atom("1")],
    [">", ["%", atom("1"), atom("0")], atom("0")],
    atom("product"),
)


class Trees:
    """`signals` names those that may occur; `doubles` says which kind of numbers is reckoned with."""

    def __init__(self, seed: int, *, doubles: bool, signals: Sequence[str] = tuple(SIGNALS)) -> None:
        self._random = Random(seed)
        self._doubles = doubles
        self._signals = signals

    def any(self, depth: int) -> Tree:
        """Of any type."""
        return self._one_of(
            depth, self.boolean, self.number, self.string, self.list, self.dyn, self.timestamp, self.duration
        )

    def logic(self, depth: int) -> Tree:
        """`&&`, `||`, `!`, `?:` and `==` over truths and errors of every sort."""
        if depth <= 0:
            return self._random.choice((*_TRUTHS, *_TRUTHS, *_FAILURES))
        operands = [self.logic(depth - 1) for _ in range(3)]
        made: tuple[Tree, ...] = (
            ["&&", *operands[self._number(1) :]],
            ["||", *operands[self._number(1) :]],
            ["!", operands[0]],
            ["?:", *operands],
            ["==", *operands[1:]],
        )
        return self._random.choice(made)

    def boolean(self, depth: int) -> Tree:
        if depth <= 0:
            return self._leaf("boolean", ("true", "false"))
        return self._one_of(
            depth - 1,
            self._compared,
            self._logical,
            self._logical,
            lambda depth: ["!", self._or_dyn(self.boolean, depth)],
            self._contained,
            lambda depth: [
                "method",
                self._text(METHODS),
                self._or_dyn(self.string, depth),
                self.string(depth),
            ],
            self._has,
            self._choice(self.boolean),
        )

    def number(self, depth: int) -> Tree:
        """To be compared, not reckoned with."""
        return self._one_of(depth, self.reckoned, self._size, self._atom(*_COMPARED))

    def reckoned(self, depth: int) -> Tree:
        if depth <= 0:
            return self._leaf("number", _DOUBLES if self._doubles else _INTS)
        return self._one_of(
            depth - 1,
            self._arithmetic,
            self._arithmetic,
            lambda depth: ["-", self.reckoned(depth)],
            self._choice(self.reckoned),
        )

    def string(self, depth: int) -> Tree:
        if depth <= 0:
            return self._leaf("string", _STRINGS)
        return self._one_of(
            depth - 1,
            lambda depth: ["+", self._or_dyn(self.string, depth), self.string(depth)],
            lambda depth: [
                "[]",
                self._one_of(depth, self._atom("lists.codes"), self._texts),
                self._index(depth),
            ],
            self._choice(self.string),
        )

    def list(self, depth: int) -> Tree:
        """Of which the checker does not know what the elements are."""
        if depth <= 0:
            return self._leaf("list", ("[]",))
        return self._one_of(
            depth - 1,
            self._mixed,
            lambda _: self._leaf("list", ("[]", "[null]")),
            lambda depth: ["+", self.list(depth), self.list(depth)],
            self._choice(self.list),
        )

    def map(self, depth: int) -> Tree:
        return self._leaf("map", ("event.data", "profile"))

    def timestamp(self, depth: int) -> Tree:
        if depth <= 0:
            return self._one_of(
                depth,
                self._atom("event.occurred_at"),
                lambda _: ["call", "timestamp", self._quoted(instant_text)],
                lambda _: ["call", "timestamp", self._root_field("timestamp")],
            )
        return self._one_of(
            depth - 1,
            lambda _: self.timestamp(0),
            lambda depth: ["+", self.timestamp(depth), self.duration(depth)],
            lambda depth: ["+", self.duration(depth), self.timestamp(depth)],
            lambda depth: ["-", self.timestamp(depth), self.duration(depth)],
            self._choice(self.timestamp),
        )

    def duration(self, depth: int) -> Tree:
        if depth <= 0:
            return self._one_of(
                depth,
                lambda _: ["call", "duration", self._quoted(duration_text)],
                lambda _: ["call", "duration", self._root_field("duration")],
                *([self._atom("silence")] if "silence" in self._signals else []),
            )
        return self._one_of(
            depth - 1,
            lambda _: self.duration(0),
            lambda depth: [self._text("+-"), self.duration(depth), self.duration(depth)],
            lambda depth: ["-", self.timestamp(depth), self.timestamp(depth)],
            self._choice(self.duration),
        )

    def dyn(self, depth: int) -> Tree:
        """Known only when an event has come: a field of any kind, missing ones too."""
        if depth <= 0:
            return self._one_of(depth, lambda _: self._root_field(self._text(tuple(FIELDS))), self._named_dyn)
        return self._one_of(
            depth - 1,
            lambda _: self.dyn(0),
            lambda depth: [".", self.map(depth), self._text(_NAMES)],
            lambda depth: [".", self.dyn(depth), self._text(_NAMES)],
            lambda depth: ["[]", self._one_of(depth, self.map, self.dyn), self._or_dyn(self._name, depth)],
            lambda depth: ["[]", self._one_of(depth, self.dyn, self._mixed), self._index(depth)],
            self._choice(self.dyn),
        )

    def _compared(self, depth: int) -> Tree:
        """Two of one type, one of them unknown now and then; what has no order is asked for equality alone."""
        symbol = self._text(COMPARISONS)
        makes: list[Make] = [
            self.number, self.number, self.string, self.boolean, self.timestamp, self.duration, self.dyn,
        ]  # fmt: skip
        if symbol in ("==", "!="):
            makes += [self.list, self.map, self._atom("null")]
        make = self._random.choice(makes)
        pair = [make(depth), (self.dyn if self._number(3) == 0 else make)(depth)]
        return [symbol, *(pair if self._number(1) else pair[::-1])]

    def _logical(self, depth: int) -> Tree:
        operands = [self._or_dyn(self.boolean, depth) for _ in range(2 + self._number(1))]
        return [self._text(("&&", "||")), *operands]

    def _contained(self, depth: int) -> Tree:
        return self._one_of(
            depth,
            lambda depth: ["in", self._or_dyn(self.string, depth), self._texts(depth)],
            lambda depth: [
                "in",
                self._or_dyn(self.string, depth),
                self._atom("lists.codes", "lists.none")(depth),
            ],
            lambda depth: ["in", self.any(depth), self._one_of(depth, self._mixed, self.dyn)],
            lambda depth: ["in", self._or_dyn(self._name, depth), self.map(depth)],
        )

    def _has(self, depth: int) -> Tree:
        return ["call", "has", [".", self._one_of(depth, self.map, self.map, self.dyn), self._text(_NAMES)]]

    def _size(self, depth: int) -> Tree:
        of = self._one_of(
            depth, self.string, self.list, self.map, self.dyn, self._texts, self._atom("lists.codes")
        )
        return [self._text(("call", "method")), "size", of]

    def _arithmetic(self, depth: int) -> Tree:
        symbol = self._text("+-*/" if self._doubles else "+-*%")
        if symbol == "/":
            return ["/", self.reckoned(depth), self._atom(*_DIVISORS)(depth)]
        return [symbol, self.reckoned(depth), self.reckoned(depth)]

    def _texts(self, depth: int) -> Tree:
        """A list of texts, and known to be one."""
        return ["[,]", *(self._atom(*_LITERAL_STRINGS)(depth) for _ in range(1 + self._number(2)))]

    def _mixed(self, depth: int) -> Tree:
        return ["[,]", self.dyn(depth), *(self.any(depth) for _ in range(self._number(2)))]

    def _choice(self, make: Make) -> Make:
        def made(depth: int) -> Tree:
            return ["?:", self._or_dyn(self.boolean, depth), self._or_dyn(make, depth), make(depth)]

        return made

    def _or_dyn(self, make: Make, depth: int) -> Tree:
        return (self.dyn if self._number(7) == 0 else make)(depth)

    def _leaf(self, kind: str, atoms: Sequence[str]) -> Tree:
        signals = [name for name in self._signals if SIGNALS[name] == kind]
        choice = self._number(2)
        if choice == 0 or (choice == 1 and not signals):
            return self._root_field(kind)
        return atom(self._text(signals if choice == 1 else atoms))

    def _named_dyn(self, depth: int) -> Tree:
        return atom("product") if "product" in self._signals else self._root_field("any")

    def _root_field(self, kind: str) -> Tree:
        return field(self._text(("event.data", "event.data", "profile")), self._text(FIELDS[kind]))

    def _name(self, depth: int) -> Tree:
        return atom(f'"{self._text(_NAMES)}"')

    def _index(self, depth: int) -> Tree:
        if self._number(3) == 0:
            return self.reckoned(depth)
        return atom(self._text(("0.0", "1.0", "2.0") if self._doubles else ("0", "1", "2")))

    def _quoted(self, text: Callable[[Random], str]) -> Tree:
        return atom(f'"{text(self._random)}"')

    def _atom(self, *texts: str) -> Make:
        return lambda _: atom(self._text(texts))

    def _one_of(self, depth: int, *makes: Make) -> Tree:
        return self._random.choice(makes)(depth)

    def _text(self, texts: Sequence[str]) -> str:
        return self._random.choice(texts)

    def _number(self, most: int) -> int:
        return self._random.randint(0, most)
