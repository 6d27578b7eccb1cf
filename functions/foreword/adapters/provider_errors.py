"""What an error of a provider call says about the message: was it certainly not accepted, or may it have been?

Certain is only what a provider answered with a client error, or what never reached it. All else is unknown.
"""

from __future__ import annotations

from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ProxyConnectionError,
)

from foreword.app.ports import OutcomeUnknown, Refused

_NEVER_ARRIVED = (
    ConnectTimeoutError,
    EndpointConnectionError,
    ProxyConnectionError,
    NoCredentialsError,
    CredentialRetrievalError,
)
# What blames this message or its address. All else a client error may say is about the account: its set-up, limits,
# permissions, credentials or clock. Once mended, the same message passes, and its own deadline bounds the waiting.
_FINAL = frozenset(
    {
        "BadRequestException",
        "InvalidParameter",
        "InvalidParameterValue",
        "MessageRejected",
        "OptedOut",
        "OptedOutException",
        "ParameterValueInvalid",
        "ValidationError",
        "ValidationException",
    }
)
_REQUEST_TIMEOUT = 408


def outcome_of(error: Exception) -> Refused | OutcomeUnknown:
    """`error` is whatever the SDK raised out of the one call."""
    kind = type(error).__name__
    if isinstance(error, ClientError):
        return _outcome_of_answer(error)
    if isinstance(error, _NEVER_ARRIVED):
        return Refused(kind, retryable=True)
    if isinstance(error, ParamValidationError):
        return Refused(kind, retryable=False)
    return OutcomeUnknown(kind)


def _outcome_of_answer(error: ClientError) -> Refused | OutcomeUnknown:
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if not 400 <= status < 500 or status == _REQUEST_TIMEOUT:
        return OutcomeUnknown(code or str(status))
    return Refused(code or str(status), retryable=code not in _FINAL)
