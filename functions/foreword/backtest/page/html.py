"""The few shapes of HTML that the page is made of. Texts are escaped here, or by the plots; nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TypeAlias

Cell: TypeAlias = str | int


def section(title: str, *parts: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{''.join(parts)}</section>"


def paragraph(text: str, *, quiet: bool = False) -> str:
    return f"<p{' class=quiet' if quiet else ''}>{escape(text)}</p>"


def table(
    caption: str, headings: Sequence[str], rows: Sequence[Sequence[Cell]], whole: Sequence[Cell] = ()
) -> str:
    """The first cell of a row names it. `whole` is a last row that sums up."""
    head = "".join(
        f'<th scope="col"{_number(_is_number(rows, at))}>{escape(name)}</th>'
        for at, name in enumerate(headings)
    )
    body = "".join(f"<tr>{_cells(row)}</tr>" for row in rows)
    if whole:
        body += f'<tr class="whole">{_cells(whole)}</tr>'
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(caption)}"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def folded(summary: str, inside: str) -> str:
    """Shown when asked for."""
    return f"<details><summary>{escape(summary)}</summary>{inside}</details>"


def tiles(figures: Sequence[tuple[str, int]]) -> str:
    items = "".join(f"<li><b>{figure:,}</b><span>{escape(name)}</span></li>" for name, figure in figures)
    return f'<ul class="tiles">{items}</ul>'


def legend(entries: Sequence[tuple[str, str]]) -> str:
    """Name and tone."""
    items = "".join(
        '<li><svg viewBox="0 0 10 10" aria-hidden="true">'
        f'<rect class="{tone}" width="10" height="10" rx="2"/></svg>'
        f"{escape(name)}</li>"
        for name, tone in entries
    )
    return f'<ul class="legend">{items}</ul>'


def bars(rows: Sequence[tuple[str, str, str]]) -> str:
    """Rows of a name, a figure in words, and the bar that shows it."""
    items = "".join(
        f'<li><span>{escape(name)}</span><span class="number">{escape(figure)}</span>{drawn}</li>'
        for name, figure, drawn in rows
    )
    return f'<ul class="rows">{items}</ul>'


def _cells(row: Sequence[Cell]) -> str:
    first, *others = row
    return f'<th scope="row">{_text(first)}</th>' + "".join(
        f"<td{_number(isinstance(cell, int))}>{_text(cell)}</td>" for cell in others
    )


def _text(cell: Cell) -> str:
    return f"{cell:,}" if isinstance(cell, int) else escape(cell).replace("\n", "<br>")


def _is_number(rows: Sequence[Sequence[Cell]], at: int) -> bool:
    return at > 0 and bool(rows) and isinstance(rows[0][at], int)


def _number(is_number: bool) -> str:
    return ' class="number"' if is_number else ""
