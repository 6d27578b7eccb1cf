from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from foreword.domain.senders import parse_sender
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


def test_the_address_that_ses_compares_is_the_one_that_is_sent_from() -> None:
    sender = "Grüße <hello@München.example>"
    (stage,) = declared_stages({"foreword:stages": {"prod": {**GOOD, "sender": sender}}})
    assert stage.sender_address == parse_sender(sender).address == "hello@xn--mnchen-3ya.example"
    assert stage.sender_domain == "xn--mnchen-3ya.example"


@pytest.mark.parametrize("given", [{}, {"sms_sender_id": ""}])
def test_an_sms_sender_id_may_be_left_to_sns(given: dict[str, str]) -> None:
    declared = {name: value for name, value in GOOD.items() if name != "sms_sender_id"} | given
    (stage,) = declared_stages({"foreword:stages": {"prod": declared}})
    assert stage.sms_sender_id == ""


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"sender": "Foreword"}, "is no sender"),
        ({"sender": "hello@example.com, eve@evil.example"}, "is no sender"),
        ({"sender": "Foreword <hello@example.com> trailing"}, "is no sender"),
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
