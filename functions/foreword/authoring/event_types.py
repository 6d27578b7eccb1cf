"""Names of events, as rules, policy and tests may write them."""

from __future__ import annotations

import re

from foreword.authoring.fields import Source, text
from foreword.authoring.yaml_reader import Node
from foreword.domain.facts import DEADLINE_REACHED, PEERS_COMPARED

NOTES = frozenset({DEADLINE_REACHED, PEERS_COMPARED})
"""What Foreword writes into a journal for itself alone: it comes from no bus, and no rule may wait for it."""

TYPE = r"[^\s*]{1,128}"
_TYPE = re.compile(TYPE)


def event_type(source: Source, node: Node) -> str:
    name = text(source, node)
    if not _TYPE.fullmatch(name):
        raise source.refused(node, f"'{name}' is not an event type, a name like SupportContactOpened")
    if name in NOTES:
        raise source.refused(node, f"'{name}' is a note of Foreword's to itself, and no event")
    return name
