"""Loading a rulebook: its folder read, checked and compiled, beside its YAML merely parsed.

`WORKLOAD FOLDER PASSES`. Prints CPU times: `load` of the folder, `yaml` of parsing the same files, `start` from
the published document to a core with a handler for each event type.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from ruamel.yaml import YAML

from foreword.authoring.rulebook import load_rulebook
from foreword.domain.core import Core
from foreword.domain.rulebook import Rulebook
from tests.benchmarks.workload import Workload


def main() -> None:
    workload_path, folder_path, passes = sys.argv[1:]
    folder = Path(folder_path)
    types = {type_ for rule in Workload.read(Path(workload_path)).rules for type_ in rule.types}
    document = load_rulebook(folder).published().model_dump_json()

    def parse_yaml() -> None:
        for path in (folder / "rules").iterdir():
            YAML(pure=True).load(path)

    def start() -> None:
        core = Core(Rulebook.model_validate_json(document))
        for type_ in types:
            core.handler(type_)

    def load() -> None:
        load_rulebook(folder).published()

    found = {
        "load": smallest(load, int(passes)),
        "yaml": smallest(parse_yaml, int(passes)),
        "start": smallest(start, int(passes)),
    }
    print(json.dumps(found))  # noqa: T201


def smallest(run: Callable[[], object], passes: int) -> float:
    """Seconds of CPU."""
    best = float("inf")
    for _ in range(passes):
        begun = time.process_time()
        run()
        best = min(best, time.process_time() - begun)
    return best


if __name__ == "__main__":
    main()
