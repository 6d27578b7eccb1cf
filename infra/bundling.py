"""A function's code asset, made without Docker: its dependencies for Lambda, its sources and what is published.

The asset's name is a hash of what it is made from, so that a build at another time or place is the same asset.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_

ROOT = Path(__file__).resolve().parent.parent
FUNCTIONS = ROOT / "functions"
REQUIREMENTS = FUNCTIONS / "requirements.txt"
RULEBOOK = FUNCTIONS / "evaluate_triggers"
MESSAGES = FUNCTIONS / "deliver_message" / "messages"
SCHEMAS = ROOT / "events" / "schemas"
NOT_SHIPPED = frozenset({"authoring", "cli", "local"})
"""Packages of foreword that stay on a developer's machine."""

_PLATFORM = ("manylinux2014_aarch64", "manylinux_2_28_aarch64")
_PYTHON = "3.13"


def function_code(name: str) -> lambda_.Code:
    """`name` is the function's package."""
    return lambda_.Code.from_asset(
        str(FUNCTIONS),
        asset_hash=source_hash(name),
        asset_hash_type=AssetHashType.CUSTOM,
        bundling=BundlingOptions(image=DockerImage.from_registry("unused"), local=_LocalBundling(name)),
    )


def source_hash(name: str) -> str:
    """Of every file that has a part in the asset, by its path and content."""
    digest = hashlib.sha256(name.encode())
    made_from = {
        REQUIREMENTS,
        Path(__file__).resolve(),
        *_python(FUNCTIONS / name),
        *_python(FUNCTIONS / "foreword", leave_out=NOT_SHIPPED - {"authoring"}),
        *_documents(),
    }
    for path in sorted(made_from):
        content = path.read_bytes()
        digest.update(f"\0{path.relative_to(ROOT).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def bundle(name: str, out: Path) -> None:
    """Fills the empty directory `out` with what Lambda unpacks. Raises CalledProcessError when pip fails."""
    shutil.copytree(_dependencies(), out, dirs_exist_ok=True)
    for package, leave_out in ((name, frozenset[str]()), ("foreword", NOT_SHIPPED)):
        for source in _python(FUNCTIONS / package, leave_out=leave_out):
            target = out / source.relative_to(FUNCTIONS)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    _publish(out / "published")


def _publish(out: Path) -> None:
    # Only a real bundling needs a rulebook that can be published; a template does not.
    from foreword.authoring.publish import publish

    publish(RULEBOOK, MESSAGES, SCHEMAS, out)


@cache
def _dependencies() -> Path:
    """Installed once for all functions, from wheels for Lambda's platform: none of them runs here."""
    target = Path(tempfile.mkdtemp(prefix="foreword-dependencies-"))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--require-hashes"]
    command += ["--target", str(target), "--python-version", _PYTHON, "--implementation", "cp"]
    command += [part for platform in _PLATFORM for part in ("--platform", platform)]
    command += ["--only-binary=:all:", "--requirement", str(REQUIREMENTS)]
    subprocess.run(command, check=True, stdout=sys.stderr)  # noqa: S603  (all of it is ours)
    return target


def _python(package: Path, leave_out: frozenset[str] = frozenset()) -> Iterator[Path]:
    for path in package.rglob("*"):
        inside = path.relative_to(package)
        if path.is_file() and path.suffix in {".py", ".typed"} and inside.parts[0] not in leave_out:
            yield path


def _documents() -> Iterator[Path]:
    yield from RULEBOOK.rglob("*.yaml")
    for folder in (MESSAGES, SCHEMAS):
        yield from (path for path in folder.rglob("*") if path.is_file())


@jsii.implements(ILocalBundling)
class _LocalBundling:
    def __init__(self, name: str) -> None:
        self._name = name

    def try_bundle(self, output_dir: str, **_options: Any) -> bool:
        """True: CDK need not look for Docker."""
        bundle(self._name, Path(output_dir))
        return True
