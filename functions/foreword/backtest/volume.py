"""The volume of the days, over all customers: who would have been one too many.

The sends of all customers count in order of time, and of their ids at one time. Who is refused gives clock and caps
back, which changes what that customer claims later: so those customers are replayed again with the refusals known,
until nothing changes. Then all of it is as it would have been: up to any time, claims follow from the refusals
before it, and refusals from the claims up to it.
"""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack

from foreword.backtest.runs import merge_runs, write_run
from foreword.backtest.task_files import TaskFiles
from foreword.domain.contacting import Claim
from foreword.domain.instants import sortable
from foreword.domain.rulebook import Policy, VolumeConstraint
from foreword.domain.state import NAME

Claims = Mapping[str, Sequence[Claim]]
Refusals = Mapping[str, frozenset[str]]
"""By customer: the messages, by their first digits."""

_DAY = len("2026-03-02")


def limited(policy: Policy, claims: Iterable[Claim]) -> list[Claim]:
    """Those that a constraint counts."""
    topics = {constraint.topic for constraint in policy.volume_constraints}
    return [claim for claim in claims if None in topics or claim.topic in topics]


def write_claims(files: TaskFiles, nth: int, claims: Claims) -> None:
    with files.claims(nth).open("wb") as file:
        pickle.dump(dict(claims), file)
    write_run(
        files.claim_lines(nth),
        (
            f"{sortable(claim.at)} {customer} {turn:09} {files.number} {claim.message_id[:NAME]} {claim.topic}"
            for customer, own in claims.items()
            for turn, claim in enumerate(own)
        ),
    )


def read_claims(files: TaskFiles, nth: int) -> dict[str, Sequence[Claim]]:
    with files.claims(nth).open("rb") as file:
        claims: dict[str, Sequence[Claim]] = pickle.load(file)  # noqa: S301  (written by this very backtest)
        return claims


def refuse(policy: Policy, nth: int, files: Sequence[TaskFiles]) -> list[int]:
    """Tells each task whom to refuse; gives those for which that is something else than before."""
    lines = merge_runs(one.claim_lines(nth) for one in files)
    by_number = {one.number: one for one in files}
    with ExitStack() as stack:
        told = {
            one.number: stack.enter_context(one.new_refusals(nth).open("w", encoding="utf-8"))
            for one in files
        }
        for customer, task, message in _too_many(policy.volume_constraints, lines):
            told[task].write(f"{customer} {message}\n")
    return [
        number
        for number, one in by_number.items()
        if read_refusals(one, nth) != read_refusals(one, nth, new=True)
    ]


def read_refusals(files: TaskFiles, nth: int, *, new: bool = False) -> Refusals:
    path = files.new_refusals(nth) if new else files.refusals(nth)
    found: dict[str, set[str]] = {}
    if path.exists():
        with path.open(encoding="utf-8") as file:
            for line in file:
                customer, message = line.split()
                found.setdefault(customer, set()).add(message)
    return {customer: frozenset(messages) for customer, messages in found.items()}


def _too_many(
    constraints: Sequence[VolumeConstraint], lines: Iterable[str]
) -> Iterator[tuple[str, int, str]]:
    """Customer, task and message of each claim that finds the volume of its day reached; in order of time."""
    day = ""
    counted: Counter[int] = Counter()
    for line in lines:
        at, customer, _, task, message, topic = line.split(" ")
        if at[:_DAY] != day:
            day = at[:_DAY]
            counted.clear()
        mine = [nth for nth, one in enumerate(constraints) if one.topic in (None, topic)]
        if any(counted[nth] >= constraints[nth].at_most for nth in mine):
            yield customer, int(task), message
        else:
            counted.update(mine)
