"""The handler of the customer's page, asked by way of the API in a local cloud: what it takes, gives and logs."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest

from foreword.domain.preference_links import Link, LinkPurpose, LinkSigner
from foreword.local.cloud import LocalCloud
from foreword.local.faults import service_error
from foreword.local.sources.http import HttpResponse
from tests.fakes.links import MESSAGE, link_in, signer_of

CUSTOMER = "ada@customer.example"
"""Some use an e-mail address for an id."""

PROFILE = {"email": "ada@mail.example", "phone": "+4915112345678", "name": "Ada"}
ABOUT = {LinkPurpose.UNSUBSCRIBE: "care", LinkPurpose.PREFERENCES: "", LinkPurpose.CONFIRM: "email"}
ONE_CLICK = "List-Unsubscribe=One-Click"
SAFE = {
    "cache-control": "no-store",
    "content-type": "text/html; charset=utf-8",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-robots-tag": "noindex, nofollow",
}


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(at="2026-03-02T09:00:00Z") as cloud:
        cloud.emit("CustomerUpdated", CUSTOMER, PROFILE, source="crm")
        yield cloud


def assert_safe(response: HttpResponse) -> None:
    assert SAFE.items() <= response.headers.items()
    assert response.headers["strict-transport-security"].startswith("max-age=63072000")
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert policy.endswith("form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
    assert "set-cookie" not in response.headers
    assert "<script" not in response.body
    assert not [one for one in PROFILE.values() if one in response.body and one != "Ada"]
    assert CUSTOMER not in response.body


@pytest.mark.parametrize("purpose", list(LinkPurpose))
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_changes_nothing_whatever_comes_with_it(
    cloud: LocalCloud, purpose: LinkPurpose, method: str
) -> None:
    before = (cloud.table("consents"), cloud.table("activity"), len(cloud.bus_events))
    url = link_in(cloud, purpose, CUSTOMER, ABOUT[purpose])
    response = cloud.request(method, f"{url}?action=stop", body="action=stop&" + ONE_CLICK)
    assert response.status == 200
    assert (response.body == "") is (method == "HEAD")
    assert_safe(response)
    assert (cloud.table("consents"), cloud.table("activity"), len(cloud.bus_events)) == before


def test_every_link_that_does_not_work_is_answered_by_the_same_bytes(cloud: LocalCloud) -> None:
    cloud.emit("CustomerUpdated", "c-gone", {"locale": "de"}, source="crm")
    erase(cloud, "c-gone")
    signer = signer_of(cloud.deployed("LINKS_SECRET"))
    good = signer.token(Link(LinkPurpose.CONFIRM, CUSTOMER, MESSAGE, 0, "email"))
    unknown = LinkSigner({7: b"x" * 64}).token(Link(LinkPurpose.CONFIRM, CUSTOMER, MESSAGE, 0, "email"))
    forged = LinkSigner({1: b"x" * 64}).token(Link(LinkPurpose.CONFIRM, CUSTOMER, MESSAGE, 0, "email"))
    other = link_in(cloud, LinkPurpose.PREFERENCES, CUSTOMER).rsplit("/", 1)[-1]
    gone = link_in(cloud, LinkPurpose.CONFIRM, "c-gone", "email").rsplit("/", 1)[-1]
    facts = cloud.table("activity")
    expired = good
    tokens = [expired, good[:-3], good + "AA", unknown, forged, other, gone, "x", "%00", "..%2f", "A" * 5_000]
    for method in ("GET", "POST"):
        answers = {repr(cloud.request(method, f"/c/{token}", body="action=confirm")) for token in tokens}
        assert len(answers) == 1
    (answer,) = answers
    assert "status=404" in answer
    assert cloud.table("activity") == facts


def test_one_click_is_answered_at_once_with_no_cookie_and_no_redirect(cloud: LocalCloud) -> None:
    url = link_in(cloud, LinkPurpose.UNSUBSCRIBE, CUSTOMER, "care")
    multipart = '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
    for kind, body in (
        ("application/x-www-form-urlencoded", ONE_CLICK),
        ("multipart/form-data; boundary=b", multipart),
    ):
        response = cloud.request("POST", url, headers={"Content-Type": kind}, body=body)
        assert response.status == 200
        assert "location" not in response.headers
        assert_safe(response)
    changes = [event for event in cloud.bus_events if event.type == "PreferenceChanged"]
    assert len(changes) == 1
    assert changes[0].detail["data"]["via"] == "one-click"
    assert cloud.metrics(service="preferences")["PreferencesChanged"] == 1


def test_a_store_that_does_not_answer_is_told_as_a_page_and_nothing_is_saved(cloud: LocalCloud) -> None:
    facts = cloud.table("activity")
    throttled = service_error("ThrottlingException", 400)
    cloud.faults.fail("dynamodb", "BatchGetItem", error=throttled, times=3)
    url = link_in(cloud, LinkPurpose.PREFERENCES, CUSTOMER)
    response = cloud.request("POST", url, body="action=stop")
    assert (response.status, response.headers["retry-after"]) == (503, "60")
    assert "It may not have been saved" in response.body
    assert_safe(response)
    assert cloud.table("activity") == facts


def test_no_log_holds_a_token_a_customer_or_an_address(cloud: LocalCloud) -> None:
    url = link_in(cloud, LinkPurpose.PREFERENCES, CUSTOMER)
    cloud.request("POST", url, body="action=pause&version=0")
    logs = "".join(one.logs for one in cloud.invocations if one.function == "preferences")
    assert "served" in logs
    assert not [secret for secret in (url.rsplit("/", 1)[-1], CUSTOMER, *PROFILE.values()) if secret in logs]


def erase(cloud: LocalCloud, customer_id: str) -> None:
    """As an erasure leaves the profile."""

    boto3.client("dynamodb").update_item(
        TableName=cloud.table_names["customers"],
        Key={"customer_id": {"S": customer_id}, "item": {"S": "profile"}},
        UpdateExpression="SET erased = :true",
        ExpressionAttributeValues={":true": {"BOOL": True}},
    )
