"""A backtest as a page: one file with nothing from elsewhere, that says in plots what the tables of it hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from foreword.backtest.page import plots
from foreword.backtest.page.calendar import Bins, bins
from foreword.backtest.page.html import Cell, bars, folded, legend, paragraph, section, table, tiles
from foreword.backtest.page.plots import HELD, REST, SENT, TONES, Series
from foreword.backtest.page.style import STYLE
from foreword.backtest.run import Result
from foreword.backtest.summary import (
    Change,
    Funnel,
    Subject,
    by_day,
    by_rule,
    changes,
    closed,
    day_text,
    heard,
    in_all,
    kept_back,
    outcomes_of,
    reached,
    top_customers,
)
from foreword.backtest.words import in_order, words_of
from foreword.domain.instants import DAY
from foreword.domain.reasons import Reason


def report(subject: Subject, result: Result) -> str:
    """HTML. Everything that comes from the history or the rulebook is escaped."""
    title = f"Backtest of {subject.names[0]}"
    funnels = by_rule(result.tallies[0], subject.rules)
    whole = in_all(funnels.values())
    body = [
        f"<h1>{escape(title)}</h1>",
        paragraph(f"{subject.events}: {heard(result)}.", quiet=True),
        paragraph(_policy(subject), quiet=True),
        tiles(_headline(result, whole)),
        _funnel(whole, funnels, result),
    ]
    if whole.rises:
        body += [
            _over_time(subject, result),
            _rules(subject, result, funnels),
            _held_back(whole, funnels),
            *([] if subject.policy is None else [_kept_back(subject, result)]),
            _customers(result),
        ]
    if len(subject.names) > 1:
        body.append(_comparison(subject, changes(result.tallies, subject.all_rules)))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body><main>{''.join(body)}</main></body></html>\n"
    )


_NAMED_RULES = len(TONES)


def _policy(subject: Subject) -> str:
    if subject.policy is None:
        return "Without a policy: what fires is taken as sent, no gate after re-eligibility applies."
    return f"Through the gates of {subject.policy}; every customer is taken to be reachable."


def _headline(result: Result, whole: Funnel) -> list[tuple[str, int]]:
    return [
        ("events", result.events),
        ("customers", result.customers),
        ("times a rule rose", whole.rises),
        ("times it fired", whole.fired),
        ("firings sent", whole.sent),
        ("customers reached", len(reached(result.tallies[0]))),
    ]


def _funnel(whole: Funnel, funnels: Mapping[str, Funnel], result: Result) -> str:
    """From the rises to what was sent, each step as a share of the rises."""
    eligible = whole.rises - whole.skipped[Reason.NOT_ELIGIBLE]
    steps = [
        ("rose: the condition became true", whole.rises, REST),
        ("were eligible", eligible, REST),
        ("fired: the pause since the last firing was over", whole.fired, REST),
        ("were sent", whole.sent, SENT),
    ]
    drawn = [
        (name, f"{count:,} · {_percent(count, whole.rises)}", plots.bar(name, [(tone, count)], whole.rises))
        for name, count, tone in steps
    ]
    skips, outcomes = in_order(whole.skipped), outcomes_of(whole)
    headings = ["rule", "rises", *skips, "fired", *outcomes, "customers reached"]
    rows: list[list[Cell]] = [
        [rule, *_figures(funnel, skips, outcomes), len(reached(result.tallies[0], rule))]
        for rule, funnel in funnels.items()
    ]
    last: list[Cell] = ["all", *_figures(whole, skips, outcomes), len(reached(result.tallies[0]))]
    return section(
        "From a rise to a message",
        bars(drawn),
        table("The funnel of each rule, by reason", headings, rows, last),
    )


def _figures(funnel: Funnel, skips: Iterable[str], outcomes: Iterable[str]) -> list[int]:
    skipped = [funnel.skipped[reason] for reason in skips]
    return [funnel.rises, *skipped, funnel.fired, *(funnel.outcomes[reason] for reason in outcomes)]


def _over_time(subject: Subject, result: Result) -> str:
    days = by_day(result.tallies[0])
    columns = _bins(result, days)
    fired = {rule: _fired(columns, days, [rule]) for rule in subject.rules}
    ranked = sorted((rule for rule in fired if sum(fired[rule])), key=lambda rule: (-sum(fired[rule]), rule))
    named = ranked if len(ranked) <= _NAMED_RULES else ranked[: _NAMED_RULES - 1]
    series = [Series(rule, tone, fired[rule]) for rule, tone in zip(named, TONES, strict=False)]
    if len(ranked) > len(named):
        series.append(Series("other rules", REST, _fired(columns, days, ranked[len(named) :])))
    title = f"Fired per {columns.unit}"
    rows: list[list[Cell]] = [
        [day_text(day), rule, *_figures(funnel, [], []), funnel.sent]
        for day, rules in days.items()
        for rule, funnel in rules.items()
    ]
    return section(
        title,
        legend([(one.name, one.tone) for one in series]),
        plots.columns(f"{title}, by rule", columns.labels, series),
        folded(
            "Every day (UTC) as a table", table("Each day", ["day", "rule", "rises", "fired", "sent"], rows)
        ),
    )


def _rules(subject: Subject, result: Result, funnels: Mapping[str, Funnel]) -> str:
    days = by_day(result.tallies[0])
    columns = _bins(result, days)
    cards = []
    for rule in subject.rulebooks[0].rules:
        funnel = funnels[rule.rule]
        told = f"{funnel.rises:,} rises, {funnel.fired:,} firings, {funnel.sent:,} sent"
        series = Series("fired", TONES[0], _fired(columns, days, [rule.rule]))
        plot = plots.columns(f"{rule.rule}: fired per {columns.unit}", columns.labels, [series], small=True)
        cards.append(
            f'<article class="card"><h3>{escape(rule.rule)}</h3>{paragraph(rule.why, quiet=True)}'
            f"{paragraph(told)}{plot if funnel.fired else ''}</article>"
        )
    messages: list[list[Cell]] = [
        [rule, message, reason, count]
        for (rule, message, reason), count in sorted(result.tallies[0].messages.items())
    ]
    return section(
        "Each rule",
        f'<div class="cards">{"".join(cards)}</div>',
        folded(
            "Every message as a table",
            table("Messages", ["rule", "message", "what became of it", "count"], messages),
        ),
    )


def _held_back(whole: Funnel, funnels: Mapping[str, Funnel]) -> str:
    """Which gate closed, and for which rules: only the gates that did close."""
    found = closed(whole)
    if not found:
        return section("Held back", paragraph("Nothing was: every rise was sent."))
    drawn = [
        (
            f"{reason}: {words_of(reason)}",
            f"{count:,} · {_percent(count, whole.rises)}",
            plots.bar(reason, [(HELD, count)], whole.rises),
        )
        for reason, count in found
    ]
    rows: list[list[Cell]] = [
        [rule, reason, words_of(reason), count]
        for rule, funnel in funnels.items()
        for reason, count in closed(funnel)
    ]
    return section(
        "Held back",
        paragraph(
            "The gate that closed first, in the order of the gates, as a share of all rises.", quiet=True
        ),
        bars(drawn),
        folded(
            "By rule, as a table", table("Held back, by rule", ["rule", "reason", "that is", "count"], rows)
        ),
    )


def _kept_back(subject: Subject, result: Result) -> str:
    """What the limits of the policy do to each rule's messages, follow-ups and further sends included."""
    title = "What caps, holds and arbitration keep back"
    found = kept_back(result.tallies[0], subject.rules)
    if not found:
        return section(title, paragraph("No message came as far as these gates."))
    names = list(next(iter(found.values())))
    tones = dict(zip(names, (SENT, *TONES[1:]), strict=False))
    used = [name for name in names if any(row[name] for row in found.values())]
    most = max(sum(row.values()) for row in found.values())
    drawn = [
        (
            rule,
            f"{row['sent']:,} of {sum(row.values()):,} sent",
            plots.bar(_in_words(rule, row), [(tones[name], row[name]) for name in used], most),
        )
        for rule, row in found.items()
    ]
    rows: list[list[Cell]] = [[rule, *row.values()] for rule, row in found.items()]
    return section(
        title,
        paragraph("Messages that could be sent, by what became of them.", quiet=True),
        legend([(name, tones[name]) for name in used]),
        bars(drawn),
        folded("As a table", table("Messages, by what kept them back", ["rule", *names], rows)),
    )


def _in_words(rule: str, row: Mapping[str, int]) -> str:
    return f"{rule}: " + ", ".join(f"{count} {name}" for name, count in row.items() if count)


def _customers(result: Result) -> str:
    top = top_customers(result.tallies[0])
    most = max((counts.total() for _, counts in top), default=0)
    drawn = [
        (customer, f"{counts.total():,}", plots.bar(customer, [(SENT, counts.total())], most))
        for customer, counts in top
    ]
    rows: list[list[Cell]] = [
        [customer, rule, count] for customer, counts in top for rule, count in sorted(counts.items())
    ]
    return section(
        "Customers who would hear most",
        paragraph("Firings that sent a message.", quiet=True),
        bars(drawn),
        folded(
            "By rule, as a table", table("Customers, by rule", ["customer", "rule", "firings sent"], rows)
        ),
    )


def _comparison(subject: Subject, changed: list[Change]) -> str:
    before, after = subject.names
    most = max((change.newly + change.no_longer for change in changed), default=0)
    drawn = [
        (
            change.rule or "any rule",
            f"+{change.newly:,}  −{change.no_longer:,}",
            plots.bar(
                f"{change.rule or 'any rule'}: {change.newly} newly, {change.no_longer} no longer",
                [(SENT, change.newly), (HELD, change.no_longer)],
                most,
            ),
        )
        for change in changed
    ]
    rows: list[list[Cell]] = [
        [change.rule or "any rule", change.before, change.after, change.newly, change.no_longer]
        for change in changed
    ]
    examples: list[list[Cell]] = [
        [change.rule or "any rule", what, customer]
        for change in changed
        for what, customers in (
            ("newly", change.newly_examples),
            ("no longer", change.no_longer_examples),
        )
        for customer in customers
    ]
    headings = ["rule", "reached before", "reached after", "newly", "no longer"]
    return section(
        f"With {after} instead of {before}",
        paragraph("Customers who would newly be sent a message of the rule, and who no longer.", quiet=True),
        legend([("newly", SENT), ("no longer", HELD)]),
        bars(drawn),
        table("Customers, by rule", headings, rows),
        folded("Some of them", table("Customers, for example", ["rule", "change", "customer"], examples)),
    )


def _bins(result: Result, days: Mapping[int, object]) -> Bins:
    """Of the whole clock: a quiet time is to be seen as well."""
    times = [time // DAY for time in (result.clock.first, result.clock.last) if time is not None]
    return bins(min([*times, *days]), max([*times, *days]))


def _fired(columns: Bins, days: Mapping[int, Mapping[str, Funnel]], rules: Iterable[str]) -> list[int]:
    """By column."""
    counts = [0] * len(columns.labels)
    for rule in rules:
        for day, funnels in days.items():
            if rule in funnels:
                counts[columns.column[day]] += funnels[rule].fired
    return counts


def _percent(count: int, whole: int) -> str:
    return f"{100 * count / whole:.0f} %" if whole else "0 %"
