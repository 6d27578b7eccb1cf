"""Google's CEL (cel-expr-python): the ten conditions, asked of every question. `QUESTIONS PASSES`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable

from tests.benchmarks.conditions import CONDITIONS, Asked, questions
from tests.benchmarks.rivals.clock import measure


def main() -> None:
    count, passes = map(int, sys.argv[1:])
    cel = importlib.import_module("cel_expr_python.cel")
    kinds = {
        "event": cel.Type.DYN,
        "profile": cel.Type.DYN,
        "contacts": cel.Type.INT,
        "share": cel.Type.DOUBLE,
    }
    environment = cel.NewEnv(variables=kinds)
    compiled = [environment.compile(condition.cel) for condition in CONDITIONS]

    def take(asked: Asked) -> int:
        activation = environment.Activation(asked._asdict())
        return sum(one.eval(activation).value() for one in compiled)

    def start() -> Callable[[Asked], int]:
        return take

    measure(list(questions(count)), start, passes=passes).print()


if __name__ == "__main__":
    main()
