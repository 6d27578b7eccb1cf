"""What is allowed in a policy, but probably not meant: the warnings of `check`."""

from __future__ import annotations

from collections.abc import Iterator

from foreword.authoring.cautions import Schemas, lacking_fields, unlikely_fields, unlikely_types
from foreword.authoring.rulebook import LoadedRulebook
from foreword.authoring.suggest import did_you_mean
from foreword.domain.errors import InvalidRulebook
from foreword.domain.rulebook import EventFilter, OpenCases, Policy


def policy_cautions(loaded: LoadedRulebook, schemas: Schemas) -> list[InvalidRulebook]:
    """In no particular order; `schemas` is event type -> JSON Schema of its data."""
    topics = {send.topic for authored in loaded.rules for send in authored.rule.sends}
    found = [
        *_volumes(loaded.policy, topics),
        *_scores(loaded.policy, schemas),
        *_cases(loaded.policy, schemas),
    ]
    return [loaded.written.refused(name, words) for name, words in found]


def _volumes(policy: Policy, topics: set[str]) -> Iterator[tuple[str, str]]:
    for number, volume in enumerate(policy.volume_constraints):
        if volume.topic is not None and volume.topic not in topics:
            hint = did_you_mean(volume.topic, topics)
            yield (
                f"volume_constraints.{number}",
                f"no rule sends anything of the topic '{volume.topic}'{hint}",
            )


def _scores(policy: Policy, schemas: Schemas) -> Iterator[tuple[str, str]]:
    for kind in policy.willingness.scores if policy.willingness is not None else ():
        for words in unlikely_types(EventFilter(types=(kind,)), schemas):
            yield f"willingness.{kind}", words


def _cases(policy: Policy, schemas: Schemas) -> Iterator[tuple[str, str]]:
    for number, cases in enumerate(policy.open_cases):
        for words in _of_cases(cases, schemas):
            yield f"open_cases.{number}", words


def _of_cases(cases: OpenCases, schemas: Schemas) -> Iterator[str]:
    for events, does in ((cases.opened, "opens"), (cases.closed, "closes")):
        yield from unlikely_types(events, schemas)
        if events.where is not None:
            yield from unlikely_fields(events.where, tuple(events.types or ()), schemas)
        for kind, field in lacking_fields(events, cases.by, schemas):
            yield (
                f"the schema of {kind} has no '{field}', and an event without the case ({cases.by.source}) "
                f"{does} nothing"
            )
