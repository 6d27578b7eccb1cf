"""Warned of is what a policy names that nothing in the rulebook or the schemas knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from foreword.authoring.policy_cautions import policy_cautions
from foreword.authoring.rulebook import load_rulebook
from tests.unit.authoring.rulebooks import write_rulebook

SCHEMAS: dict[str, Any] = {
    "ComplaintOpened": {"properties": {"complaint_id": {}, "kind": {}}},
    "ComplaintResolved": {"properties": {"complaint_id": {}}},
    "Paid": {"properties": {"payment_id": {}}},
}


def cases(opened: str = "ComplaintOpened", closed: str = "ComplaintResolved") -> str:
    case = f"opened: {opened}, closed: {closed}, by: event.data.complaint_id, hold: [marketing]"
    return f"open_cases:\n  - {{{case}}}\n"


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (cases(), []),
        (cases("Undescribed"), []),
        (
            cases("ComplaintOpend"),
            ["2:5: no schema describes the event 'ComplaintOpend'; did you mean 'ComplaintOpened'?"],
        ),
        (
            cases(closed="Paid"),
            [
                "2:5: the schema of Paid has no 'complaint_id', and an event without the case "
                "(event.data.complaint_id) closes nothing"
            ],
        ),
        (
            cases("{type: ComplaintOpened, where: 'event.data.knd == 1'}"),
            ["2:5: no schema describes event.data.knd; did you mean 'kind'?"],
        ),
        (
            "volume_constraints:\n  - {topic: any, at_most: 9, per: day}\n  - {topic: car, at_most: 5, per: day}\n",
            ["3:5: no rule sends anything of the topic 'car'; did you mean 'care'?"],
        ),
        ("volume_constraints: [{topic: care, at_most: 5, per: day}]\n", []),
        (
            "willingness: {scores: {Undescribed: 1, ComplaintOpend: -3}}\n",
            ["1:40: no schema describes the event 'ComplaintOpend'; did you mean 'ComplaintOpened'?"],
        ),
    ],
)
def test_what_nothing_knows_is_warned_of(tmp_path: Path, policy: str, expected: list[str]) -> None:
    loaded = load_rulebook(write_rulebook(tmp_path, policy=policy))
    found = [str(one).removeprefix(f"{tmp_path}/policy.yaml:") for one in policy_cautions(loaded, SCHEMAS)]
    assert found == expected
