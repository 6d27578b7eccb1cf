from __future__ import annotations

import random

from foreword.domain.facts import CUSTOMER_UPDATED, Fact
from foreword.domain.profiles import Profile


def update(at: int, received: int, **data: object) -> Fact:
    return Fact("crm", f"{at}/{received}", CUSTOMER_UPDATED, "c-1", at, received, data)


def test_each_attribute_has_its_last_writer_by_event_time_whatever_order_they_come_in() -> None:
    updates = [
        update(10, 1, segment="retail", email="a@example.com"),
        update(30, 2, segment="gold"),
        update(20, 3, segment="silver", email="b@example.com"),
        update(30, 4, segment="platinum"),
    ]
    for seed in range(24):
        arrived = random.Random(seed).sample(updates, len(updates))
        profile = Profile("c-1")
        for fact in arrived:
            profile = profile.merge(fact)
        # At equal times the later receipt is the later writer.
        assert profile.value("segment") == "platinum"
        assert profile.value("email") == "b@example.com"


def test_null_removes_and_an_older_write_does_not_bring_back() -> None:
    profile = Profile("c-1").merge(update(20, 1, segment=None)).merge(update(10, 2, segment="retail"))
    assert profile.value("segment") is None
    assert profile.values() == {}


def test_conditions_and_templates_see_no_address() -> None:
    profile = Profile("c-1").merge(update(1, 1, email="a@example.com", phone="+4915112345678", locale="de"))
    assert profile.values() == {"locale": "de"}
