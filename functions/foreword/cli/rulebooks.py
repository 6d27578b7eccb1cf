"""The rulebook that a command asks about, for those that have no use for one with errors."""

from __future__ import annotations

from pathlib import Path

from foreword.authoring.fields import RulebookErrors
from foreword.authoring.rulebook import load_rulebook
from foreword.cli.failures import CannotRun
from foreword.domain.errors import InvalidRulebook
from foreword.domain.rulebook import Rulebook


def with_drafts(directory: Path) -> Rulebook:
    """With its drafts, and the generation under which it is published; raises CannotRun."""
    try:
        loaded = load_rulebook(directory)
    except (RulebookErrors, InvalidRulebook) as error:
        raise CannotRun(
            f"the rulebook has errors, which `foreword check` tells: {str(error).splitlines()[0]}"
        ) from None
    except OSError as error:
        raise CannotRun(f"{error.filename or directory}: cannot be read: {error.strerror}") from None
    rules = tuple(authored.rule for authored in loaded.rules)
    return loaded.published().model_copy(update={"rules": rules})
