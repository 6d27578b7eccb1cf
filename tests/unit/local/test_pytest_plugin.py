"""The fixture that comes with the package."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from foreword.local.cloud import LocalCloud


@pytest.fixture
def foreword_cloud_options(mini_template: Path, tmp_path: Path) -> dict[str, Any]:
    return {"template": mini_template, "published": tmp_path, "at": "2026-01-05T08:00:00Z"}


def test_the_fixture_is_a_cloud_with_the_projects_options(foreword_cloud: LocalCloud) -> None:
    assert foreword_cloud.now == datetime(2026, 1, 5, 8, tzinfo=UTC)
    foreword_cloud.emit("Asked", "c1", {"email": "ada@example.com"})
    assert len(foreword_cloud.sent_to("ada@example.com")) == 1


@pytest.mark.foreword(at="2026-07-01T00:00:00Z")
def test_a_marker_changes_them_for_one_test(foreword_cloud: LocalCloud) -> None:
    assert foreword_cloud.now == datetime(2026, 7, 1, tzinfo=UTC)


def test_loading_the_plugin_imports_nothing_heavy() -> None:
    code = (
        "import sys; import foreword.local.pytest_plugin; "
        "heavy = {'moto', 'boto3', 'botocore', 'pydantic', 'time_machine', 'celpy'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603
    assert (done.returncode, done.stderr) == (0, "")
