"""The rulebook that a backtest is asked for: every rule of it, drafts included, and no policy but the one given."""

from __future__ import annotations

from pathlib import Path

from foreword.authoring.policy import read_policy
from foreword.authoring.rulebook import load_rulebook
from foreword.backtest.errors import CannotBacktest
from foreword.domain.instants import DAY
from foreword.domain.rulebook import Policy, Rulebook

_WITHOUT_A_POLICY = Policy(retention=20_000 * 366 * DAY)
"""No window is too long for it: longer than there are years."""


def read_rulebook(directory: Path, policy: Policy | None) -> Rulebook:
    """`directory` holds `rules/`, or is that folder, or holds the rules themselves.

    Raises RulebookErrors, or CannotBacktest where there are no rules.
    """
    if directory.is_file():
        raise CannotBacktest(f"{directory}: a rulebook is a directory")
    try:
        loaded = load_rulebook(directory, policy or _WITHOUT_A_POLICY)
    except OSError as error:
        raise CannotBacktest(f"{error.filename or directory}: cannot be read: {error.strerror}") from None
    if not loaded.rules:
        raise CannotBacktest(f"{directory}: there are no rules in it")
    rules = tuple(authored.rule for authored in loaded.rules)
    return Rulebook(generation="backtest", rules=rules, policy=loaded.policy, lists=loaded.lists)


def read_given_policy(path: Path) -> Policy:
    """Raises RulebookErrors, or CannotBacktest where there is no such file."""
    try:
        with path.open("rb"):
            return read_policy(path)
    except OSError as error:
        raise CannotBacktest(f"{path}: cannot be read: {error.strerror}") from None
