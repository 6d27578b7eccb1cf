"""A rulebook's directory -> everything in it, or everything that is wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from foreword.authoring.fields import RulebookErrors
from foreword.authoring.policy import read_lists, read_policy
from foreword.authoring.rules import AuthoredRule, read_rule
from foreword.domain.errors import InvalidRulebook
from foreword.domain.rulebook import Mode, Policy, Rulebook


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
    policy = Policy()
    lists: Mapping[str, tuple[str, ...]] = {}
    rules: list[AuthoredRule] = []
    with _collecting(errors):
        policy = read_policy(directory / "policy.yaml")
    with _collecting(errors):
        lists = read_lists(directory / "lists.yaml")
    if (directory / "signals.yaml").exists():
        message = "shared signals are not built yet; write them in each rule"
        errors.append(InvalidRulebook(message, file=str(directory / "signals.yaml")))
    for path in sorted((directory / "rules").iterdir()):
        if path.suffix == ".yaml":
            with _collecting(errors):
                rules.append(read_rule(path, policy, lists))
        elif not path.name.startswith("."):
            errors.append(InvalidRulebook("not a rule: a rule stands in a file NAME.yaml", file=str(path)))
    if errors:
        raise RulebookErrors(errors)
    return LoadedRulebook(tuple(rules), policy, lists)


@contextmanager
def _collecting(errors: list[InvalidRulebook]) -> Iterator[None]:
    try:
        yield
    except InvalidRulebook as error:
        errors.append(error)
    except RulebookErrors as several:
        errors += several.errors
