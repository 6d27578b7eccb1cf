"""What fires next if nothing else happens: the same walk goes on, with time alone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from foreword.domain.core import Core
from foreword.domain.facts import Fact
from foreword.domain.fold import retrace
from foreword.domain.instants import DAY, Duration, Instant
from foreword.domain.profiles import Profile
from foreword.domain.reasons import Reason
from foreword.domain.state import State
from foreword.domain.verdicts import Verdicts
from foreword.domain.walk import Rise
from foreword.explaining.explanation import Skipped
from foreword.explaining.rises import NO_IF_HELD

HORIZON: Duration = 400 * DAY
MOST_WORK = 50_000_000
"""Looks ahead, times the square of what is looked at: what a person waits for."""


@dataclass(slots=True)
class Coming:
    """Of one rule and case: the first rise that will fire, and those before it that will not."""

    fires: Rise | None = None
    decided_at: Instant | None = None
    skipped: list[Skipped] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Ahead:
    """`coming` by rule and case; nothing was looked for after `looked_until`."""

    coming: dict[tuple[str, str | None], Coming]
    looked_until: Instant


def look_ahead(
    core: Core,
    profile: Profile,
    facts: Sequence[Fact],
    at: Instant,
    behind: Collection[Rise],
    decided: State,
    waiting: int,
) -> Ahead:
    """`behind` are the rises that were decided by `at`, `decided` what was made of them; `waiting` is how many
    cases of rules may have something ahead."""
    settle = core.rulebook.policy.settle
    # Deadlines up to `at` that are not decided yet lie ahead as well, but before what came after them.
    walk = retrace(core, profile, facts, at + settle)
    end, looks = at + HORIZON, MOST_WORK // max(waiting, 1) ** 2
    while walk.due <= end:
        looks -= 1
        if looks < 0:
            end = walk.due
            break
        walk.deadlines(walk.due)
    known = {_name(rise) for rise in behind}
    rises = [rise for rise in walk.rises if _name(rise) not in known]
    return Ahead(_decide(rises, Verdicts(decided), profile.customer_id, settle), end)


def _decide(
    rises: Sequence[Rise], verdicts: Verdicts, customer_id: str, settle: Duration
) -> dict[tuple[str, str | None], Coming]:
    coming: dict[tuple[str, str | None], Coming] = {}
    for rise in sorted(rises, key=lambda one: one.at):
        found = coming.setdefault((rise.rule.name, rise.case), Coming())
        if found.fires is not None or verdicts.decided(rise):
            continue
        decided_at = rise.cause.known_at + settle
        decision = verdicts.decision(rise, customer_id, decided_at)
        fires = decision.reason in (None, Reason.SHADOW)
        if fires and rise.sends:
            found.fires, found.decided_at = rise, decided_at
        else:
            found.skipped.append(Skipped(rise.at, NO_IF_HELD if fires else str(decision.reason)))
    return coming


def _name(rise: Rise) -> tuple[str, str | None, Instant, str]:
    return rise.rule.name, rise.case, rise.at, rise.cause.key
