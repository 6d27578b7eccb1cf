"""What is kept of a customer between folds: signals' memory, decisions made, and which facts are in it.

Stored as short JSON text. A state of the first format (0.1.0) is read for its decisions; its memory is filled anew.
"""

from __future__ import annotations

import json
from bisect import insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from operator import attrgetter
from typing import Any, NamedTuple

from foreword.domain import json_text
from foreword.domain.errors import NewerState
from foreword.domain.facts import Fact
from foreword.domain.instants import MINUTE, NEVER, Duration, Instant
from foreword.domain.messages import message_id
from foreword.domain.rulebook import Purpose
from foreword.domain.signals.packing import pack_times, unpack_times

FORMAT = 2
"""Of the stored text. Code that meets a later one leaves the customer to code that knows it."""

REMEMBERED_FOR = 10 * MINUTE
FEWEST_REMEMBERED = 8
MOST_REMEMBERED = 256
"""Applied facts are known by name as long as their receipt lies this close to the newest one, some in any case;
older ones are told apart by a rebuild from the journal."""

REMEMBERED_DECISIONS = 16
"""How many decided rises a case of a rule keeps; nothing at or before the newest one let go is ever decided again.

A firing whose clock of re-eligibility still runs is never let go: there is one for each case at most."""

NAME = 12
"""Hexadecimal digits by which a fact or a message is known here, each among few."""

EPISODE = 8
NO_EPISODE = " " * EPISODE
"""An episode that is a moment is known by fewer: mostly its time tells already."""

Order = tuple[Instant, Instant, str]

BEGINNING: Order = (-NEVER, 0, "")


@dataclass(slots=True)
class Decided:
    """A rise that was decided. `episode` and `left` are short names: left are the messages that went on.

    Where none is left, the firing does not hold its clock of re-eligibility.
    """

    at: Instant
    case: str | None
    episode: str
    moment: bool
    left: list[str]

    @property
    def fired(self) -> bool:
        return bool(self.left)


class HeldMessage(NamedTuple):
    """A message that is held back, known by its short id: looked at again when that may be over."""

    short_id: str
    purpose: Purpose
    rule: str
    deliver_by: Instant


@dataclass(slots=True)
class State:
    """Mutable while a fold works on its own copy.

    `position` is the order of the last fact or deadline that mattered; whatever mattering fact stands before it
    is late. `packed` holds the signals' memories by key, `due_by` the earliest deadline in each, `schedules` by
    rule (and case) the next evaluation and what the last one found. `fingerprint` is that of the core which
    filled the memories, `met` the rules it had. `since` is, for a rule met by a customer who had history already,
    the receipt from which it decides. `held` are messages that are held back. `retracted` are facts that were
    taken back before they came. `spilled`: the memories were too large to be stored, and every fold asks the
    journal instead.
    """

    position: Order = BEGINNING
    packed: dict[str, Any] = field(default_factory=dict)
    due_by: dict[str, Instant] = field(default_factory=dict)
    schedules: dict[str, tuple[Instant, bool]] = field(default_factory=dict)
    first_event: Instant | None = None
    decided: dict[str, list[Decided]] = field(default_factory=dict)
    decided_before: dict[str, Instant] = field(default_factory=dict)
    fingerprint: str = ""
    met: frozenset[str] = frozenset()
    since: dict[str, Instant] = field(default_factory=dict)
    remembered: list[tuple[Instant, str]] = field(default_factory=list)
    forgotten_through: Instant | None = None
    retracted: tuple[str, ...] = ()
    swept_day: int = 0
    spilled: bool = False
    held: list[HeldMessage] = field(default_factory=list)

    def to_json(self) -> str:
        written: dict[str, Any] = {
            "v": FORMAT,
            "p": self.position,
            "m": self.packed,
            "d": self.due_by,
            "s": self.schedules,
            "e": self.first_event,
            "x": {rule: _pack_decided(entries) for rule, entries in self.decided.items() if entries},
            "b": self.decided_before,
            "r": self.fingerprint,
            "k": "".join(sorted(self.met)),
            "n": self.since,
            "f": [
                pack_times([at for at, _ in self.remembered]),
                "".join(name for _, name in self.remembered),
            ],
            "g": self.forgotten_through,
            "t": self.retracted,
            "w": self.swept_day,
            "o": self.spilled,
            "h": self.held,
        }
        kept = {name: value for name, value in written.items() if value or name == "v"}
        return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str, customer_id: str) -> State:
        """Raises NewerState where only later code can read it."""
        value = json.loads(text)
        if "v" not in value:
            return _first_format(text, customer_id)
        if value["v"] > FORMAT:
            raise NewerState(
                f"the customer's state has the format {value['v']}, and this code knows {FORMAT}"
            )
        times, names = value.get("f", [[], ""])
        met = value.get("k", "")
        return cls(
            position=tuple(value.get("p", BEGINNING)),
            packed=value.get("m", {}),
            due_by=value.get("d", {}),
            schedules={slot: (at, was_true) for slot, (at, was_true) in value.get("s", {}).items()},
            first_event=value.get("e"),
            decided={rule: _unpack_decided(packed) for rule, packed in value.get("x", {}).items()},
            decided_before=value.get("b", {}),
            fingerprint=value.get("r", ""),
            met=frozenset(met[at : at + NAME // 2] for at in range(0, len(met), NAME // 2)),
            since=value.get("n", {}),
            remembered=[(at, names[NAME * i : NAME * (i + 1)]) for i, at in enumerate(unpack_times(times))],
            forgotten_through=value.get("g"),
            retracted=tuple(value.get("t", ())),
            swept_day=value.get("w", 0),
            spilled=value.get("o", False),
            held=[
                HeldMessage(name, Purpose(purpose), rule, by)
                for name, purpose, rule, by in value.get("h", [])
            ],
        )

    def without_memory(self) -> State:
        """The same decisions and marks, for a customer whose memory is too large to be kept."""
        return replace(self, packed={}, spilled=True)

    def copy(self) -> State:
        """Of its own as far as a fold writes; what is packed is never written into."""
        return replace(
            self,
            decided={
                rule: [replace(entry, left=list(entry.left)) for entry in entries]
                for rule, entries in self.decided.items()
            },
            decided_before=dict(self.decided_before),
            since=dict(self.since),
            held=list(self.held),
        )

    def has(self, fact: Fact) -> bool | None:
        """Whether the fact is in the state already; None where only the journal can tell."""
        if (fact.received_at, short_name(fact.key)) in self.remembered:
            return True
        if self.forgotten_through is not None and fact.received_at <= self.forgotten_through:
            return None
        return False

    def remember(self, facts: Iterable[Fact]) -> None:
        """Note these facts as applied, and let the oldest receipts go."""
        known = set(self.remembered) | {(fact.received_at, short_name(fact.key)) for fact in facts}
        if not known:
            return
        kept = sorted(known)
        recent = kept[-1][0] - REMEMBERED_FOR
        first = next(at for at, (received_at, _) in enumerate(kept) if received_at > recent)
        first = max(min(first, len(kept) - FEWEST_REMEMBERED), len(kept) - MOST_REMEMBERED, 0)
        if first > 0:
            last_gone = kept[first - 1][0]
            self.forgotten_through = max(last_gone, self.forgotten_through or last_gone)
        self.remembered = kept[first:]

    def decide(self, rule: str, entry: Decided, apart: Duration | None, closed_after: Duration) -> None:
        """Keep a decision, so that its episode is never decided again; `apart` is the rule's re-eligibility.

        Nothing that lies `closed_after` behind the newest decision is decided any more, in any case of the rule.
        """
        entries = self.decided.get(rule)
        if not entries:
            self.decided[rule] = [entry]
            return
        if entry.at >= entries[-1].at:
            entries.append(entry)
        else:
            insort(entries, entry, key=attrgetter("at"))
        newest = entries[-1].at

        def holds_clock(one: Decided) -> bool:
            return one.fired and apart is not None and one.at + apart > newest

        if entries[0].at < newest - closed_after:
            old = [one for one in entries if one.at < newest - closed_after and not holds_clock(one)]
            if old:
                closed = max(one.at for one in old)
                self.decided_before[rule] = max(closed, self.decided_before.get(rule, closed))
                kept = {id(one) for one in old}
                entries[:] = [one for one in entries if id(one) not in kept]
        if len(entries) <= REMEMBERED_DECISIONS:
            return
        mine = [one for one in entries if one.case == entry.case]
        if len(mine) > REMEMBERED_DECISIONS:
            gone = next((one for one in mine if not holds_clock(one)), None)
            if gone is not None:
                entries.remove(gone)
                slot = slot_of(rule, entry.case)
                self.decided_before[slot] = max(gone.at, self.decided_before.get(slot, gone.at))

    def gone(self, rule: str, short_id: str) -> Decided | None:
        """A message of the rule did not leave in the end: its firing, which holds its clock by the others alone."""
        for entry in self.decided.get(rule, []):
            if short_id in entry.left:
                entry.left.remove(short_id)
                return entry
        return None

    def closed_through(self, rule: str, case: str | None) -> Instant | None:
        """Nothing of this case at or before it is decided any more."""
        ends = (self.decided_before.get(rule), self.decided_before.get(slot_of(rule, case)))
        return max((end for end in ends if end is not None), default=None)


def slot_of(rule: str, case: str | None) -> str:
    return rule if case is None else f"{rule}/{case}"


def short_name(text: str) -> str:
    """Of a fact's key or an episode: told apart among those of one receipt time, or of one rule, only."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:NAME]


def episode_name(episode: str) -> str:
    """Of an episode that is a moment."""
    return short_name(episode)[:EPISODE]


def rule_mark(digest: str) -> str:
    """By which a state knows that its memory was filled for this definition of a rule."""
    return sha256(digest.encode()).hexdigest()[: NAME // 2]


def _pack_decided(entries: Sequence[Decided]) -> list[Any]:
    """[times, the messages left of each, and where any has one: all episodes in a row, and the case of each]."""
    left: list[Any] = ["".join(entry.left) or 0 for entry in entries]
    packed: list[Any] = [pack_times([entry.at for entry in entries]), left]
    if any(entry.moment or entry.case is not None for entry in entries):
        packed.append("".join(entry.episode or NO_EPISODE for entry in entries))
    if any(entry.case is not None for entry in entries):
        packed.append([entry.case for entry in entries])
    return packed


def _unpack_decided(packed: list[Any]) -> list[Decided]:
    times = unpack_times(packed[0])
    episodes = packed[2] if len(packed) > 2 else NO_EPISODE * len(times)
    cases = packed[3] if len(packed) > 3 else [None] * len(times)
    entries = []
    for at, (t, left, case) in enumerate(zip(times, packed[1], cases, strict=True)):
        episode = episodes[at * EPISODE : (at + 1) * EPISODE].strip()
        names = [left[start : start + NAME] for start in range(0, len(left), NAME)] if left else []
        entries.append(Decided(t, case, episode, bool(episode), names))
    return entries


def _first_format(text: str, customer_id: str) -> State:
    """What 0.1.0 stored: its decisions and marks, so that nothing is decided twice; its memory is filled anew."""
    value: Mapping[str, Any] = json_text.loads(text, max_depth=2 * json_text.MAX_DEPTH)
    return State(
        decided={
            rule: [_first_decided(entry, rule, customer_id) for entry in entries]
            for rule, entries in value["decided"].items()
        },
        decided_before=dict(value["decided_before"]),
        since=dict(value["since"]),
        met=frozenset(rule_mark(digest) for digest in value["digests"].values()),
        forgotten_through=value["forgotten_through"],
        remembered=sorted((at, name) for at, name in value["remembered"]),
    )


def _first_decided(entry: Mapping[str, Any], rule: str, customer_id: str) -> Decided:
    episode = entry["episode"]
    left = [message_id(customer_id, rule, None, episode, 0)[:NAME]] if entry["fired"] else []
    moment = bool(entry["moment"])
    return Decided(entry["at"], None, episode_name(episode) if moment else "", moment, left)
