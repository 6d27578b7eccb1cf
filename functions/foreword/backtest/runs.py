"""Lines in sorted runs on disk, one written by each task, and merged in the end: what the tasks find stays out of
memory, and comes in the same order however many of them there were.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path


def write_run(path: Path, lines: Iterable[str]) -> Path:
    """Sorts them as text. A line holds no newline."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in sorted(lines))
    return path


def merge_runs(paths: Iterable[Path]) -> Iterator[str]:
    """All lines of all runs in order, without their ends."""
    with ExitStack() as stack:
        files = [stack.enter_context(path.open(encoding="utf-8", newline="\n")) for path in paths]
        yield from (line.removesuffix("\n") for line in heapq.merge(*files))
