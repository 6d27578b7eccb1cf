"""Rules that compare a customer with its peers: decided when all customers have been replayed, one period after the
other, so that no more than one period of one rule is in memory.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from foreword.backtest.decision_lines import sortable_line
from foreword.backtest.delivery import Customer, Ending, contacting_of, endings, sent_endings
from foreword.backtest.runs import merge_runs
from foreword.backtest.tally import Tally
from foreword.backtest.task_files import TaskFiles
from foreword.domain.core import Core
from foreword.domain.decisions import Decision
from foreword.domain.instants import Instant
from foreword.domain.peer_values import PeerValue
from foreword.domain.peers import decisions_by_period
from foreword.domain.peers_lines import value_line, value_of
from foreword.domain.rulebook import Policy, Rule

_DIGITS = 20
_BEFORE_ALL_TIMES = 10**18


def peer_line(value: PeerValue) -> str:
    """Sorted as text, such lines are by rule, then by period."""
    return f"{value.rule} {value.period + _BEFORE_ALL_TIMES:0{_DIGITS}}{value_line(value)}"


def compare_peers(
    core: Core, nth: int, files: Sequence[TaskFiles], policy: Policy | None, end: Instant, tally: Tally
) -> Iterator[str]:
    """Adds what the rules of the `nth` rulebook decide to `tally`, and gives the lines that tell it, unsorted."""
    customers = {} if policy is None else dict(_customers(files))
    lines = merge_runs(one.peers(nth) for one in files)
    for name, found in groupby(lines, key=_rule_of):
        rule = core.rules[name].rule
        for decision in decisions_by_period(core, name, _periods(rule, found), end):
            customer = customers.get(decision.customer_id) or Customer(decision.customer_id, None)
            ends = _endings(decision, rule, customer, core, policy, end)
            tally.add(decision, ends)
            yield sortable_line(decision, ends)


def _endings(
    decision: Decision, rule: Rule, customer: Customer, core: Core, policy: Policy | None, end: Instant
) -> list[Ending]:
    """By itself: it is decided when the customer's own history is over, and competes with none of that."""
    if policy is None:
        return sent_endings(decision, rule)
    contacting = contacting_of(customer, core, policy)
    contacting.decided_apart(decision, decision.expires_from)
    contacting.later(max(end, decision.expires_from))
    return endings(decision, contacting)


def _rule_of(line: str) -> str:
    return line.partition(" ")[0]


def _periods(rule: Rule, lines: Iterable[str]) -> Iterator[tuple[Instant, Iterator[PeerValue]]]:
    start = len(rule.rule) + 1
    end = start + _DIGITS
    for digits, group in groupby(lines, key=lambda line: line[start:end]):
        period = int(digits) - _BEFORE_ALL_TIMES
        yield period, (value_of(rule, period, line[end:]) for line in group)


def _customers(files: Iterable[TaskFiles]) -> Iterator[tuple[str, Customer]]:
    for one in files:
        with one.customers.open("rb") as file:
            while True:
                try:
                    customer: Customer = pickle.load(file)  # noqa: S301  (written by this very backtest)
                except EOFError:
                    break
                yield customer.customer_id, customer
