"""signals.yaml: the signals that several rules use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from foreword.authoring.cel import Scope
from foreword.authoring.fields import Source
from foreword.authoring.signals.reader import WILLINGNESS, read_signals
from foreword.authoring.signals.values import Context
from foreword.authoring.yaml_reader import Place
from foreword.domain.instants import Duration
from foreword.domain.rulebook import Signal


@dataclass(frozen=True, slots=True)
class SharedSignals:
    """In the order of the file; `places` says where each stands in it."""

    file: str = ""
    signals: Mapping[str, Signal] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)


def read_shared_signals(path: Path, lists: frozenset[str], retention: Duration) -> SharedSignals:
    """None where there is no such file; raises RulebookErrors or InvalidRulebook."""
    if not path.exists():
        return SharedSignals()
    source = Source(path)
    root = source.root()
    hidden = frozenset((WILLINGNESS, *(key.value for key, _ in root.entries)))
    read = read_signals(Context(source, Scope(lists=lists, hidden=hidden), retention), root, {})
    source.finish()
    return SharedSignals(
        source.file, read.signals, {name: key.place for name, (key, _) in read.nodes.items()}
    )
