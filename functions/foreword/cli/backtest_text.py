"""A backtest for people: the funnel, the days, the customers, and what changes."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from foreword.backtest.run import Result
from foreword.backtest.summary import (
    Change,
    Funnel,
    Subject,
    by_period,
    by_rule,
    changes,
    closed,
    heard,
    in_all,
    kept_back,
    outcomes_of,
    reached,
    top_customers,
)
from foreword.backtest.words import LIMITS, in_order, words_of
from foreword.domain.reasons import Reason

_MOST_PERIODS = 40
_MOST_RULES = 5


def print_text(subject: Subject, result: Result) -> None:
    console = Console(highlight=False, emoji=False)
    funnels = by_rule(result.tallies[0], subject.rules)
    console.print(Text(heard(result), style="bold"), soft_wrap=True)
    console.print(_funnel_table(subject, result, funnels))
    if result.tallies[0].rises and subject.policy is not None:
        console.print(_gates_table(in_all(funnels.values())))
        console.print(_kept_back_table(subject, result))
    if result.tallies[0].rises:
        console.print(_period_table(subject, result))
        console.print(_customer_table(result))
    if len(subject.names) > 1:
        console.print(_change_table(subject, changes(result.tallies, subject.all_rules)))
    if subject.policy is None:
        console.print(
            Text(
                "No policy is given: what fires is taken as sent, no gate after re-eligibility applies.",
                style="dim",
            ),
            soft_wrap=True,
        )


def _funnel_table(subject: Subject, result: Result, funnels: dict[str, Funnel]) -> Table:
    tally = result.tallies[0]
    whole = in_all(funnels.values())
    skips, outcomes = in_order(whole.skipped), outcomes_of(whole)
    headings = ["rises", *skips, "fired", *outcomes, "customers"]
    table = _table(f"What {subject.names[0]} would have done", "rule", headings)
    for rule, funnel in funnels.items():
        table.add_row(rule, *_figures(funnel, skips, outcomes), _figure(len(reached(tally, rule))))
    table.add_section()
    table.add_row("all", *_figures(whole, skips, outcomes), _figure(len(reached(tally))), style="bold")
    return table


def _gates_table(whole: Funnel) -> Table:
    table = _table("Held back, gate by gate", "reason", ["rises", "that is"])
    for reason, count in closed(whole):
        table.add_row(str(reason), _figure(count, "yellow"), Text(words_of(reason)))
    return table


def _kept_back_table(subject: Subject, result: Result) -> Table:
    found = kept_back(result.tallies[0], subject.rules)
    names = ["sent", *(limit for limit, _ in LIMITS)]
    table = _table("Messages, by what kept them back", "rule", names)
    for rule, row in found.items():
        figures = [_figure(row[name], "green" if name == "sent" else "yellow") for name in names]
        table.add_row(rule, *figures)
    return table


def _figures(funnel: Funnel, skips: Iterable[str], outcomes: Iterable[str]) -> list[Text]:
    return [
        _figure(funnel.rises),
        *(_figure(funnel.skipped[reason], "yellow") for reason in skips),
        _figure(funnel.fired),
        *(
            _figure(funnel.outcomes[reason], "green" if reason == Reason.SENT else "yellow")
            for reason in outcomes
        ),
    ]


def _period_table(subject: Subject, result: Result) -> Table:
    unit, periods = by_period(result.tallies[0], _MOST_PERIODS)
    rules = subject.rules if len(subject.rules) <= _MOST_RULES else ()
    table = _table(f"By {unit} (UTC)", unit, ["rises", "fired", "sent", *rules])
    for period, funnels in periods.items():
        whole = in_all(funnels.values())
        fired = [_figure(funnels.get(rule, Funnel()).fired) for rule in rules]
        table.add_row(
            period, _figure(whole.rises), _figure(whole.fired), _figure(whole.sent, "green"), *fired
        )
    if rules:
        table.caption = "Under each rule, how often it fired."
    return table


def _customer_table(result: Result) -> Table:
    table = _table("Customers with the most", "customer", ["firings", "rules"])
    for customer, counts in top_customers(result.tallies[0]):
        rules = ", ".join(f"{rule} {count}" for rule, count in sorted(counts.items()))
        table.add_row(Text(customer), _figure(counts.total()), Text(rules))
    return table


def _change_table(subject: Subject, changed: list[Change]) -> Table:
    before, after = subject.names
    table = _table(
        f"Customers reached with {after} instead of {before}",
        "rule",
        [before, after, "newly", "no longer", "for example"],
    )
    for change in changed:
        examples = [f"+ {customer}" for customer in change.newly_examples]
        examples += [f"- {customer}" for customer in change.no_longer_examples]
        table.add_row(
            change.rule or "any",
            _figure(change.before),
            _figure(change.after),
            _figure(change.newly, "green"),
            _figure(change.no_longer, "red"),
            Text("\n".join(examples)),
            style="bold" if change.rule is None else None,
            end_section=change.rule is None,
        )
    return table


def _table(title: str, first: str, headings: Iterable[str]) -> Table:
    table = Table(title=Text(title), title_justify="left", title_style="bold", caption_justify="left")
    table.add_column(first, overflow="fold")
    for heading in headings:
        left = heading in ("rules", "for example", "that is")
        table.add_column(Text(heading), justify="left" if left else "right", overflow="fold")
    return table


def _figure(number: int, style: str = "") -> Text:
    return Text(str(number), style=style) if number else Text("0", style="dim")
