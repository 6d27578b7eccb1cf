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
from foreword.domain.peer_values import PeerValue


def compare_peers(plan: Plan, files: Sequence[Path], tallies: Sequence[Tally]) -> list[Path]:
    """Adds what these rules decide to `tallies`; the runs of lines that are to be merged with those of the others."""
    runs: list[Path] = []
    for nth, rulebook in enumerate(plan.rulebooks):
        core = Core(rulebook).as_live()
        for rule in (rule for rule in core.rules.values() if rule.peers is not None):
            ...
    return runs
