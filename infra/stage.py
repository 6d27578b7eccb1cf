"""A stage: one deployment of Foreword, declared in cdk.json under `foreword:stages`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from foreword.domain.senders import parse_sender

CDK_JSON = Path(__file__).resolve().parent.parent / "cdk.json"
OWN_SOURCE = "foreword"


def _emitter(source: str) -> str:
    if source == OWN_SOURCE or source.startswith("aws."):
        raise ValueError(f"source {source!r} is not an emitter's: it speaks for Foreword or for AWS")
    return source


def _sender(text: str) -> str:
    parse_sender(text)
    return text


class Stage(BaseModel):
    """`protected` guards tables, keys and logs against deletion; only a stage that may be lost says false."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,19}$")
    sender: Annotated[str, AfterValidator(_sender)]
    sms_sender_id: str = Field(default="", pattern=r"^([A-Za-z0-9]*[A-Za-z][A-Za-z0-9]*)?$", max_length=11)
    """Empty where SNS is to choose what text messages come from: not every country knows sender ids."""
    allowed_sources: tuple[Annotated[str, AfterValidator(_emitter)], ...] = Field(min_length=1)
    protected: bool = True
    sms_status: bool = False
    """Whether the account logs what becomes of text messages, so that there are log groups to read it from."""

    @property
    def full_name(self) -> str:
        """The name of the stack, of its bus and of its SES configuration set."""
        return f"foreword-{self.name}"

    @property
    def sender_address(self) -> str:
        """What SES is told as sender, and compares `ses:FromAddress` with."""
        return parse_sender(self.sender).address

    @property
    def sender_domain(self) -> str:
        return self.sender_address.partition("@")[2]


def declared_stages(context: Mapping[str, Any]) -> tuple[Stage, ...]:
    """Raises ValueError (pydantic's, naming the field) for a stage that is wrongly declared."""
    return tuple(Stage(name=name, **declared) for name, declared in context["foreword:stages"].items())


def cdk_context() -> dict[str, Any]:
    """The context of cdk.json, so that the app is the same with the CLI and without."""
    context: dict[str, Any] = json.loads(CDK_JSON.read_text("utf-8"))["context"]
    return context
