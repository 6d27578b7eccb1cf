"""The demo's story for people: a timeline in colour, each message's text, and a summary table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from foreword.cli.story import Told
from foreword.cli.totals import Totals
from foreword.domain.instants import parse_instant, to_datetime

_INDENT = 9
_OUTCOMES = {
    "DUPLICATE": ("known already, nothing changes", "cyan"),
    "QUARANTINED": ("quarantined", "red"),
}


class DemoText:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._day = ""
        self._heading = ""
        self._firing: tuple[str, str, str] | None = None

    def show(self, told: Told) -> None:
        """Print one thing that happened, under the heading of its day."""
        moment = to_datetime(parse_instant(told["at"]))
        day = f"{moment:%A} {moment.day} {moment:%B %Y}, UTC"
        if day != self._day:
            self._day = day
            self._console.print()
            self._console.rule(Text(day, style="bold"), align="left", style="dim")
        time, customer = f"{moment:%H:%M}", str(told["customer_id"])
        if told["kind"] not in ("event", "happening") and self._heading != f"{day} {time} {customer}":
            # Time itself is the cause: no event stands above.
            self._console.print(Text.assemble((f"{time}  ", "bold"), (customer, "bold magenta")))
        self._heading = f"{day} {time} {customer}"
        kinds: dict[str, Callable[[Told], None]] = {
            "event": self._event,
            "happening": self._happening,
            "choice": self._choice,
            "fallback": self._fallback,
            "signal": self._signal,
            "deadline": self._deadline,
            "decision": self._decision,
            "accepted": self._accepted,
            "task": self._task,
            "message": self._message,
            "feedback": self._feedback,
        }
        kinds[told["kind"]](told)

    def _event(self, told: Told) -> None:
        line = Text.assemble(
            (f"{to_datetime(parse_instant(told['at'])):%H:%M}  ", "bold"),
            (f"{told['customer_id']}  ", "bold magenta"),
            f"{told['source']} → ",
            (str(told["type"]), "bold"),
            f" as {told['as']}" if "as" in told else "",
            (f"  {_facts(told['data'])}", "dim"),
        )
        self._console.print(line, soft_wrap=True)
        if told["outcome"] in _OUTCOMES:
            words, style = _OUTCOMES[told["outcome"]]
            why = f": {told['reason']}: {told['detail']}" if told["outcome"] == "QUARANTINED" else ""
            self._line(f"{words}{why}", style)

    def _happening(self, told: Told) -> None:
        words = {
            "bounce": f"the e-mail {told['message']} comes back: no such mailbox",
            "unsubscribe": f"a click on Unsubscribe, beside the e-mail {told['message']}",
        }
        line = Text.assemble(
            (f"{to_datetime(parse_instant(told['at'])):%H:%M}  ", "bold"),
            (f"{told['customer_id']}  ", "bold magenta"),
            (words[told["happens"]], "bold"),
        )
        self._console.print(line, soft_wrap=True)

    def _choice(self, told: Told) -> None:
        made = [told["data"], *told["data"].get("choices", ())]
        chosen = [f"{it['choice']} of {it['topic']} on {it['channel']}" for it in made if "choice" in it]
        self._line(f"in force at once, by {told['via']}: {', '.join(chosen)}", "cyan")

    def _fallback(self, told: Told) -> None:
        then = "the next channel is tried" if told["status"] == "READY" else "there is no other channel"
        self._line(f"{told['message']} certainly did not arrive by {told['tried']}: {then}", "yellow")

    def _signal(self, told: Told) -> None:
        before = "undefined" if told["before"] is None else told["before"]
        after = "undefined" if told["after"] is None else told["after"]
        self._line(f"{told['rule']}: {told['signal']} {before} → {after}", "dim")

    def _deadline(self, told: Told) -> None:
        words = {
            "set": f"waits until {told['deadline']}",
            "met": "no longer waits: what was missing has come",
            "reached": f"waited in vain until {told['deadline']}",
        }
        self._line(f"{told['rule']}: {told['signal']} {words[told['is']]}", "dim")

    def _decision(self, told: Told) -> None:
        values = ", ".join(f"{name} = {str(value).lower()}" for name, value in told["signals"].items())
        firing = (told["at"], told["customer_id"], told["rule"])
        if told["outcome"] == "fired" and firing == self._firing:
            self._line(f"and one more message: {told['message']}", "bold green")
        elif told["outcome"] == "fired":
            self._line(f"{told['rule']} fires ({values})", "bold green")
        else:
            self._line(f"{told['rule']} would fire ({values}), but: {told['reason']}", "yellow")
        self._firing = firing

    def _accepted(self, told: Told) -> None:
        text = Text(told["text"].strip())
        if told["subject"]:
            text = Text.assemble((f"{told['subject']}\n\n", "bold"), text)
        title = f"{told['channel']} to {told['to']}"
        width = min(96, self._console.width - _INDENT)
        panel = Panel(
            text, title=Text(title, style="bold"), title_align="left", border_style="green", width=width
        )
        self._console.print(Padding(panel, (0, 0, 0, _INDENT)))

    def _task(self, told: Told) -> None:
        self._line(f"TaskRequested for the topic {told['topic']}: {told['message']}", "bold green")

    def _message(self, told: Told) -> None:
        if told["status"] == "SENT":
            self._line(f"SENT by {told['channel']}", "bold green")
        elif told["status"] == "DEFERRED":
            local = f" ({told['local']} in {told['zone']})" if "local" in told else ""
            self._line(f"held back until {told['due_at']}{local}: {told['reason']}", "yellow")
        else:
            against = f" against {told['winner']}" if "winner" in told else ""
            self._line(f"{told['message']} is not sent: {told['reason']}{against}", "yellow")

    def _feedback(self, told: Told) -> None:
        self._line(f"{told['type']}: {told['message']} by {told['channel']}", "dim green")

    def _line(self, words: str, style: str) -> None:
        self._console.print(Text(" " * _INDENT + words, style=style), soft_wrap=True)

    def summary(self, totals: Totals, dead_letters: int) -> None:
        """What became of every customer, event and message."""
        table = Table(title="What became of it", title_justify="left", title_style="bold")
        for heading in ("customer", "events", "message", "outcome"):
            table.add_column(heading, justify="right" if heading == "events" else "left")
        for customer in sorted(totals.customers):
            outcomes = totals.customers[customer] or {"": "nothing to say"}
            for message, outcome in outcomes.items():
                style = "green" if outcome.startswith("SENT") else "yellow" if message else "dim"
                table.add_row(customer, str(totals.received[customer]), message, Text(outcome, style=style))
        self._console.print()
        self._console.print(table)
        events = totals.events
        self._console.print(
            f"{events.total()} events: {events['ACCEPTED']} accepted, {events['DUPLICATE']} known already, "
            f"{events['QUARANTINED']} quarantined, {dead_letters} in a dead-letter queue.",
            soft_wrap=True,
        )
        ends = ", ".join(f"{count} {reason}" for reason, count in sorted(totals.messages.items()))
        waited = ", ".join(f"{count} {reason}" for reason, count in sorted(totals.waited.items()))
        self._console.print(f"{totals.messages.total()} messages: {ends}.", soft_wrap=True)
        self._console.print(f"Held back for a while before that: {waited}.", soft_wrap=True)


def _facts(data: Any) -> str:
    """An event's data on one line."""
    if not isinstance(data, dict):
        return ""
    return "  ".join(f"{name}={value}" for name, value in data.items())
