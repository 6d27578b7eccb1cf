"""The local cloud as a pytest fixture; installed with the package, so there is nothing to import.

    @pytest.mark.foreword(at="2026-03-02T09:00:00Z")
    def test_a_third_contact_brings_a_message(foreword_cloud):
        foreword_cloud.emit("CustomerUpdated", "c1", {"email": "ada@example.com"}, source="crm")
        for _ in range(3):
            foreword_cloud.emit("SupportContacted", "c1", source="support")
        assert foreword_cloud.sent_to("ada@example.com")

The marker takes the arguments of LocalCloud: at, rulebook, messages, schemas, mappings, published, template,
every_tick.
For a whole project, override the fixture `foreword_cloud_options` in conftest.py:

    @pytest.fixture
    def foreword_cloud_options():
        return {"rulebook": Path("rulebook"), "at": "2026-01-05T08:00:00Z"}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from foreword.local.cloud import LocalCloud


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "foreword(**options): how the `foreword_cloud` of a test starts, e.g. at='2026-03-02T09:00:00Z'",
    )


@pytest.fixture
def foreword_cloud_options() -> dict[str, Any]:
    """How every `foreword_cloud` starts, unless a test's marker says otherwise."""
    return {}


@pytest.fixture
def foreword_cloud(
    request: pytest.FixtureRequest, foreword_cloud_options: dict[str, Any]
) -> Iterator[LocalCloud]:
    """A cloud of the test's own, with Foreword's template deployed; it ends with the test."""
    from foreword.local.cloud import LocalCloud

    options = dict(foreword_cloud_options)
    for marker in reversed(list(request.node.iter_markers("foreword"))):
        options |= marker.kwargs
    with LocalCloud(**options) as cloud:
        yield cloud
