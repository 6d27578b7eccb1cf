"""`foreword pause` and `foreword resume`: the emergency stop, in force within ten seconds."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from foreword.authoring.suggest import did_you_mean
from foreword.cli.deployed import stage_tables
from foreword.cli.failures import CannotRun
from foreword.cli.rulebooks import with_drafts
from foreword.cli.stages import require_stage
from foreword.domain.pauses import NO_PAUSES, Pauses
from foreword.domain.rulebook import Channel
from foreword.local import project

if TYPE_CHECKING:
    from foreword.adapters.pause_switch import PauseSwitchItem


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line names, and where."""

    pauses: Pauses
    stage: str
    rulebook: Path | None
    profile: str | None
    region: str | None
    as_json: bool


def asked(
    *,
    rules: Sequence[str],
    channels: Sequence[str],
    topics: Sequence[str],
    everything: bool,
    stage: str | None,
    rulebook: Path | None,
    profile: str | None,
    region: str | None,
    as_json: bool,
) -> Asked:
    pauses = Pauses(everything, frozenset(rules), frozenset(channels), frozenset(topics))
    return Asked(pauses, require_stage(stage), rulebook, profile, region, as_json)


def pause(asked: Asked) -> None:
    """Pause what is named, or only show what is paused; raises CannotRun."""
    _require_known(asked, NO_PAUSES)
    _change(asked, lambda switch: switch.pause(asked.pauses))


def resume(asked: Asked) -> None:
    """Take pauses back, or only show what is paused; raises CannotRun. What is paused has a known name."""
    with _switch(asked) as switch:
        standing = switch.read()
    _require_known(asked, standing)
    _change(asked, lambda switch: switch.resume(asked.pauses))


def _change(asked: Asked, change: Callable[[PauseSwitchItem], Pauses]) -> None:
    with _switch(asked) as switch:
        _show(asked, switch.read() if asked.pauses == NO_PAUSES else change(switch))


@contextmanager
def _switch(asked: Asked) -> Iterator[PauseSwitchItem]:
    from foreword.adapters.clock import SystemClock
    from foreword.adapters.pause_switch import PauseSwitchItem

    with stage_tables(asked.stage, profile=asked.profile, region=asked.region) as deployed:
        yield PauseSwitchItem(deployed.client, deployed.tables["consents"], SystemClock())


def _require_known(asked: Asked, standing: Pauses) -> None:
    """A pause of a name that nobody has would stop nothing, and nobody would notice."""
    wanted = asked.pauses
    if not (wanted.rules or wanted.channels or wanted.topics):
        return
    directory = asked.rulebook or project.find().rulebook
    rulebook = with_drafts(directory)
    topics = {send.topic for rule in rulebook.rules for send in rule.sends}
    _require("rule", wanted.rules, {rule.rule for rule in rulebook.rules} | standing.rules)
    _require("topic", wanted.topics, topics | standing.topics)
    _require("channel", wanted.channels, {channel.value for channel in Channel})


def _require(kind: str, names: Collection[str], known: Collection[str]) -> None:
    for name in sorted(names):
        if name not in known:
            raise CannotRun(f"no {kind} '{name}' in the rulebook{did_you_mean(name, known)}")


def _show(asked: Asked, standing: Pauses) -> None:
    if asked.as_json:
        named = {name: sorted(getattr(standing, name)) for name in ("rules", "channels", "topics")}
        click.echo(json.dumps({"stage": asked.stage, "everything": standing.everything, **named}))
    elif standing == NO_PAUSES:
        click.echo(f"nothing is paused in stage {asked.stage}")
    else:
        click.echo(f"paused in stage {asked.stage}: {'; '.join(_words(standing))}")


def _words(standing: Pauses) -> Iterator[str]:
    if standing.everything:
        yield "everything"
    for kind, names in (("rule", standing.rules), ("channel", standing.channels), ("topic", standing.topics)):
        if names:
            yield f"{kind}{'s' if len(names) > 1 else ''} {', '.join(sorted(names))}"
