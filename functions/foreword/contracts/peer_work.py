"""One part of a close as it goes through the queue of compare_peers."""

from __future__ import annotations

from foreword.domain import json_text
from foreword.domain.instants import parse_instant, sortable
from foreword.domain.peers_closing import Close, Stage, Work


def body_of(work: Work) -> str:
    return json_text.dumps(
        {
            "rule": work.close.rule,
            "digest": work.close.digest,
            "period": sortable(work.close.period),
            "end": sortable(work.close.end),
            "stage": work.stage.to_text(),
            "part": work.part,
            "begin": work.begin,
        }
    )


def work_of(body: str) -> Work:
    """KeyError or ValueError if it is none."""
    value = json_text.loads(body)
    close = Close(value["rule"], value["digest"], parse_instant(value["period"]), parse_instant(value["end"]))
    return Work(close, Stage.from_text(value["stage"]), value["part"], value["begin"])
