"""An endpoint, as Amazon Pinpoint's export of a segment holds it, as a customer's record.

    {"Id": "…", "ChannelType": "EMAIL", "Address": "ada@example.com", "OptOut": "NONE", "EndpointStatus": "ACTIVE",
     "EffectiveDate": "2026-03-04T12:00:00Z", "Attributes": {"interests": ["tea"]}, "Metrics": {"visits": 3.0},
     "Demographic": {"Locale": "de_DE", "Timezone": "Europe/Berlin", …}, "Location": {"City": "Bonn", …},
     "User": {"UserId": "c-42", "UserAttributes": {"name": ["Ada"]}}}

A user's endpoints are one customer: each is an update of its own, the latest of them wins attribute by attribute.
An endpoint without a user is a customer of its own. Only e-mail and SMS have addresses here. `OptOut: ALL`
suppresses the address; that of an INACTIVE endpoint is not taken over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from foreword.domain.addresses import ATTRIBUTES
from foreword.domain.rulebook import Channel

_CHANNELS = {"EMAIL": Channel.EMAIL, "SMS": Channel.SMS}
_LOCALE = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{2}))?", re.ASCII)
_ZONE = re.compile(r"[A-Za-z]+([/_+-][A-Za-z0-9]+)*", re.ASCII)
_PLACES = {"City": "city", "Region": "region", "PostalCode": "postal_code", "Country": "country"}


def is_endpoint(record: Mapping[str, Any]) -> bool:
    return "ChannelType" in record and "customer_id" not in record


def attributes_of(endpoint: Mapping[str, Any]) -> dict[str, Any]:
    """As a customer's record; fields of another shape than Pinpoint's are left out."""
    user = _part(endpoint, "User")
    found: dict[str, Any] = {"customer_id": user.get("UserId") or endpoint.get("Id")}
    for attributes in (_part(endpoint, "Attributes"), _part(user, "UserAttributes")):
        found |= {name: text for name, values in attributes.items() if (text := _joined(values)) is not None}
    found |= {
        name: value for name, value in _part(endpoint, "Metrics").items() if not isinstance(value, bool)
    }
    location = _part(endpoint, "Location")
    found |= {ours: location[name] for name, ours in _PLACES.items() if isinstance(location.get(name), str)}
    found |= _demographic(_part(endpoint, "Demographic"))
    found |= _address(endpoint)
    at = endpoint.get("EffectiveDate") or endpoint.get("CreationDate")
    return found if at is None else {**found, "updated_at": at}


def _address(endpoint: Mapping[str, Any]) -> dict[str, Any]:
    channel = _CHANNELS.get(str(endpoint.get("ChannelType")))
    address = endpoint.get("Address")
    if channel is None or not isinstance(address, str) or endpoint.get("EndpointStatus") == "INACTIVE":
        return {}
    suppressed = {"suppressed": [channel.value]} if endpoint.get("OptOut") == "ALL" else {}
    return {ATTRIBUTES[channel]: address.strip(), **suppressed}


def _demographic(demographic: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    locale = _LOCALE.fullmatch(str(demographic.get("Locale", "")))
    if locale is not None:
        language, country = locale[1].lower(), locale[2]
        found["locale"] = language if country is None else f"{language}-{country.upper()}"
    zone = str(demographic.get("Timezone", ""))
    if _ZONE.fullmatch(zone):
        found["timezone"] = zone
    return found


def _joined(values: Any) -> str | None:
    """Pinpoint's attributes are lists of text; ours are one value."""
    if not isinstance(values, list) or not values:
        return None
    return ", ".join(str(value) for value in values)


def _part(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = holder.get(name)
    return value if isinstance(value, Mapping) else {}
