"""A rulebook's directory -> everything in it, or everything that is wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from foreword.authoring.fields import RulebookErrors
from foreword.authoring.policy import AuthoredPolicy, read_authored_policy, read_lists
from foreword.authoring.rules import AuthoredRule, read_rule
from foreword.authoring.signals.shared import SharedSignals, read_shared_signals
from foreword.authoring.surroundings import Surroundings
from foreword.domain.errors import InvalidRulebook
from foreword.domain.rulebook import Mode, Policy, Rulebook


@dataclass(frozen=True, slots=True)
class LoadedRulebook:
    """The rules of every mode, in order of their names. `shared` are the signals of signals.yaml; `written` is the
    policy as it was read, with its places, where it was not given.
    """

    rules: tuple[AuthoredRule, ...]
    policy: Policy
    lists: Mapping[str, tuple[str, ...]]
    shared: SharedSignals = field(default_factory=SharedSignals)
    written: AuthoredPolicy = field(default_factory=AuthoredPolicy, compare=False)

    def published(self) -> Rulebook:
        """What the functions read: drafts are left out."""
        rules = tuple(authored.rule for authored in self.rules if authored.rule.mode is not Mode.DRAFT)
        content = Rulebook(generation="", rules=rules, policy=self.policy, lists=self.lists)
        generation = hashlib.sha256(content.model_dump_json().encode()).hexdigest()
        return content.model_copy(update={"generation": generation})


def load_rulebook(directory: Path, policy: Policy | None = None) -> LoadedRulebook:
    """Reads rules/*.yaml, and beside them policy.yaml (unless a `policy` is given), lists.yaml and signals.yaml.

    `directory` may also be the folder of the rules itself. Raises RulebookErrors with the errors of all files
    together, OSError where the directory cannot be read.
    """
    files = _Files(directory)
    errors: list[InvalidRulebook] = []
    lists: Mapping[str, tuple[str, ...]] = {}
    shared: SharedSignals | None = None
    rules: list[AuthoredRule] = []
    written = AuthoredPolicy()
    if policy is None:
        with _collecting(errors):
            written = read_authored_policy(files.document("policy"))
        policy = written.policy
    with _collecting(errors):
        lists = read_lists(files.document("lists"))
    with _collecting(errors):
        shared = read_shared_signals(files.document("signals"), frozenset(lists), policy.retention)
    surroundings = Surroundings(policy, lists, shared)
    for path in files.rules():
        if path.suffix == ".yaml":
            with _collecting(errors):
                rules += [rule for rule in (read_rule(path, surroundings),) if rule is not None]
        else:
            errors.append(InvalidRulebook("not a rule: a rule stands in a file NAME.yaml", file=str(path)))
    if errors or shared is None:
        raise RulebookErrors(errors)
    return LoadedRulebook(tuple(rules), policy, lists, shared, written)


class _Files:
    """Where the documents are: beside a folder `rules`, or (of a folder of rules) in it or beside it."""

    def __init__(self, directory: Path) -> None:
        self.has_folder = (directory / "rules").is_dir()
        self.folder = directory / "rules" if self.has_folder else directory
        self.beside = (
            directory if self.has_folder or directory.resolve().name != "rules" else directory.parent
        )

    def document(self, name: str) -> Path:
        within = self.folder / f"{name}.yaml"
        return within if not self.has_folder and within.exists() else self.beside / f"{name}.yaml"

    def rules(self) -> list[Path]:
        """Everything in the folder of rules that is not hidden, nor one of the other documents."""
        others = () if self.has_folder else ("policy.yaml", "lists.yaml", "signals.yaml")
        return [
            path
            for path in sorted(self.folder.iterdir())
            if not path.name.startswith(".") and path.name not in others and not self._is_messages(path)
        ]

    def _is_messages(self, path: Path) -> bool:
        return not self.has_folder and path.name == "messages" and path.is_dir()


@contextmanager
def _collecting(errors: list[InvalidRulebook]) -> Iterator[None]:
    try:
        yield
    except InvalidRulebook as error:
        errors.append(error)
    except RulebookErrors as several:
        errors += several.errors
