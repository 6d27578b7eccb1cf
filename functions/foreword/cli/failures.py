"""How a command ends when it does not end well."""

from __future__ import annotations


class CannotRun(Exception):
    """The command cannot do its work: one line on stderr, exit 2."""


class FoundWrong(Exception):
    """The command did its work and found something wrong, which it has said itself: exit 1."""
