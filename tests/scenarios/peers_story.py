"""A rulebook with a comparison of peers, for the local cloud."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from foreword.local.cloud import LocalCloud

RULE = """\
rule: behind
why: Whoever falls five points behind the others of a class hears of it from us first.
owner: investment-team
mode: live
signals:
  value: {last: event.data.value, of: FundValued}
  behind: {peers: value, cohort: event.data.class, statistic: median, at_least: 3, period: 1d}
when: 'behind <= -5'
eligible: '!has(profile.segment) || profile.segment != "staff"'
re_eligible_after: none
send:
  message: behind
  purpose: service
  topic: portfolio
  channels: [email]
"""
FILES = {
    "subject.txt": "A word about your fund",
    "email.txt": "You are at {{ value }}, {{ behind }} beside the others.",
    "email.html": "<p>You are at {{ value }}, {{ behind }} beside the others.</p>",
}


def written(folder: Path, rule: str = RULE) -> dict[str, Any]:
    """The folders of a rulebook with this rule alone, as the local cloud takes them."""
    (folder / "rulebook" / "rules").mkdir(parents=True)
    (folder / "rulebook" / "rules" / "behind.yaml").write_text(rule, encoding="utf-8")
    (folder / "messages" / "behind").mkdir(parents=True)
    for name, text in FILES.items():
        (folder / "messages" / "behind" / name).write_text(text, encoding="utf-8")
    return {"rulebook": folder / "rulebook", "messages": folder / "messages"}


def values(cloud: LocalCloud, of: str, own: Mapping[str, float], **occurred: Any) -> None:
    """One value of each customer, in the class `of`."""
    for customer, value in own.items():
        data = {"value": value, "class": of}
        cloud.emit("FundValued", customer, data, source="portfolio", **occurred)


def compared(cloud: LocalCloud) -> list[tuple[str, str, bool]]:
    """(customer, day, true) of all that was handed to the road, in the order of days and customers."""
    from foreword.domain import json_text

    facts = [item for item in cloud.table("activity") if item["type"] == "PeersCompared"]
    found = [(item["customer_id"], json_text.loads(item["data"])) for item in facts]
    return sorted(
        ((who, data["period"][:10], data["true"]) for who, data in found), key=lambda it: (it[1], it[0])
    )
