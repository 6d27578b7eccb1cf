from __future__ import annotations

import json

import pytest

from infra.snapshot import declared_stage, normalise, synthesize
from tests.infra.reading import Template


@pytest.fixture(scope="session")
def fresh() -> Template:
    """The stage `dev`, synthesized now and normalised."""
    return Template(json.loads(normalise(synthesize(declared_stage()))))
