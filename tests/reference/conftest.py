"""Every example is asked of the model and of the core."""

from __future__ import annotations

import pytest

from tests.reference import engines
from tests.reference.engines import Engine


@pytest.fixture(params=[engines.model, engines.core], ids=["model", "core"])
def decided(request: pytest.FixtureRequest) -> Engine:
    engine: Engine = request.param
    return engine
