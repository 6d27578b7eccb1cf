"""Histories and rulebooks written for a test, and a backtest of them."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from foreword.backtest.rulebook import read_given_policy, read_rulebook
from foreword.backtest.run import Request, Result, backtest
from foreword.domain.instants import Instant, parse_instant

AT = "2026-03-02T09:00:00Z"


def rule(name: str, signals: str, when: str, *more: str, send: str = "") -> str:
    """A rule's text; `signals` and `more` are lines of YAML."""
    sent = send or f"{{message: {name}, purpose: service, topic: care, channels: [email, sms]}}"
    lines = [f"rule: {name}", "why: It is a test.", "owner: care-team", "signals:", f"  {signals}"]
    return "\n".join([*lines, f"when: '{when}'", *more, f"send: {sent}"]) + "\n"


COUNTED = rule("counted", "contacts: {count: Contact, within: 7d}", "contacts >= 2", "re_eligible_after: 14d")
"""Fires at the second contact in a week."""

EACH = rule("each", "contact: {each: Contact}", "contact", "re_eligible_after: none")
"""Fires at each contact."""


def rulebook(folder: Path, *rules: str, **documents: str) -> Path:
    """Rules by their own names; `policy`, `lists` or `signals` as further documents."""
    (folder / "rules").mkdir(parents=True, exist_ok=True)
    for text in rules:
        name = text.split("\n", 1)[0].removeprefix("rule: ")
        (folder / "rules" / f"{name}.yaml").write_text(text, encoding="utf-8")
    for name, text in documents.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def event(at: str = AT, customer: str = "c-1", kind: str = "Contact", **more: Any) -> dict[str, Any]:
    return {"source": "support", "type": kind, "customer_id": customer, "occurred_at": at, "data": {}, **more}


def write_lines(path: Path, records: Iterable[Mapping[str, Any] | str]) -> Path:
    """JSON Lines, gzipped where the name says so; a text stands as it is."""
    text = "".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in records)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@dataclass
class Seen:
    """An observer that remembers what it is told."""

    broken_records: list[tuple[str, int, str]] = field(default_factory=list)
    steps: list[tuple[str, int, int]] = field(default_factory=list)

    def reading(self, done: int, total: int) -> None:
        self.steps.append(("reading", done, total))

    def replaying(self, done: int, total: int) -> None:
        self.steps.append(("replaying", done, total))

    def broken(self, path: Path, number: int, reason: str) -> None:
        self.broken_records.append((path.name, number, reason))


@dataclass(frozen=True)
class Backtested:
    result: Result
    lines: list[dict[str, Any]]
    text: str
    seen: Seen

    def fired(self) -> list[tuple[str, str, str, str | None]]:
        """Customer, time, reason and channel of each firing."""
        return [
            (line["customer_id"], line["at"], line["reason"], line["channel"])
            for line in self.lines
            if line["outcome"] == "fired"
        ]

    def rises(self) -> list[tuple[str, str, str]]:
        """Customer, time, and whether it fired or why not."""
        return [
            (line["customer_id"], line["at"], "fired" if line["outcome"] == "fired" else line["reason"])
            for line in self.lines
        ]


def run(
    rules: Path,
    events: Path,
    *,
    compare: Path | None = None,
    policy: Path | None = None,
    customers: Path | None = None,
    until: str | Instant | None = None,
    strict: bool = False,
    jobs: int = 1,
) -> Backtested:
    gates = None if policy is None else read_given_policy(policy)
    directories = [rules] if compare is None else [rules, compare]
    out = io.StringIO()
    end = parse_instant(until) if isinstance(until, str) else until
    request = Request(
        rulebooks=tuple(read_rulebook(directory, gates) for directory in directories),
        events=events,
        customers=customers,
        policy=gates,
        until=end,
        strict=strict,
        jobs=jobs,
        decisions=out,
    )
    seen = Seen()
    result = backtest(request, seen)
    text = out.getvalue()
    return Backtested(result, [json.loads(line) for line in text.splitlines()], text, seen)
