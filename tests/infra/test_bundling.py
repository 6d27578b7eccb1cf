from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from aws_cdk import App, AssetStaging, Stack

from infra.bundling import HERE, NOT_SHIPPED, Checkout, bundle, local_bundling, source_hash

FUNCTIONS = [
    "record_activity",
    "evaluate_triggers",
    "deliver_message",
    "release_due",
    "record_feedback",
    "preferences",
]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A copy that a test may change."""
    root = tmp_path / "checkout"
    for folder in ("functions", "events"):
        shutil.copytree(HERE.root / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return Checkout(root)


def test_cdk_bundles_without_docker(checkout: Checkout, tmp_path: Path) -> None:
    """With no dependencies, since a test downloads nothing."""
    checkout.requirements.write_text("")
    app = App(outdir=str(tmp_path / "out"))
    staged = AssetStaging(
        Stack(app, "stack"),
        "code",
        source_path=str(checkout.functions),
        bundling=local_bundling("record_activity", checkout),
    )
    assert {path.name for path in Path(staged.absolute_staged_path).iterdir()} == {
        "foreword",
        "published",
        "record_activity",
    }


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_bundle_holds_what_its_function_imports_and_nothing_else_of_ours(name: str, tmp_path: Path) -> None:
    """Its dependencies are those of this environment: Lambda's own do not run here."""
    nothing, out = tmp_path / "nothing", tmp_path / "out"
    nothing.mkdir()
    bundle(name, out, HERE, nothing)
    assert {path.name for path in out.iterdir()} == {name, "foreword", "published"}
    assert not {path.name for path in (out / "foreword").iterdir()} & NOT_SHIPPED
    assert {path.suffix for path in out.rglob("*") if path.is_file()} == {".py", ".json"}
    program = f"import sys; sys.path.insert(0, {str(out)!r}); import {name}.handler as it, foreword; "
    program += "print(it.__file__, foreword.__file__)"
    ran = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)  # noqa: S603
    assert all(Path(file).is_relative_to(out) for file in ran.stdout.split())


def test_a_bundle_has_the_published_documents(tmp_path: Path) -> None:
    nothing, out = tmp_path / "nothing", tmp_path / "out"
    nothing.mkdir()
    bundle("evaluate_triggers", out, HERE, nothing)
    published = {path.name for path in (out / "published").iterdir()}
    assert published == {"rulebook.json", "schemas.json", "mappings.json", "templates.json"}


def test_the_same_sources_are_the_same_asset_wherever_they_are(checkout: Checkout) -> None:
    assert source_hash("record_activity", checkout) == source_hash("record_activity", HERE)


def test_each_function_is_an_asset_of_its_own() -> None:
    assert len({source_hash(name, HERE) for name in FUNCTIONS}) == len(FUNCTIONS)


@pytest.mark.parametrize(
    "changed",
    [
        "functions/requirements.txt",
        "functions/record_activity/__init__.py",
        "functions/foreword/domain/facts.py",
        "functions/foreword/authoring/__init__.py",
        "functions/evaluate_triggers/rules/new.yaml",
        "functions/deliver_message/messages/new/sms.txt",
        "events/schemas/New.json",
        "events/mappings/new.yaml",
    ],
)
def test_what_has_a_part_in_the_asset_gives_a_new_one(checkout: Checkout, changed: str) -> None:
    before = source_hash("record_activity", checkout)
    path = checkout.root / changed
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write("\n")
    assert source_hash("record_activity", checkout) != before


@pytest.mark.parametrize(
    "changed",
    [
        "functions/foreword/cli/new.py",
        "functions/foreword/experiments/new.py",
        "functions/foreword/explaining/new.py",
        "functions/foreword/local/new.py",
        "functions/release_due/new.py",
    ],
)
def test_what_is_not_shipped_leaves_the_asset_as_it_is(checkout: Checkout, changed: str) -> None:
    before = source_hash("record_activity", checkout)
    (checkout.root / changed).write_text("")
    assert source_hash("record_activity", checkout) == before
