"""What the function preferences does, and its answers as API Gateway takes them (payload format 2.0)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foreword.adapters.preference_pages.pages import HEADERS, PreferencePages
from foreword.app.serve_preferences import Answer, PageRequest, ServePreferences, View


@dataclass(frozen=True, slots=True)
class PreferencesSite:
    serve: ServePreferences
    pages: PreferencePages

    def response(self, request: PageRequest, answer: Answer) -> dict[str, Any]:
        return self._page(request, answer.shows, {})

    def failed(self, request: PageRequest) -> dict[str, Any]:
        """Nobody can say whether it was saved: the same request may be sent again, and changes nothing twice."""
        return self._page(request, View("failed", request.languages, status=503), {"retry-after": "60"})

    def _page(self, request: PageRequest, view: View, headers: Mapping[str, str]) -> dict[str, Any]:
        return _response(view.status, headers, "" if request.is_head else self.pages.html(view))


def _response(status: int, headers: Mapping[str, str], body: str) -> dict[str, Any]:
    return {"statusCode": status, "headers": {**HEADERS, **headers}, "body": body, "isBase64Encoded": False}
