"""The `foreword` command. Exit 0: done; 1: something is wrong with what was looked at; 2: cannot run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from foreword.cli.failures import CannotRun, FoundWrong

as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for programs.")
directory = click.Path(path_type=Path)
of_rulebook = click.option(
    "--rulebook", type=directory, metavar="DIR", help="A rulebook other than the project's own."
)
of_stage = click.option("--stage", metavar="NAME", help="The deployed stage.")
of_stage_or_demo = click.option(
    "--stage", metavar="NAME", help="The deployed stage; 'demo' is what `foreword demo` left behind."
)
left_by_demo = click.option(
    "--out",
    type=directory,
    default=Path("foreword-demo"),
    show_default=True,
    help="Where the demo left its records.",
)


def with_account(command: Any) -> Any:
    """With whose credentials, and where."""
    options = (
        click.option("--profile", metavar="NAME", help="The AWS profile to use."),
        click.option("--region", metavar="NAME", help="The AWS region to use."),
    )
    return _with(options, command)


def _with(options: Sequence[Callable[[Any], Any]], command: Any) -> Any:
    """In the order in which `--help` shows them."""
    for option in reversed(options):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def foreword() -> None:
    """Proactive customer messages, triggered by rules."""


# Commands import what they need when they run: `foreword check` waits for no boto3, and --help for nothing.


@foreword.command()
@click.option(
    "--out", type=directory, default=Path("foreword-demo"), show_default=True, help="For the e-mails."
)
@as_json
def demo(**options: Any) -> None:
    """Run the sample events through the whole system, on this machine, and show what happens."""
    from foreword.cli.demo import run

    run(**options)


@foreword.command()
@click.argument("rules", nargs=-1, metavar="[RULE]...")
@of_rulebook
@as_json
def check(**options: Any) -> None:
    """Check the rulebook: files, names, templates, and every rule's own tests (or those of RULE alone)."""
    from foreword.cli.check import run

    run(**options)


@foreword.command()
@click.argument("message")
@click.option("--customer", metavar="FILE|JSON", help="The profile, in place of that of the rule's own test.")
@click.option("--signals", metavar="FILE|JSON", help="Signals' values, in place of those of the test.")
@click.option("--locale", metavar="LOCALE", help="The customer's language, as de or de-AT.")
@click.option("--segment", metavar="NAME", help="The customer's segment.")
@click.option("--variant", metavar="NAME", help="The variant of an experiment.")
@click.option(
    "--out", type=directory, default=Path("foreword-preview"), show_default=True, help="For the files."
)
@of_rulebook
@as_json
def preview(**options: Any) -> None:
    """Show MESSAGE as a customer sees it, with the values of its rule's own test."""
    from foreword.cli.preview import run

    run(**options)


@foreword.command()
@click.argument("rule")
@click.option("--like", required=True, metavar="RULE", help="The rule to begin from.")
@of_rulebook
@as_json
def new(**options: Any) -> None:
    """Begin RULE as a draft like another: with its tests and templates, to fill in."""
    from foreword.cli.new import run

    run(**options)


@foreword.command()
@of_rulebook
@click.option(
    "--schema", type=directory, metavar="FILE", help="Write the JSON Schema for editors to FILE instead."
)
@click.option(
    "--of",
    "schema_of",
    type=click.Choice(["rule", "signals", "policy", "lists"]),
    default="rule",
    show_default=True,
    help="The document that --schema describes.",
)
@as_json
def vocabulary(**options: Any) -> None:
    """Show every event with its fields, profile fields, signals, lists, topics and messages."""
    from foreword.cli.vocabulary import run

    run(**options)


@foreword.command()
@click.option(
    "--rules", type=directory, required=True, metavar="DIR", help="The rulebook; its drafts count too."
)
@click.option("--events", type=directory, required=True, metavar="FILE", help="The history.")
@click.option(
    "--customers", type=directory, metavar="FILE", help="Customers' profiles: customer_id and attributes."
)
@click.option("--policy", type=directory, metavar="FILE", help="Let the policy's gates decide as well.")
@click.option(
    "--decisions",
    type=directory,
    metavar="OUT.jsonl",
    help="Write each rise as a line of JSON, in order of time.",
)
@click.option("--report", type=directory, metavar="OUT.html", help="Write a page with plots.")
@click.option(
    "--compare", type=directory, metavar="DIR2", help="Tell what changes with this rulebook instead."
)
@click.option("--until", metavar="TIME", help="Stop the clock here, not at the history's last event.")
@click.option("--strict", is_flag=True, help="Stop at the first broken record.")
@click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N", help="Processes; as many as cores by default."
)
@as_json
def backtest(**options: Any) -> None:
    """What these rules would have done with that history.

    A history is JSON Lines (.jsonl, .ndjson) of source, type, id, customer_id, occurred_at, data and perhaps
    retracts; or CSV (.csv) with the columns customer_id, occurred_at, type, any of source, id and retracts, and
    further ones taken as data (a column "data" holds a JSON object, which wins); each also gzipped (.gz). Or it is
    Parquet (.parquet) with such columns. Times are RFC 3339 with an offset; a missing id is the row's number, a
    missing source is "history". Of events with one customer, source and id the first counts.

    The customers' file has the same formats. Its attributes hold always, and "preferences" is a list of {topic,
    channel, choice} as in PreferenceChanged.

    A record that is broken is named on stderr, counted and left out; --strict stops at the first.
    """
    from foreword.cli.backtest import run

    run(**options)


@foreword.command()
@click.argument("customer")
@click.option("--rule", metavar="RULE", help="Only this rule.")
@click.option("--at", metavar="TIME", help="As of this time (RFC 3339), in place of now.")
@of_stage_or_demo
@left_by_demo
@of_rulebook
@with_account
@as_json
def explain(**options: Any) -> None:
    """Show why CUSTOMER did or did not get a message: each gate with the values compared."""
    from foreword.cli.explain import run

    run(**options)


@foreword.command()
@click.argument("rule")
@of_stage
@of_rulebook
@with_account
@as_json
def results(**options: Any) -> None:
    """Show what the experiment of RULE has shown: conversions by arm, lift, and whether that is chance."""
    from foreword.cli.results import run

    run(**options)


@foreword.command()
@click.argument("customer")
@of_stage_or_demo
@click.option("--to", type=directory, metavar="FILE", help="Write the document to FILE, and show a summary.")
@left_by_demo
@with_account
@as_json
def export(**options: Any) -> None:
    """Hand out all that is stored of CUSTOMER, as one JSON document."""
    from foreword.cli.export import run

    run(**options)


@foreword.command("import")
@click.option("--customers", type=directory, multiple=True, metavar="FILE", help="Profiles and opt-outs.")
@click.option("--events", type=directory, multiple=True, metavar="FILE", help="History.")
@click.option("--stage", metavar="NAME", help="The deployed stage to import into.")
@with_account
@as_json
def import_(**options: Any) -> None:
    """Bring profiles, opt-outs and history along from elsewhere, without firing anything.

    Both options may be given several times. Files are JSON Lines, or CSV (.csv), each also gzipped. Customers may
    be the endpoints that Amazon Pinpoint exports. Stopped or failed, an import is simply begun again: what is there
    stays as it is. A broken record is named on stderr, counted and left out; then the exit code is 1.
    """
    from foreword.cli.import_ import run

    run(**options)


@foreword.command()
@click.argument("customer")
@of_stage
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_account
@as_json
def erase(**options: Any) -> None:
    """Erase all that is stored of CUSTOMER, for good, and refuse whatever comes again.

    Stopped or failed, it is simply begun again. Run once more after eight days, it leaves nothing of the customer's
    id but a keyed hash.
    """
    from foreword.cli.erase import run

    run(**options)


def pauses(command: Any) -> Any:
    """The options of `pause` and `resume`."""
    options = (
        click.option("--rule", "rules", multiple=True, metavar="RULE", help="The messages of this rule."),
        click.option("--channel", "channels", multiple=True, metavar="CHANNEL", help="This channel."),
        click.option("--topic", "topics", multiple=True, metavar="TOPIC", help="Messages of this topic."),
        click.option("--all", "everything", is_flag=True, help="All there is."),
        of_stage,
        of_rulebook,
        with_account,
        as_json,
    )
    return _with(options, command)


@foreword.command()
@pauses
def pause(**options: Any) -> None:
    """The emergency stop: nothing of what is named leaves any more, within ten seconds.

    What is paused waits, is looked at every minute, and leaves once it is resumed, unless it has expired by then.
    The options may be given several times; without any of them, what is paused is shown.
    """
    from foreword.cli.pause import asked, pause

    pause(asked(**options))


@foreword.command()
@pauses
def resume(**options: Any) -> None:
    """Take back what was paused, or with --all every pause there is."""
    from foreword.cli.pause import asked, resume

    resume(asked(**options))


@foreword.command()
@click.argument("file", type=directory)
@click.option("--check", "check_only", is_flag=True, help="Only say whether the events are right.")
@click.option("--stage", metavar="NAME", help="The deployed stage to emit to.")
@with_account
@as_json
def emit(**options: Any) -> None:
    """Put the events of FILE (JSON or JSON Lines) on the bus of a stage, or only check them."""
    from foreword.cli.emit import run

    run(**options)


def main() -> None:
    """The entry point: every failure is one clear line and its exit code."""
    try:
        foreword(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(2)
    except click.ClickException as error:
        click.echo(f"foreword: {error.format_message()}", err=True)
        sys.exit(2)
    except CannotRun as error:
        click.echo(f"foreword: {error}", err=True)
        sys.exit(2)
    except FoundWrong:
        sys.exit(1)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)


if __name__ == "__main__":
    main()
