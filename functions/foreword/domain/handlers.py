"""One Python function for each event type: everything that an event of this type does to one customer's walk.

    def handle(walk, fact):
        take the fact into the memory of every signal whose EVENT it matches
        ask the condition of every rule that is evaluated by one of these, and tell the walk where it is true

The text is made of fixed phrases and `domain.python_code`; what an author wrote comes in as constants alone.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from foreword.domain.condition_values import ARITHMETIC
from foreword.domain.conditions import nodes
from foreword.domain.errors import ConditionError
from foreword.domain.facts import CUSTOMER_UPDATED, OWN_TYPES, Fact
from foreword.domain.instants import Instant, to_datetime
from foreword.domain.python_code import Code, Kind, Written, condition, strict
from foreword.domain.rulebook import EventFilter, Expression, Send
from foreword.domain.signals.deadlines import Deadlines
from foreword.domain.signals.packing import identity
from foreword.domain.signals.times import CountTracker
from foreword.domain.signals.tracker import Keeper, Part, Tracker

if TYPE_CHECKING:
    from foreword.domain.core import CompiledRule
    from foreword.domain.walk import Walk

Handler: TypeAlias = "Callable[[Walk, Fact], None]"
Values: TypeAlias = tuple[Any, ...]
Condition: TypeAlias = Callable[[Fact | None, Instant, Mapping[str, Any], Values], bool]
Score: TypeAlias = Callable[[Fact | None, Instant, Mapping[str, Any], Values], Decimal]

LONGEST_CASE = 256


class FactScope:
    """Names bound to local variables: `fact`, `data`, `t`, `profile`, and one for each signal."""

    def __init__(
        self,
        code: Code,
        lists: Mapping[str, tuple[str, ...]],
        signals: Mapping[str, Written | None] | None = None,
    ) -> None:
        self.code = code
        self._lists = lists
        self._signals = signals or {}
        self.used: set[str] = set()
        code.globals |= {"moment": to_datetime, "undefined": _undefined, "event_names": event_names}

    def name(self, name: str) -> Written:
        self.used.add(name)
        if name == "event":
            return "event_names(fact)", "any"
        if name == "profile":
            return "profile", "any"
        if name == "lists":
            return self.code.constant(self._lists), "any"
        if name not in self._signals:
            return f"undefined({name!r})", "any"
        bound = self._signals[name]
        return bound if bound is not None else (f"undefined({name!r})", "any")

    def field(self, container: Any, field: str, path: str) -> Written:
        match container, field:
            case ["name", "event"], "data":
                return self._of_event("data"), "any"
            case ["name", "event"], "type":
                return self._of_event("fact.type"), "string"
            case ["name", "event"], "source":
                return self._of_event("fact.source"), "string"
            case ["name", "event"], "occurred_at":
                return self._of_event("moment(t)"), "any"
            case ["name", "lists"], _ if field in self._lists:
                return self.code.constant(self._lists[field]), "any"
        return f"{strict(container, self)[0]}[{field!r}]", "any"

    def has(self, container: Any, field: str, path: str) -> str:
        if container in (["field", ["name", "event"], "data"], ["name", "profile"]):
            return f"({field!r} in {strict(container, self)[0]})"
        return f"has_field({strict(container, self)[0]}, {field!r})"

    def _of_event(self, code: str) -> str:
        self.used.add("event")
        return code


class RuleCode:
    """A rule's conditions as functions of (fact, t, profile, values of all signals in their order)."""

    def __init__(self, rule: CompiledRule) -> None:
        self._rule = rule
        self._was: Callable[[Walk, Fact | None, Instant, str | None], bool] | None = None
        self._names = [(name, rule.trackers.get(name)) for name in rule.names]
        self._lists = rule.lists
        self.when = self._compiled(rule.rule.when)
        self.eligible = self._compiled(rule.rule.eligible)
        self.sends: list[Condition | None] = [
            None if send.condition is None else self._compiled(send.condition) for send in rule.rule.sends
        ]
        self.scores = [self._score(send) for send in rule.rule.sends]

    def was_true(self, walk: Walk, fact: Fact | None, t: Instant, case: str | None) -> bool:
        """Whether `when` was true just before `t`."""
        if self._was is None:
            self._was = self._write_was()
        return self._was(walk, fact, t, case)

    def _write_was(self) -> Callable[[Walk, Fact | None, Instant, str | None], bool]:
        """Only the signals that the condition names are asked."""
        rule, code = self._rule, Code()
        lines = ["memories = walk.memories", "first_event = walk.first_event"]
        bound: dict[str, Written | None] = {}
        for at, name in enumerate(sorted(rule.used)):
            tracker = rule.trackers.get(name)
            bound[name] = None
            if tracker is None:
                continue
            key = rule.keys[name]
            place = repr(key)
            if rule.rule.for_each is not None and not rule.rule.is_customer_wide(name):
                place = f"{key!r} if case is None else {key + '/'!r} + case"
            before = code.constant(tracker.before, "before")
            asked = f"{before}(memories[{place}], t, first_event)"
            if isinstance(tracker, CountTracker):
                lines.append(f"memory = memories[{place}]")
                plain = f"memory and memory[0] >= t - {tracker.within}"
                plain += " and not memory.older and memory.covered is None"
                asked = f"bisect_left(memory, t) if {plain} else {before}(memory, t, first_event)"
            lines.append(f"signal{at} = {asked}")
            bound[name] = _bound(name, f"signal{at}", tracker)
        code.globals["bisect_left"] = bisect_left
        scope = FactScope(code, self._lists, bound)
        asked = condition(rule.rule.when.tree, scope)
        if "event" in scope.used:
            lines += ["if fact is None:", "    return False", "data = fact.data"]
        if "profile" in scope.used:
            lines.append("profile = walk.profile(t)")
        lines += ["try:", f"    return {asked}", "except ERRORS:", "    return False"]
        was: Callable[[Walk, Fact | None, Instant, str | None], bool] = code.function(
            "was", "walk, fact, t, case", lines
        )
        return was

    def _compiled(self, expression: Expression) -> Condition:
        """False where the condition ends in an error, and where it asks for an event that is unknown."""
        if expression.tree == ["bool", True]:
            return _always
        # Checked here, so that a rulebook outside the whitelist is refused as a whole; compiled when first asked.
        self._write(expression)
        compiled: list[Condition] = []

        def ask(fact: Fact | None, t: Instant, profile: Mapping[str, Any], values: Values) -> bool:
            if not compiled:
                compiled.append(self._write(expression)())
            return compiled[0](fact, t, profile, values)

        return ask

    def _score(self, send: Send) -> Score:
        """Its priority times the numbers of its expressions; one that has none counts as 1."""
        priority = Decimal(send.priority)
        factors = [
            self._value_of(expression)
            for expression in (send.propensity, send.context, send.value)
            if expression is not None
        ]

        def score(fact: Fact | None, t: Instant, profile: Mapping[str, Any], values: Values) -> Decimal:
            product = priority
            for factor in factors:
                number = factor(fact, t, profile, values)
                if type(number) is int or type(number) is Decimal:
                    product = ARITHMETIC.multiply(product, number)
            return product

        return score

    def _value_of(self, expression: Expression) -> Callable[..., Any]:
        """The expression's value, None where there is none."""
        code = Code()
        bound = {name: _bound(name, f"values[{at}]", found) for at, (name, found) in enumerate(self._names)}
        scope = FactScope(code, self._lists, bound)
        value, _ = strict(expression.tree, scope)
        lines = ["if fact is None:", "    return None", "data = fact.data"] if "event" in scope.used else []
        lines += ["try:", f"    return {value}", "except ERRORS:", "    return None"]
        found: Callable[..., Any] = code.function("value", "fact, t, profile, values", lines)
        return found

    def _write(self, expression: Expression) -> Callable[[], Condition]:
        code = Code()
        bound = {name: _bound(name, f"values[{at}]", found) for at, (name, found) in enumerate(self._names)}
        scope = FactScope(code, self._lists, bound)
        asked = condition(expression.tree, scope)
        lines = ["if fact is None:", "    return False", "data = fact.data"] if "event" in scope.used else []
        lines += ["try:", f"    return {asked}", "except ERRORS:", "    return False"]
        return lambda: code.function("condition", "fact, t, profile, values", lines)


def event_names(fact: Fact) -> dict[str, Any]:
    """`event` as conditions see it."""
    return {
        "data": fact.data,
        "type": fact.type,
        "source": fact.source,
        "occurred_at": to_datetime(fact.occurred_at),
    }


def may_match(event: EventFilter, event_type: str) -> bool:
    """Whether an EVENT may mean this type; no types are any but CustomerUpdated and Foreword's own."""
    if event.types is None:
        return event_type != CUSTOMER_UPDATED and event_type not in OWN_TYPES
    return event_type in event.types


def case_of(value: Any) -> str | None:
    """The case that a value names; None where it names none: an event without the key is not the rule's."""
    if type(value) is str:
        return value if len(value) <= LONGEST_CASE else identity(value)
    if value is None or isinstance(value, list | tuple | dict):
        return None
    return identity(value)


def write_handler(
    event_type: str,
    rules: Sequence[CompiledRule],
    lists: Mapping[str, tuple[str, ...]],
    holding: Mapping[str, Keeper],
) -> Handler:
    """`holding` are the trackers, by key, that tell what holds messages back."""
    return _Writer(event_type, rules, lists, holding).handler()


class _Writer:
    """The function of one event type, block by block."""

    def __init__(
        self,
        event_type: str,
        rules: Sequence[CompiledRule],
        lists: Mapping[str, tuple[str, ...]],
        holding: Mapping[str, Keeper],
    ) -> None:
        self._type = event_type
        self._rules = rules
        self._holding = holding
        self._code = Code()
        self._code.globals["case_of"] = case_of
        self._lists = lists
        self._lines: list[str] = []
        self._uses_profile = False
        self._cases: dict[str, str] = {}
        self._memories: dict[str, str] = {}
        self._hit: dict[str, str] = {}

    def handler(self) -> Handler:
        for rule in self._rules:
            case = self._case(rule)
            for name in rule.names:
                if name in rule.trackers and rule.keys[name] not in self._hit:
                    self._take(rule.trackers[name], rule.keys[name], self._place(rule, name, case), case)
        for key, tracker in self._holding.items():
            if key not in self._hit:
                self._take(tracker, key, repr(key), None)
        for rule in self._rules:
            self._ask(rule, self._case(rule))
            self._except(rule, self._case(rule))
        first = ["t = fact.occurred_at", "data = fact.data", "memories = walk.memories"]
        if self._uses_profile:
            first.append("profile = walk.profile(t)")
        handler: Handler = self._code.function("handle", "walk, fact", [*first, *self._lines])
        return handler

    def _emit(self, indent: int, *lines: str) -> None:
        self._lines += [f"{'    ' * indent}{line}" for line in lines]

    def _scope(self, signals: Mapping[str, Written | None] | None = None) -> FactScope:
        return FactScope(self._code, self._lists, signals)

    def _asked(
        self, indent: int, variable: str, tree: Any, signals: Mapping[str, Written | None] | None
    ) -> None:
        """`variable` is whether the condition is true."""
        scope = self._scope(signals)
        asked = condition(tree, scope)
        self._uses_profile |= "profile" in scope.used
        self._emit(indent, "try:", f"    {variable} = {asked}", "except ERRORS:", f"    {variable} = False")

    def _value(self, indent: int, variable: str, tree: Any) -> None:
        """`variable` is the expression's value, None where it is missing."""
        scope = self._scope()
        value, _ = strict(tree, scope)
        self._uses_profile |= "profile" in scope.used
        self._emit(indent, "try:", f"    {variable} = {value}", "except ERRORS:", f"    {variable} = None")

    def _case(self, rule: CompiledRule) -> str | None:
        """The variable of the rule's case; evaluated once for all rules with the same key."""
        if rule.rule.for_each is None:
            return None
        tree = rule.rule.for_each.tree
        known = self._cases.get(repr(tree))
        if known is None:
            known = self._cases[repr(tree)] = self._code.variable("case")
            self._value(0, known, tree)
            self._emit(0, f"{known} = case_of({known})")
        return known

    def _place(self, rule: CompiledRule, name: str, case: str | None) -> str:
        """The source of the memory's key."""
        key = rule.keys[name]
        return repr(key) if case is None or rule.rule.is_customer_wide(name) else f"{key + '/'!r} + {case}"

    def _take(self, tracker: Keeper, key: str, place: str, case: str | None) -> None:
        """Take the fact into one signal's memory; `_hit` says how to ask whether it matched."""
        parts = [part for part in tracker.parts if may_match(part.of, self._type)]
        if not parts:
            self._hit[key] = "False"
            return
        memory = self._memories[key] = self._code.variable("memory")
        indent = 0
        if len(parts) == 1 and parts[0].of.where is None and case is None:
            self._hit[key] = "True"
            self._emit(0, f"{memory} = memories[{place}]")
            self._part(0, tracker, parts[0], memory, place)
            return
        hit = self._hit[key] = self._code.variable("hit")
        self._emit(0, f"{hit} = False")
        if case is not None:
            self._emit(0, f"if {case} is not None:")
            indent = 1
        for part in parts:
            inner = indent
            if part.otherwise:
                self._emit(indent, f"if not {hit}:")
                inner += 1
            if part.of.where is not None:
                matched = self._code.variable("matched")
                self._asked(inner, matched, part.of.where.tree, None)
                self._emit(inner, f"if {matched}:")
                inner += 1
            self._emit(inner, f"{hit} = True", f"{memory} = memories[{place}]")
            self._part(inner, tracker, part, memory, place)

    def _part(self, indent: int, tracker: Keeper, part: Part, memory: str, place: str) -> None:
        if isinstance(tracker, CountTracker) and part.take == "add":
            self._emit(indent, f"{memory}.append(t)")
            return
        take = self._code.constant(getattr(tracker, part.take), "take")
        if part.value is not None:
            value = self._code.variable("value")
            self._value(indent, value, part.value.tree)
        else:
            value = "None"
        if part.takes == "fact":
            self._emit(indent, f"{take}({memory}, t, fact, {value})")
        elif part.takes == "value":
            self._emit(indent, f"if {value} is not None:", f"    {take}({memory}, t, {value})")
        else:
            self._emit(indent, f"{take}({memory}, t)")
        if isinstance(tracker, Deadlines):
            self._emit(indent, f"walk.watch({place}, {memory})")

    def _ask(self, rule: CompiledRule, case: str | None) -> None:
        """Evaluate the rule where one of its signals matched."""
        compiled = self._code.constant(rule, "rule")
        asked = "None" if case is None else case
        if rule.peers is not None:
            gave = self._any_hit(rule, [rule.peers[1].signal])
            self._when(self._any_hit(rule, rule.trackers), f"walk.compared({compiled}, fact, {gave})")
            return
        if rule.rule.evaluate is not None:
            self._when(self._any_hit(rule, rule.trackers), f"walk.scheduled({compiled}, fact, {asked})")
            return
        hit = self._any_hit(rule, rule.used)
        if hit == "False":
            return
        indent = 0
        if hit != "True":
            self._emit(0, f"if {hit}:")
            indent = 1
        variables = {
            name: self._signal(indent, rule, name, case)
            for name in sorted(rule.used)
            if name in rule.trackers
        }
        signals = {
            name: _bound(name, variables[name], rule.trackers[name]) if name in variables else None
            for name in rule.used
        }
        truth = self._code.variable("true")
        undefined = [variable for name, variable in variables.items() if not rule.trackers[name].defined]
        if undefined and _all_strict(rule.rule.when.tree):
            signals |= {name: (variables[name], _kind(rule.trackers[name])) for name in variables}
            self._emit(
                indent, f"{truth} = False", f"if {' is not None and '.join(sorted(undefined))} is not None:"
            )
            self._asked(indent + 1, truth, rule.rule.when.tree, signals)
        else:
            self._asked(indent, truth, rule.rule.when.tree, signals)
        known = self._known_values(rule, variables)
        self._emit(
            indent,
            f"if {truth}:",
            f"    walk.rises_at({compiled}, fact, {asked}{known})",
            "elif walk.running:",
            f"    walk.falls_at({compiled}, t, {asked})",
        )

    def _except(self, rule: CompiledRule, case: str | None) -> None:
        """Tell the walk of an event that cancels what the rule's firings before it have not sent yet."""
        compiled = self._code.constant(rule, "rule")
        watched = [(rule.rule.exceptions, None), *((it.unless, at) for at, it in enumerate(rule.rule.sends))]
        for event, send in watched:
            if event is None or not may_match(event, self._type):
                continue
            conditions = [] if case is None else [f"{case} is not None"]
            if event.where is not None:
                matched = self._code.variable("matched")
                self._asked(0, matched, event.where.tree, None)
                conditions.append(matched)
            asked = "None" if case is None else case
            line = f"walk.excepted({compiled}, {send}, t, {asked})"
            self._when(" and ".join(conditions) or "True", line)

    def _known_values(self, rule: CompiledRule, variables: Mapping[str, str]) -> str:
        """The values of all the rule's signals, where its condition asks for all of them."""
        if not variables.keys() | rule.untracked.keys() >= set(rule.names):
            return ""
        written = (variables.get(name) or repr(rule.untracked[name]) for name in rule.names)
        return f", ({''.join(f'{value}, ' for value in written)})"

    def _when(self, hit: str, line: str) -> None:
        if hit == "True":
            self._emit(0, line)
        elif hit != "False":
            self._emit(0, f"if {hit}:", f"    {line}")

    def _any_hit(self, rule: CompiledRule, names: Iterable[str]) -> str:
        hits = {self._hit[rule.keys[name]] for name in names if name in rule.keys} - {"False"}
        if "True" in hits:
            return "True"
        return " or ".join(sorted(hits)) or "False"

    def _signal(self, indent: int, rule: CompiledRule, name: str, case: str | None) -> str:
        """Compute the signal's value into a variable."""
        tracker = rule.trackers[name]
        key = rule.keys[name]
        place = self._place(rule, name, case)
        memory = self._code.variable("memory")
        if self._hit[key] == "True":
            memory = self._memories[key]
        else:
            self._emit(indent, f"{memory} = memories[{place}]")
        variable = self._code.variable("signal")
        value = self._code.constant(tracker.value, "value")
        asked = f"{value}({memory}, t, walk.first_event)"
        if isinstance(tracker, CountTracker):
            # Nothing has left the window: all of them stand in it.
            inside = f"{memory} and {memory}[0] > t - {tracker.within} and not {memory}.older"
            asked = f"len({memory}) if {inside} else {asked}"
        self._emit(indent, f"{variable} = {asked}")
        return variable


def _all_strict(tree: Any) -> bool:
    """Whether the condition is false where any name in it is undefined: nothing makes up for an error."""
    conjuncts = tree[1:] if tree[0] == "&&" else [tree]
    return not any(node[0] in ("&&", "||", "?:") for conjunct in conjuncts for node in nodes(conjunct))


def _kind(tracker: Tracker | None) -> Kind:
    if tracker is None:  # a comparison with peers, known only where it was made
        return "number"
    if tracker.moment:
        return "boolean"
    return "number" if tracker.number else "any"


def _bound(name: str, variable: str, tracker: Tracker | None) -> Written:
    kind = _kind(tracker)
    if tracker is not None and tracker.defined:
        return variable, kind
    return f"({variable} if {variable} is not None else undefined({name!r}))", kind


def _always(fact: Fact | None, t: Instant, profile: Mapping[str, Any], values: Values) -> bool:
    return True


def _undefined(name: str) -> Any:
    raise ConditionError(f"{name} is undefined")
