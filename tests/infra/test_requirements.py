"""Both files were made by `uv pip compile --generate-hashes --no-emit-index-url --no-annotate --no-header`.

The root file from `pyproject.toml --extra dev`, for Python 3.11; that of the functions from the runtime's pins
with `--constraint requirements.txt --python-version 3.13 --python-platform aarch64-manylinux_2_28`.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from infra.bundling import HERE

DEVELOPMENT = HERE.root / "requirements.txt"
LAMBDA = HERE.requirements
PINNED = re.compile(r"(?P<name>[a-z0-9][a-z0-9-]*)==(?P<version>[0-9][A-Za-z0-9.+!]*)")
RUNTIME = {"aws-lambda-powertools", "fastjsonschema", "pydantic", "python-liquid", "tzdata"}
"""What Lambda needs of us: boto3 comes with its runtime, and the time zones do not."""


def _pins(text: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Version and hashes by name. Fails on anything that is neither."""
    pins = {}
    for entry in text.replace("\\\n", " ").splitlines():
        first, *hashes = entry.split()
        pinned = PINNED.fullmatch(first)
        assert pinned, first
        assert hashes
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", one) for one in hashes), first
        pins[pinned["name"]] = (pinned["version"], frozenset(hashes))
    return pins


def _declared() -> dict[str, str]:
    """Version by name, of pyproject.toml with all its extras."""
    project = tomllib.loads((HERE.root / "pyproject.toml").read_text("utf-8"))["project"]
    extras = [requirement for extra in project["optional-dependencies"].values() for requirement in extra]
    declared = [re.sub(r"\[.*?\]", "", one) for one in (*project["dependencies"], *extras)]
    versions = (one.partition("==") for one in declared if "==" in one)
    return {name.lower().replace(".", "-").replace("_", "-"): version for name, _, version in versions}


@pytest.mark.parametrize("path", [DEVELOPMENT, LAMBDA], ids=["development", "lambda"])
def test_a_requirements_file_holds_names_versions_and_hashes_only(path: Path) -> None:
    assert _pins(path.read_text("utf-8"))


def test_the_development_requirements_are_those_of_the_project() -> None:
    pins = _pins(DEVELOPMENT.read_text("utf-8"))
    declared = _declared()
    assert {name: pins[name][0] for name in declared} == declared


def test_lambda_runs_the_very_versions_that_are_tested() -> None:
    development = _pins(DEVELOPMENT.read_text("utf-8"))
    for name, pin in _pins(LAMBDA.read_text("utf-8")).items():
        assert pin == development[name], name


def test_lambda_gets_what_its_runtime_lacks_and_no_tools() -> None:
    pins = _pins(LAMBDA.read_text("utf-8"))
    assert pins.keys() >= RUNTIME
    assert not pins.keys() & {"boto3", "botocore", "moto", "cel-python", "ruamel-yaml", "rich", "typer"}
