"""`foreword results`: what a rule's experiment has shown in a deployed stage."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from foreword.authoring.suggest import did_you_mean
from foreword.cli.deployed import opened_history
from foreword.cli.failures import CannotRun, FoundWrong
from foreword.cli.results_progress import WaitingForResults
from foreword.cli.results_text import print_text, to_json
from foreword.cli.rulebooks import with_drafts
from foreword.cli.stages import declared_stages
from foreword.domain.instants import to_instant
from foreword.domain.rulebook import Experiment, Goal, Rulebook
from foreword.local import project

if TYPE_CHECKING:
    from foreword.experiments.results import Results


def run(
    *,
    rule: str,
    stage: str | None,
    rulebook: Path | None,
    profile: str | None,
    region: str | None,
    as_json: bool,
) -> None:
    """Raises FoundWrong where the arms are not as large as their shares say: then no result is to be believed."""
    of = _stage(stage)
    directory = rulebook or project.find().rulebook
    rules = with_drafts(directory)
    experiment, goal = _experiment(rule, rules, directory)
    told = _results(rule, experiment, goal, rules, of, profile, region)
    if as_json:
        click.echo(json.dumps(to_json(rule, goal, told)))
    else:
        print_text(rule, goal, told)
    if told.is_mismatched:
        raise FoundWrong


def _stage(stage: str | None) -> str:
    known = declared_stages()
    if stage is None:
        raise CannotRun(f"say where the rule runs: --stage NAME (declared: {', '.join(known)})")
    if stage not in known:
        raise CannotRun(f"no stage '{stage}' is declared in cdk.json; there are: {', '.join(known)}")
    return stage


def _experiment(name: str, rules: Rulebook, directory: Path) -> tuple[Experiment, Goal]:
    rule = next((one for one in rules.rules if one.rule == name), None)
    if rule is None:
        raise CannotRun(
            f"no rule '{name}' in {directory}{did_you_mean(name, [one.rule for one in rules.rules])}"
        )
    if rule.experiment is None:
        raise CannotRun(f"the rule '{name}' has no experiment")
    if rule.experiment.goal is None:
        raise CannotRun(f"the experiment of '{name}' has no goal, so that nothing can be counted")
    return rule.experiment, rule.experiment.goal


def _results(
    rule: str,
    experiment: Experiment,
    goal: Goal,
    rules: Rulebook,
    stage: str,
    profile: str | None,
    region: str | None,
) -> Results:
    from foreword.experiments.gathering import gather_conversions, gather_customers

    try:
        from foreword.experiments.results import results
    except ImportError:
        raise CannotRun("the statistics are an extra: pip install 'foreword[results]'") from None

    now = to_instant(datetime.now(UTC))
    with (
        WaitingForResults() as waiting,
        opened_history(stage, rules, profile=profile, region=region) as (history, journal),
    ):
        customers = gather_customers(rule, experiment, history, rules.policy.holdout, waiting.found)
        conversions = gather_conversions(goal, customers, journal, rules.lists, waiting.read)
    return results(experiment, goal, customers, conversions, now)
