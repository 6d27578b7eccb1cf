from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from foreword.adapters.link_keys import KEPT_FOR, LinkKeys, SignedLinks
from foreword.domain.errors import StoreUnavailable
from foreword.domain.instants import MINUTE
from foreword.domain.preference_links import Link, LinkPurpose
from tests.fakes.customers import FakeClock
from tests.fakes.samples import NOON, a_message

LINK = Link(LinkPurpose.PREFERENCES, "c-42", "ab" * 16, 0)
ONE = json.dumps({"1": "o" * 64})
TWO = json.dumps({"2": "n" * 64, "1": "o" * 64})


@dataclass
class FakeSecrets:
    text: str | None = ONE
    asked: list[str] = field(default_factory=list)

    def get_secret_value(self, *, SecretId: str) -> Any:  # noqa: N803 - as boto3 names it
        self.asked.append(SecretId)
        if self.text is None:
            raise ReadTimeoutError(endpoint_url="secrets")
        return {"SecretString": self.text}


def test_the_secret_is_read_once_in_a_while_and_a_new_key_taken_up() -> None:
    secrets, clock = FakeSecrets(), FakeClock(NOON)
    keys = LinkKeys(secrets, "links", clock)
    before = keys().token(LINK)
    clock.instant += KEPT_FOR - 1
    assert keys().token(LINK) == before
    assert secrets.asked == ["links"]
    secrets.text = TWO
    clock.instant += 1
    assert keys().token(LINK) != before
    assert keys().read(before, LinkPurpose.PREFERENCES, NOON) == LINK
    assert secrets.asked == ["links", "links"]


@pytest.mark.parametrize("broken", [None, "", "[]", '{"1": 7}', '{"one": "x"}', '{"1": "short"}'])
def test_where_the_secret_cannot_be_read_what_was_read_before_serves(broken: str | None) -> None:
    secrets, clock = FakeSecrets(), FakeClock(NOON)
    keys = LinkKeys(secrets, "links", clock)
    before = keys()
    secrets.text = broken
    clock.instant += KEPT_FOR + MINUTE
    assert keys() is before
    with pytest.raises(StoreUnavailable, match="cannot be read") as refused:
        LinkKeys(secrets, "links", clock)()
    assert "short" not in str(refused.value)


def test_links_are_signed_for_their_message() -> None:
    keys = LinkKeys(FakeSecrets(), "links", FakeClock(NOON))
    links = SignedLinks(keys, "https://links.example").links_for(a_message())
    token = links.unsubscribe.rsplit("/", 1)[-1]
    read = keys().read(token, LinkPurpose.UNSUBSCRIBE, NOON)
    assert read is not None
    assert (read.customer_id, read.about) == ("c-42", "care")
