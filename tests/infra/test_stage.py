from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from infra.stage import cdk_context, declared_stages

GOOD: dict[str, Any] = {
    "sender": "Foreword <hello@example.com>",
    "sms_sender_id": "FOREWORD",
    "allowed_sources": ["shop"],
}


def test_the_declared_stages_are_well_formed() -> None:
    assert [stage.name for stage in declared_stages(cdk_context())] == ["dev"]


def test_a_stage_is_protected_unless_it_says_otherwise() -> None:
    (stage,) = declared_stages({"foreword:stages": {"prod": GOOD}})
    assert stage.protected


def test_the_sender_is_taken_apart() -> None:
    (stage,) = declared_stages({"foreword:stages": {"prod": GOOD}})
    assert (stage.sender_address, stage.sender_domain) == ("hello@example.com", "example.com")
    assert stage.full_name == "foreword-prod"


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"sender": "Foreword"}, "is no sender"),
        ({"sms_sender_id": "TWELVELETTER"}, "sms_sender_id"),
        ({"sms_sender_id": "12345"}, "sms_sender_id"),
        ({"allowed_sources": []}, "allowed_sources"),
        ({"allowed_sources": ["foreword"]}, "is not an emitter's"),
        ({"allowed_sources": ["aws.ses"]}, "is not an emitter's"),
        ({"alowed_sources": ["shop"]}, "alowed_sources"),
    ],
)
def test_a_wrongly_declared_stage_is_refused_by_its_field(wrong: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        declared_stages({"foreword:stages": {"prod": {**GOOD, **wrong}}})


def test_a_stage_whose_name_no_resource_could_bear_is_refused() -> None:
    with pytest.raises(ValidationError, match="name"):
        declared_stages({"foreword:stages": {"Prod!": GOOD}})
