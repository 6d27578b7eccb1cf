"""What `foreword preview` prints for people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from foreword.adapters.liquid_templates import Rendered
from foreword.domain.content import EmailContent
from foreword.domain.message_files import HTML, TEXT
from foreword.domain.rulebook import Channel
from foreword.domain.sms_length import sms_length

_WIDEST = 96


def print_preview(
    message: str, test: str | None, rendered: Mapping[Channel, Rendered], files: Mapping[str, Path]
) -> None:
    """`test` is the rule test whose values are shown; `files` are those that were written."""
    console = Console(highlight=False, emoji=False)
    whose = f"with the values of the test '{test}'" if test else "with the values given"
    console.print(Text.assemble((message, "bold"), f" {whose}"))
    for channel, one in rendered.items():
        text = Text(one.content.text.strip())
        if isinstance(one.content, EmailContent):
            preheader = f"{one.preheader}\n" if one.preheader else ""
            text = Text.assemble((f"{one.content.subject}\n", "bold"), (preheader, "dim"), "\n", text)
        else:
            text = Text.assemble(text, (f"\n\n{sms_length(one.content.text)}", "dim"))
        width = min(_WIDEST, console.width)
        console.print(Panel(text, title=channel, title_align="left", border_style="green", width=width))
        console.print(_sources(one))
    for path in files.values():
        console.print(Text(f"wrote {path}"), soft_wrap=True)


def _sources(one: Rendered) -> Table:
    table = Table.grid(padding=(0, 2))
    for part, path in one.files.items():
        made = " (made from the HTML)" if part == TEXT and HTML in path else ""
        table.add_row(Text(f"  {part}", style="dim"), Text(f"from {path}{made}", style="dim"))
    return table
