"""What a function writes to stdout and stderr, which Lambda puts into one log.

Loggers keep the stream they were made with, so that stream must be one for the whole process: this one, which
writes to whoever is listening, and to the real stdout when nobody is.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from foreword.local.mends.patching import patched


class FunctionOutput(io.TextIOBase):
    """A text stream with a changing end."""

    def __init__(self) -> None:
        self._sinks: list[io.StringIO] = []

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        end = self._sinks[-1] if self._sinks else sys.__stdout__
        return end.write(text) if end is not None else len(text)

    @contextmanager
    def captured(self) -> Iterator[io.StringIO]:
        """Everything printed inside goes to the StringIO given."""
        sink = io.StringIO()
        self._sinks.append(sink)
        try:
            with patched(sys, "stdout", self), patched(sys, "stderr", self):
                yield sink
        finally:
            self._sinks.pop()


OUTPUT = FunctionOutput()
