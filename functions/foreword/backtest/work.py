"""One process's share of a backtest: the customers of some buckets, through the core and the gates."""

from __future__ import annotations

import json
import pickle
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, NamedTuple

from foreword.backtest.asides import Aside, Asides, AsideWriter
from foreword.backtest.decision_lines import sortable_line
from foreword.backtest.decode import Decoder
from foreword.backtest.delivery import Customer, Ending, contacting_of, endings, sent_endings
from foreword.backtest.histories import Found, histories
from foreword.backtest.large_histories import large_histories
from foreword.backtest.peers import peer_line
from foreword.backtest.profiles import Given, read_profiles
from foreword.backtest.runs import write_run
from foreword.backtest.span import Span
from foreword.backtest.spool import Bucket
from foreword.backtest.tally import Tally
from foreword.backtest.task_files import TaskFiles
from foreword.backtest.volume import limited, read_claims, read_refusals, write_claims
from foreword.domain.contacting import Claim
from foreword.domain.core import Core
from foreword.domain.decisions import Decision
from foreword.domain.facts import Fact
from foreword.domain.instants import Instant
from foreword.domain.peer_values import PeerValue
from foreword.domain.reached import TOLD_BY
from foreword.domain.replay import replay
from foreword.domain.rulebook import Policy, Rulebook

IN_MEMORY = 16 * 1024 * 1024
"""Bytes of records that are made events of all at once; a larger bucket is sorted on disk."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is the same for all tasks. `rulebooks` are the one that is tested and, perhaps, one to compare it with.

    `keep_decisions`: those of the first rulebook are written down. `scratch` is a folder to write in.
    """

    rulebooks: tuple[Rulebook, ...]
    policy: Policy | None
    clock: Span
    until: Instant | None
    keep_decisions: bool
    scratch: Path


@dataclass(frozen=True, slots=True)
class Task:
    """Each bucket of events with that of its customers' profiles, where there are any."""

    number: int
    buckets: tuple[tuple[Bucket, Bucket | None], ...]


@dataclass(slots=True)
class Done:
    """What came of a task: counted here; what is told one by one lies in files named after the task.

    `unknown` holds keys that are no part of an event, each with the number of the first record that has it;
    `failed` the customers whose evaluation raised an error, each with that.
    """

    found: Found
    customers: int
    tallies: tuple[Tally, ...]
    unknown: dict[str, int]
    failed: list[tuple[str, str]]


class Worker:
    """Made once in each process: it compiles the rulebooks, and learns the texts that recur."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._cores = tuple(Core(rulebook).as_live() for rulebook in plan.rulebooks)
        self._decoder = Decoder()

    def __call__(self, task: Task) -> Done:
        found = Found()
        broken_profiles: list[tuple[int, str]] = []
        files = TaskFiles(self._plan.scratch, task.number)
        with files.customers.open("wb") as customers, files.asides.open("wb") as asides:
            share = _Share(self._plan, self._cores, customers, AsideWriter(asides))
            for events, profiles in task.buckets:
                given = {} if profiles is None else read_profiles(profiles, broken_profiles)
                for customer_id, history in self._histories(events, found):
                    profile = given.pop(customer_id, None)
                    as_given = profile is not None or not self._decoder.changes_profiles
                    share.add(customer_id, profile, history, as_given=as_given)
                for customer_id, profile in given.items():
                    share.add(customer_id, profile, (), as_given=True)
        write_run(files.decisions, share.lines)
        write_run(files.broken_events, map(broken_line, found.broken))
        write_run(files.broken_profiles, map(broken_line, broken_profiles))
        for nth, lines in enumerate(share.peer_lines):
            write_run(files.peers(nth), lines)
        for nth, claims in enumerate(share.claims):
            write_claims(files, nth, claims)
            files.refusals(nth).unlink(missing_ok=True)
        found.broken.clear()
        return Done(found, share.customers, share.tallies, dict(self._decoder.unknown), share.failed)

    def claim_again(self, number: int, nth: int) -> None:
        """Replay those who were put aside and are refused something else than before."""
        files = TaskFiles(self._plan.scratch, number)
        before, now = read_refusals(files, nth), read_refusals(files, nth, new=True)
        claims, asides = read_claims(files, nth), Asides(files.asides)
        nobody: frozenset[str] = frozenset()
        for customer_id in before.keys() | now.keys():
            refused = now.get(customer_id, nobody)
            if refused == before.get(customer_id, nobody):
                continue
            replayed = replay_one(self._plan, self._cores[nth], asides.of(customer_id), refused)
            claims[customer_id] = replayed.claims
        write_claims(files, nth, claims)
        files.new_refusals(nth).replace(files.refusals(nth))

    def done_aside(self, number: int) -> tuple[Tally, ...]:
        """What comes of those who were put aside, when it is known who is refused."""
        files = TaskFiles(self._plan.scratch, number)
        refusals = [read_refusals(files, nth) for nth in range(len(self._cores))]
        share = _Share(self._plan, self._cores)
        for aside in Asides(files.asides):
            for nth, refused in enumerate(refusals):
                own = refused.get(aside.customer.customer_id, frozenset())
                share.told(nth, replay_one(self._plan, self._cores[nth], aside, own))
        write_run(files.aside_decisions, share.lines)
        return share.tallies

    def _histories(self, events: Bucket, found: Found) -> Iterator[tuple[str, Sequence[Fact]]]:
        until = self._plan.until
        if events.size <= IN_MEMORY:
            yield from histories(events, self._decoder, until, found)
        else:
            with TemporaryDirectory(dir=self._plan.scratch) as folder:
                yield from large_histories(events, self._decoder, Path(folder), until, found, IN_MEMORY)


class One(NamedTuple):
    """What comes of one customer: each decision with what became of its messages."""

    decisions: list[tuple[Decision, list[Ending]]]
    peer_values: list[PeerValue]
    claims: list[Claim]


def replay_one(plan: Plan, core: Core, aside: Aside, refused: Collection[str] = ()) -> One:
    """`refused` are the messages that find the volume of their day reached; `claims` those that a volume counts."""
    customer, policy = aside.customer, plan.policy
    profile = {} if customer.given is None else customer.given.attributes
    contacting = None if policy is None else contacting_of(customer, core, policy, refused)
    replayed = replay(
        core,
        customer.customer_id,
        profile,
        aside.history,
        plan.clock.first,
        plan.clock.last,
        as_given=aside.as_given,
        contacting=contacting,
    )
    if contacting is None or policy is None:
        told = [(one, sent_endings(one, core.rules[one.rule].rule)) for one in replayed.decisions]
        return One(told, replayed.peer_values, [])
    told = [(one, endings(one, contacting)) for one in replayed.decisions]
    return One(told, replayed.peer_values, limited(policy, contacting.claims))


class _Share:
    """What comes of a task's customers, one after the other.

    Those who bring peer values go to a file, those whose messages count for the volume of a day to another.
    """

    def __init__(
        self,
        plan: Plan,
        cores: tuple[Core, ...],
        customers: BinaryIO | None = None,
        asides: AsideWriter | None = None,
    ) -> None:
        self.customers = 0
        self.tallies = tuple(Tally() for _ in cores)
        self.lines: list[str] = []
        self.peer_lines: tuple[list[str], ...] = tuple([] for _ in cores)
        self.claims: tuple[dict[str, list[Claim]], ...] = tuple({} for _ in cores)
        self.failed: list[tuple[str, str]] = []
        self._plan = plan
        self._cores = cores
        self._file = customers
        self._asides = asides

    def add(self, customer_id: str, given: Given | None, history: Sequence[Fact], *, as_given: bool) -> None:
        """`as_given`: nothing in `history` changes the profile."""
        self.customers += 1
        told = [] if self._plan.policy is None else [fact for fact in history if fact.type in TOLD_BY]
        aside = Aside(Customer(customer_id, given, told), history, as_given)
        try:
            replayed = [replay_one(self._plan, core, aside) for core in self._cores]
        except Exception as error:  # noqa: BLE001 - whatever it raises is this customer's trouble alone
            self.failed.append((customer_id, f"{type(error).__name__}: {error}"))
            return
        for nth, one in enumerate(replayed):
            if one.peer_values:
                self.peer_lines[nth].extend(map(peer_line, one.peer_values))
                if self._file is not None and self._plan.policy is not None:
                    pickle.dump(aside.customer, self._file)
        if self._asides is not None and any(one.claims for one in replayed):
            self._asides.put(aside)
            for claims, one in zip(self.claims, replayed, strict=True):
                claims[customer_id] = one.claims
        else:
            for nth, one in enumerate(replayed):
                self.told(nth, one)

    def told(self, nth: int, one: One) -> None:
        for decision, ends in one.decisions:
            self.tallies[nth].add(decision, ends)
            if self._plan.keep_decisions and nth == 0:
                self.lines.append(sortable_line(decision, ends))


def broken_line(broken: tuple[int, str]) -> str:
    """Sorted as text, such lines are in the order of their records' numbers."""
    number, reason = broken
    return f"{number:020}{json.dumps(reason)}"


def read_broken_line(line: str) -> tuple[int, str]:
    return int(line[:20]), json.loads(line[20:])
