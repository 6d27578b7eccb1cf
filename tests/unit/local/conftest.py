"""A local cloud with the tests' own template and handlers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from foreword.local.cloud import LocalCloud
from tests.unit.local.support import HANDLERS, template, written


@pytest.fixture(autouse=True)
def _own_handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(HANDLERS)


@pytest.fixture
def mini_template(tmp_path: Path) -> Path:
    return written(template(), tmp_path)


@pytest.fixture
def cloud(mini_template: Path, tmp_path: Path) -> Iterator[LocalCloud]:
    with LocalCloud(template=mini_template, published=tmp_path) as cloud:
        yield cloud
