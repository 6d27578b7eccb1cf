"""zen-engine: the ten conditions as compiled expressions, asked of every question. `QUESTIONS PASSES`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable

from tests.benchmarks.conditions import CONDITIONS, Asked, questions
from tests.benchmarks.rivals.clock import measure


def main() -> None:
    count, passes = map(int, sys.argv[1:])
    zen = importlib.import_module("zen")
    compiled = [zen.compile_expression(condition.zen) for condition in CONDITIONS]

    def take(asked: Asked) -> int:
        context = asked._asdict()
        return sum(one.evaluate(context) for one in compiled)

    def start() -> Callable[[Asked], int]:
        return take

    measure(list(questions(count)), start, passes=passes).print()


if __name__ == "__main__":
    main()
