"""A rulebook's directory -> everything in it, or everything that is wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from foreword.authoring.fields import RulebookErrors
from foreword.authoring.policy import read_lists, read_policy
from foreword.authoring.rules import AuthoredRule, read_rule
from foreword.domain.errors import InvalidRulebook
from foreword.domain.rulebook import Mode, Policy, Rulebook

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LoadedRulebook:
    """The rules of every mode, in order of their names."""

    rules: tuple[AuthoredRule, ...]
    policy: Policy
    lists: Mapping[str, tuple[str, ...]]

    def published(self) -> Rulebook:
        """What the functions read: drafts are left out."""
        rules = tuple(authored.rule for authored in self.rules if authored.rule.mode is not Mode.DRAFT)
        content = Rulebook(generation="", rules=rules, policy=self.policy, lists=self.lists)
        generation = hashlib.sha256(content.model_dump_json().encode()).hexdigest()
        return content.model_copy(update={"generation": generation})


def load_rulebook(directory: Path) -> LoadedRulebook:
    """Reads rules/*.yaml, policy.yaml and lists.yaml.

    Raises RulebookErrors with the errors of all files together, OSError where the directory cannot be read.
    """
    errors: list[InvalidRulebook] = []
    policy = _attempt(errors, lambda: read_policy(directory / "policy.yaml"), Policy())
    lists = _attempt(errors, lambda: read_lists(directory / "lists.yaml"), {})
    if (directory / "signals.yaml").exists():
        message = "shared signals are not built yet; write them in each rule"
        errors.append(InvalidRulebook(message, file=str(directory / "signals.yaml")))
    rules: list[AuthoredRule] = []
    for path in sorted((directory / "rules").iterdir()):
        if path.suffix == ".yaml":
            rule = _attempt(errors, lambda at=path: read_rule(at, policy, lists), None)
            rules += [rule] if rule is not None else []
        elif not path.name.startswith("."):
            errors.append(InvalidRulebook("not a rule: a rule stands in a file NAME.yaml", file=str(path)))
    if errors:
        raise RulebookErrors(errors)
    return LoadedRulebook(tuple(rules), policy, lists)


def _attempt(errors: list[InvalidRulebook], read: Callable[[], T], otherwise: T) -> T:
    try:
        return read()
    except InvalidRulebook as error:
        errors.append(error)
    except RulebookErrors as several:
        errors += several.errors
    return otherwise
