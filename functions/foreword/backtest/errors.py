"""What ends a backtest, and what only costs it one line.

Both are told to people as they are: one line, with the file and where there is one the line.
"""

from __future__ import annotations


class CannotBacktest(Exception):
    """A file that cannot be read or written, or that is no history at all."""


class Broken(Exception):
    """One record that is not what it should be: it is named and counted, and the rest goes on."""
