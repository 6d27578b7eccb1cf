"""Functions killed and calls failed at every place."""

from __future__ import annotations

from datetime import timedelta

import pytest
from botocore.exceptions import ReadTimeoutError

from foreword.local.cloud import LocalCloud
from foreword.local.faults import When, service_error


def test_a_function_killed_before_a_call_left_nothing_and_is_run_again(cloud: LocalCloud) -> None:
    cloud.faults.kill("local_watch", call=1, when="before")
    cloud.emit("Asked", "c1", {"email": "ada@example.com"})

    first, second = [one for one in cloud.invocations if one.function == "local_watch"]
    assert first.error is not None
    assert first.error["errorType"] == "Runtime.ExitError"
    assert second.error is None
    assert [item["times"] for item in cloud.table("seen") if item["kind"] == "seen"] == [1]
    assert len(cloud.sent) == 1


def test_a_function_killed_after_a_call_leaves_its_work_behind(cloud: LocalCloud) -> None:
    cloud.faults.kill("local_watch", call=2, when="after")
    cloud.emit("Asked", "c1", {"email": "ada@example.com"})

    assert len(cloud.sent) == 2, "this handler claims nothing, so it sends twice"
    assert cloud.faults.armed == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_killed_queue_function_is_woken_again_after_the_visibility_timeout(
    cloud: LocalCloud, when: When
) -> None:
    cloud.faults.kill("local_gather", call=1, when=when)
    cloud.emit("Asked", "c1")
    assert len(cloud.table("items")) == (when == "after")
    cloud.advance(by=timedelta(minutes=5))
    assert len(cloud.table("items")) == 1
    assert cloud.waiting() == 0


def test_a_kill_waits_for_an_invocation_with_that_many_calls(cloud: LocalCloud) -> None:
    cloud.faults.kill("local_watch", call=2)
    cloud.emit("Asked", "c1")
    assert len(cloud.faults.armed) == 1
    cloud.emit("Asked", "c1", {"phone": "+4366012345678"})
    assert cloud.faults.armed == []


def test_what_a_killed_function_prints_after_its_death_is_lost(cloud: LocalCloud) -> None:
    cloud.faults.kill("local_gather", call=1, when="after")
    cloud.emit("Asked", "c1")
    assert cloud.invocations[0].logs == ""


def test_a_lost_answer_is_an_error_to_a_client_that_does_not_retry(cloud: LocalCloud) -> None:
    error = ReadTimeoutError(endpoint_url="https://email")
    cloud.faults.fail("sesv2", "SendEmail", error=error, when="after")
    cloud.emit("Asked", "c1", {"email": "ada@example.com"})

    failed = next(one for one in cloud.invocations if one.error is not None)
    assert failed.error is not None
    assert failed.error["errorType"] == "ReadTimeoutError"
    assert len(cloud.sent) == 2, "accepted, the answer lost, and sent again by the retry of the stream"


def test_each_attempt_of_the_sdk_is_a_call_and_its_backoff_is_virtual(cloud: LocalCloud) -> None:
    before = cloud.now
    cloud.faults.fail("dynamodb", "PutItem", error=service_error("ThrottlingException"), times=2)
    cloud.emit("Asked", "c1")

    (gather,) = [one for one in cloud.invocations if one.function == "local_gather"]
    assert gather.error is None
    assert gather.aws_calls == (("dynamodb", "PutItem"),) * 3
    assert cloud.now > before + timedelta(milliseconds=2)


@pytest.mark.parametrize(
    ("service", "operation", "error", "type_"),
    [
        ("dynamodb", "UpdateItem", service_error("RequestLimitExceeded"), "RequestLimitExceeded"),
        ("sesv2", "SendEmail", service_error("TooManyRequestsException", 429), "TooManyRequestsException"),
        ("sesv2", "SendEmail", service_error("InternalFailure", 500), "ClientError"),
        ("sns", "Publish", service_error("Throttling", 429, "slow < down"), "ClientError"),
        ("sns", "Publish", service_error("InvalidParameter", 400), "InvalidParameterException"),
    ],
)  # fmt: skip
def test_a_services_answer_arrives_as_its_own_error(
    cloud: LocalCloud, service: str, operation: str, error: Exception, type_: str
) -> None:
    cloud.faults.fail(service, operation, error=error, function="local_watch")
    cloud.emit("Asked", "c1", {"email": "ada@example.com", "phone": "+4366012345678"})

    failed = next(one for one in cloud.invocations if one.error is not None)
    assert failed.error is not None
    assert failed.error["errorType"] == type_
    assert error.args[0] == str(error)
    assert failed.error["errorMessage"].count(operation) == 1


def test_a_fault_for_one_function_spares_the_others(cloud: LocalCloud) -> None:
    cloud.faults.fail("dynamodb", "PutItem", error=RuntimeError("down"), function="local_hear")
    cloud.emit("Asked", "c1", {"email": "ada@example.com"})
    assert [one.function for one in cloud.invocations if one.error is not None] == ["local_hear"]


def test_calls_count_from_one(cloud: LocalCloud) -> None:
    with pytest.raises(ValueError, match="from 1"):
        cloud.faults.kill("local_watch", call=0)
