"""A function's code asset, made without Docker: its dependencies for Lambda, its sources and what is published.

The asset's name is a hash of what it is made from, so that a build at another time or place is the same asset.
"""

from __future__ import annotations

import atexit
import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_

NOT_SHIPPED = frozenset({"authoring", "backtest", "cli", "experiments", "explaining", "local"})
"""Packages of foreword that stay on a developer's machine."""

_PLATFORMS = ("manylinux2014_aarch64", "manylinux_2_28_aarch64")
_PYTHON = "3.13"


@dataclass(frozen=True)
class Checkout:
    """Where things are in a working copy of this repository."""

    root: Path

    @property
    def functions(self) -> Path:
        return self.root / "functions"

    @property
    def requirements(self) -> Path:
        return self.functions / "requirements.txt"

    @property
    def rulebook(self) -> Path:
        return self.functions / "evaluate_triggers"

    @property
    def messages(self) -> Path:
        return self.functions / "deliver_message" / "messages"

    @property
    def schemas(self) -> Path:
        return self.root / "events" / "schemas"

    @property
    def mappings(self) -> Path:
        return self.root / "events" / "mappings"


HERE = Checkout(Path(__file__).resolve().parent.parent)


def function_code(name: str) -> lambda_.Code:
    """`name` is the function's package."""
    return lambda_.Code.from_asset(
        str(HERE.functions),
        asset_hash=source_hash(name, HERE),
        asset_hash_type=AssetHashType.CUSTOM,
        bundling=local_bundling(name, HERE),
    )


def local_bundling(name: str, checkout: Checkout) -> BundlingOptions:
    # An image has to be named, and is never looked for.
    return BundlingOptions(image=DockerImage.from_registry("unused"), local=LocalBundling(name, checkout))


def source_hash(name: str, checkout: Checkout) -> str:
    """Of every file that has a part in the asset, by its path and content, and of how it is put together."""
    digest = hashlib.sha256(name.encode() + Path(__file__).read_bytes())
    made_from = {
        checkout.requirements,
        *_python(checkout.functions / name),
        # Authoring is not shipped, but what it publishes is.
        *_python(checkout.functions / "foreword", leave_out=NOT_SHIPPED - {"authoring"}),
        *checkout.rulebook.rglob("*.yaml"),
        *_files(checkout.messages),
        *_files(checkout.schemas),
        *_files(checkout.mappings),
    }
    for path in sorted(made_from):
        content = path.read_bytes()
        digest.update(f"\0{path.relative_to(checkout.root).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def bundle(name: str, out: Path, checkout: Checkout, dependencies: Path) -> None:
    """Fills `out` with what Lambda unpacks. Raises RulebookErrors when the rulebook cannot be published."""
    shutil.copytree(dependencies, out, dirs_exist_ok=True)
    shipped = {
        *_python(checkout.functions / name),
        *_python(checkout.functions / "foreword", leave_out=NOT_SHIPPED),
    }
    for source in shipped:
        target = out / source.relative_to(checkout.functions)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    _publish(checkout, out / "published")


def _publish(checkout: Checkout, out: Path) -> None:
    # Only a real bundling needs a rulebook that can be published; a template does not.
    from foreword.authoring.publish import publish

    publish(checkout.rulebook, checkout.messages, checkout.schemas, out, mappings=checkout.mappings)


@cache
def _dependencies(requirements: Path) -> Path:
    """Installed once for all functions, from wheels for Lambda's platform: none of them runs here.

    Raises CalledProcessError when pip fails; it says why on stderr.
    """
    target = Path(tempfile.mkdtemp(prefix="foreword-dependencies-"))
    atexit.register(shutil.rmtree, target)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--require-hashes"]
    command += ["--target", str(target), "--python-version", _PYTHON, "--implementation", "cp"]
    command += [part for platform in _PLATFORMS for part in ("--platform", platform)]
    command += ["--only-binary=:all:", "--requirement", str(requirements)]
    subprocess.run(command, check=True, stdout=sys.stderr)  # noqa: S603  (nothing in it comes from outside)
    return target


def _python(package: Path, leave_out: frozenset[str] = frozenset()) -> Iterator[Path]:
    return (path for path in package.rglob("*.py") if path.relative_to(package).parts[0] not in leave_out)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


@jsii.implements(ILocalBundling)
class LocalBundling:
    """What CDK asks to bundle the function `name` before it would look for Docker."""

    def __init__(self, name: str, checkout: Checkout) -> None:
        self._name = name
        self._checkout = checkout

    def try_bundle(self, output_dir: str, *_options: Any, **_named: Any) -> bool:
        """True: it is done. (The options, which jsii passes as one object, are Docker's.)"""
        dependencies = _dependencies(self._checkout.requirements)
        bundle(self._name, Path(output_dir), self._checkout, dependencies)
        return True
