"""Rules that compare a customer with its peers: decided when all customers have been replayed."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path

from foreword.backtest.decision_lines import sortable_line
from foreword.backtest.delivery import Customer, endings
from foreword.backtest.runs import write_run
from foreword.backtest.tally import Tally
from foreword.backtest.work import Plan
from foreword.domain.core import Core
from foreword.domain.decisions import Decision
from foreword.domain.peer_values import PeerValue


def compare_peers(plan: Plan, files: Sequence[Path], tallies: Sequence[Tally]) -> list[Path]:
    """Adds what these rules decide to `tallies`, and gives the runs of its lines."""
    runs: list[Path] = []
    for nth, rulebook in enumerate(plan.rulebooks):
        if not any(signal.kind == "peers" for rule in rulebook.rules for signal in rule.signals.values()):
            continue
        from foreword.domain.peers import peers_decisions
        core = Core(rulebook).as_live()
        decisions = [
            decision
            for rule in core.rules.values()
            if rule.peers is not None and plan.clock.last is not None
            for decision in peers_decisions(core, rule.name, _values(files, nth, rule.name), plan.clock.last)
        ]
        customers = _customers(files, decisions)
        lines = []
        for decision in decisions:
            rule = core.rules[decision.rule].rule
            ends = endings(decision, rule, customers[decision.customer_id], plan.policy)
            tallies[nth].add(decision, ends)
            lines.append(sortable_line(decision, ends))
        if nth == 0:
            runs.append(write_run(plan.scratch / "peers", lines))
    return runs


def _values(files: Sequence[Path], nth: int, rule: str) -> Iterator[PeerValue]:
    return (value for _, values in _read(files) for value in values[nth] if value.rule == rule)


def _customers(files: Sequence[Path], decisions: Sequence[Decision]) -> dict[str, Customer]:
    needed = {decision.customer_id for decision in decisions}
    return {customer.customer_id: customer for customer, _ in _read(files) if customer.customer_id in needed}


def _read(files: Sequence[Path]) -> Iterator[tuple[Customer, list[list[PeerValue]]]]:
    for path in files:
        with path.open("rb") as file:
            while True:
                try:
                    yield pickle.load(file)  # noqa: S301  (written by this very backtest)
                except EOFError:
                    break
