"""Files that are written: whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from foreword.backtest.errors import CannotBacktest


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """To write in; it takes the place of `path` when all went well. What is no plain file is written to as it is.

    Raises CannotBacktest where it cannot be written.
    """
    target = path.resolve()
    plain = target.is_file() or not target.exists()
    part = target.with_name(f".{target.name}.{os.getpid()}") if plain else target
    try:
        file = part.open("w", encoding="utf-8", newline="\n")
    except OSError as error:
        raise CannotBacktest(f"{path}: cannot be written: {error.strerror}") from None
    try:
        with file:
            yield file
        if plain:
            part.replace(target)
    except BaseException:
        if plain:
            part.unlink()
        raise
