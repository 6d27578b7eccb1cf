"""What would have to change for a condition to become true: only what is exactly so, and plainly said.

Where no simple statement exists the comparison itself is named, with its values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from foreword.domain.conditions import nodes
from foreword.explaining.conditions import Names, NoValue
from foreword.explaining.explanation import AllOf, AnyOf, Change, Step, Truth
from foreword.explaining.made_of import MadeOf
from foreword.explaining.moments import moment_step
from foreword.explaining.thresholds import threshold_step
from foreword.explaining.written import written

_OPPOSITE = {">=": "<", "<": ">=", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}
_MIRRORED = {">=": "<=", "<=": ">=", ">": "<", "<": ">", "==": "==", "!=": "!="}
_WORDS = {">=": "at least", ">": "more than", "<=": "at most", "<": "less than", "==": "", "!=": "other than"}

_NO_RISE = " (passing time alone makes no rise: it takes an event after that)"


class Changes:
    """`made` are the signals of the rule, `names` what its conditions know now. `time_alone`: it is asked on a
    schedule, so that what passing time makes true can be a rise."""

    def __init__(self, names: Names, made: Mapping[str, MadeOf], *, time_alone: bool) -> None:
        self._names = names
        self._made = made
        self._time_alone = time_alone

    def for_condition(self, tree: Any) -> Change:
        """Of a condition that is not true now."""
        return self._becomes(tree, wanted=True)

    def for_end(self, tree: Any) -> Change:
        """What makes a condition false that is true now."""
        return self._becomes(tree, wanted=False)

    def _becomes(self, tree: Any, *, wanted: bool) -> Change:
        match tree:
            case ["&&" | "||" as symbol, *operands]:
                left = [one for one in operands if not self._is(one, wanted=wanted)]
                every = (symbol == "&&") is wanted
                return _joined([self._becomes(one, wanted=wanted) for one in left], every=every)
            case ["!", inner]:
                return self._becomes(inner, wanted=not wanted)
            case ["name", name] if name in self._made and wanted:
                return moment_step(self._made[name]) or self._plainly(tree, wanted=wanted)
            case ["has", _, _]:
                path = written(["field", *tree[1:]])
                return self._of_event(tree, wanted=wanted) or Step(
                    f"`{path}` would have to be {'there' if wanted else 'missing'}"
                )
            case [symbol, left, right] if symbol in _OPPOSITE:
                return self._compared(symbol if wanted else _OPPOSITE[symbol], left, right, tree, wanted)
            case ["in", left, right] if wanted or self._names.truth(tree)[0] is Truth.TRUE:
                return self._of_event(tree, wanted=wanted) or Step(
                    f"`{written(left)}` would have to be {'' if wanted else 'none '}"
                    f"{'one ' if wanted else ''}of `{written(right)}`{self._now(left)}"
                )
        return self._plainly(tree, wanted=wanted)

    def _is(self, tree: Any, *, wanted: bool) -> bool:
        return self._names.truth(tree)[0] is (Truth.TRUE if wanted else Truth.FALSE)

    def _compared(self, symbol: str, left: Any, right: Any, tree: Any, wanted: bool) -> Change:
        step = self._of_event(tree, wanted=wanted)
        if step is not None:
            return step
        step = self._of_signal(symbol, left, right) or self._of_signal(_MIRRORED[symbol], right, left)
        if step is not None:
            return step
        if _names_anything(left) and not _names_anything(right):
            words = f"{_WORDS[symbol]} {written(right)}".strip()
            return Step(f"`{written(left)}` would have to be {words}{self._now(left)}")
        return self._plainly(tree, wanted=wanted)

    def _of_signal(self, symbol: str, signal: Any, bound: Any) -> Step | None:
        """Where a signal is compared with what is the same for everybody."""
        if signal[0] != "name" or signal[1] not in self._made or _names_anything(bound):
            return None
        try:
            step = threshold_step(self._made[signal[1]], symbol, self._names.value(bound))
        except NoValue:
            return None
        late = step is not None and step.time is not None and not self._time_alone
        return replace(step, text=f"{step.text}{_NO_RISE}") if late and step is not None else step

    def _of_event(self, tree: Any, *, wanted: bool) -> Step | None:
        """Where the event itself is asked, the one that comes has to be such."""
        if self._names.truth(tree)[0] is not Truth.ASKS_EVENT:
            return None
        text = written(tree) if wanted else written(["!", tree])
        return Step(f"an event for which `{text}`")

    def _plainly(self, tree: Any, *, wanted: bool) -> Change:
        step = self._of_event(tree, wanted=wanted)
        if step is not None:
            return step
        _, because = self._names.truth(tree)
        with_values = written(tree, self._names.in_place)
        now = f"; {because}" if because else f" (now `{with_values}`)" if with_values != written(tree) else ""
        return Step(f"`{written(tree)}` would have to be {'true' if wanted else 'false'}{now}")

    def _now(self, tree: Any) -> str:
        shown = self._names.in_place(tree) or written(tree, self._names.in_place)
        if shown == written(tree):
            _, because = self._names.truth(tree)
            return f" ({because})" if because else ""
        return f" (it is {shown})"


def _joined(changes: list[Change], *, every: bool) -> Change:
    if len(changes) == 1:
        return changes[0]
    return AllOf(tuple(changes)) if every else AnyOf(tuple(changes))


def _names_anything(tree: Any) -> bool:
    return any(node[0] == "name" for node in nodes(tree))
