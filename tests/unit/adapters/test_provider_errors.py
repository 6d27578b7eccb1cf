from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from foreword.adapters.provider_errors import outcome_of
from foreword.app.ports import OutcomeUnknown, Refused


def answered(code: str, status: int, words: str = "") -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": words},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, "SendEmail")


@pytest.mark.parametrize(
    "error",
    [
        answered("TooManyRequestsException", 429),
        answered("SomethingNew", 429),
        answered("LimitExceededException", 400),
        answered("SendingPausedException", 400),
        answered("AccountSuspendedException", 400),
        answered("Throttling", 400),
        answered("MailFromDomainNotVerifiedException", 400),
        answered("NotFoundException", 404),
        answered("AccessDeniedException", 403),
        answered("ExpiredTokenException", 403),
        answered("RequestTimeTooSkewed", 403),
        answered("InvalidSignatureException", 403),
        answered("SignatureDoesNotMatch", 403),
        answered("RequestExpired", 400),
        answered("InvalidAccessKeyId", 403),
        answered("MissingAuthenticationToken", 403),
        answered("OptInRequired", 403),
        answered("SomethingNew", 400),
        answered("", 404),
        ConnectTimeoutError(endpoint_url="x"),
        EndpointConnectionError(endpoint_url="x"),
        NoCredentialsError(),
    ],
)
def test_certainly_not_accepted_and_worth_another_try(error: Exception) -> None:
    outcome = outcome_of(error)
    assert isinstance(outcome, Refused)
    assert outcome.retryable


@pytest.mark.parametrize(
    "error",
    [
        answered("MessageRejected", 400),
        answered("BadRequestException", 400),
        answered("InvalidParameter", 400),
        answered("InvalidParameterValue", 400),
        answered("ParameterValueInvalid", 400),
        answered("ValidationException", 400),
        answered("ValidationError", 400),
        answered("OptedOut", 400),
        answered("OptedOutException", 400),
        ParamValidationError(report="x"),
    ],
)
def test_certainly_not_accepted_and_never_will_be(error: Exception) -> None:
    outcome = outcome_of(error)
    assert isinstance(outcome, Refused)
    assert not outcome.retryable


@pytest.mark.parametrize(
    "error",
    [
        answered("InternalFailure", 500),
        answered("ServiceUnavailable", 503),
        answered("Throttling", 503),
        answered("RequestTimeout", 408),
        answered("", 0),
        answered("MessageRejected", 200),
        ReadTimeoutError(endpoint_url="x"),
        ConnectionClosedError(endpoint_url="x"),
        HTTPClientError(error="x"),
        SSLError(endpoint_url="x", error=OSError()),
        ResponseParserError("x"),
    ],
)
def test_all_else_may_have_been_accepted(error: Exception) -> None:
    assert isinstance(outcome_of(error), OutcomeUnknown)


def test_an_outcome_names_its_code_and_nothing_of_the_message() -> None:
    refused = answered("MessageRejected", 400, "ada@customer.example is bad")
    assert outcome_of(refused) == Refused("MessageRejected", retryable=False)
