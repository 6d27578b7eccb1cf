"""Plots as inline SVG that stretches to the page's width; their words stand beside them, as text of the page.

Colours are classes of the page's style, so that a plot follows the page into dark mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

SENT, HELD, REST = "sent", "held", "rest"
TONES = tuple(f"tone-{number}" for number in range(7))
"""Classes: what was sent, what was held back, what remains; and colours that can be told apart."""


@dataclass(frozen=True, slots=True)
class Series:
    """One value for each column of a plot; `tone` is its class."""

    name: str
    tone: str
    values: Sequence[int]


def columns(title: str, labels: Sequence[str], series: Sequence[Series], *, small: bool = False) -> str:
    """Stacked columns, with the axis of values on the left and the first, middle and last label below."""
    top = _round_up(max((sum(one.values[at] for one in series) for at in range(len(labels))), default=0))
    width = 100 / max(1, len(labels))
    gap = min(width * 0.15, 0.4)
    bars = []
    for at, label in enumerate(labels):
        above = 0
        for one in series:
            if value := one.values[at]:
                above += value
                words = escape(f"{label}: {one.name} {value:,}")
                bars.append(
                    f'<rect class="{one.tone}" x="{at * width + gap / 2:.3f}" y="{100 - 100 * above / top:.3f}" '
                    f'width="{width - gap:.3f}" height="{100 * value / top:.3f}"><title>{words}</title></rect>'
                )
    grid = "".join(f'<line class="grid" x1="0" x2="100" y1="{y}" y2="{y}"/>' for y in (0, 50, 100))
    values = "".join(f"<span>{value:,}</span>" for value in (top, top // 2, 0))
    named = dict.fromkeys(labels[at] for at in ((0, len(labels) // 2, -1) if labels else ()))
    below = "".join(f"<span>{escape(label)}</span>" for label in named)
    return (
        f'<div class="plot{" small" if small else ""}"><div class="values" aria-hidden="true">{values}</div>'
        f"{_svg(title, 100, f'{grid}{chr(10).join(bars)}')}"
        f'<div class="labels" aria-hidden="true">{below}</div></div>'
    )


def bar(title: str, parts: Sequence[tuple[str, int]], whole: int) -> str:
    """One horizontal bar of a whole: parts by tone and value, side by side."""
    x, rects = 0.0, ['<rect class="empty" width="100" height="10"/>']
    for tone, value in parts:
        width = 100 * value / max(1, whole)
        rects.append(f'<rect class="{tone}" x="{x:.3f}" width="{width:.3f}" height="10"/>')
        x += width
    return f'<div class="bar">{_svg(title, 10, "".join(rects))}</div>'


def _svg(title: str, height: int, inside: str) -> str:
    return (
        f'<svg viewBox="0 0 100 {height}" preserveAspectRatio="none" role="img" aria-label="{escape(title)}">'
        f"{inside}</svg>"
    )


def _round_up(value: int) -> int:
    """The next number that is round and has a half: 2, 4, 6, 8, 10, 20, 40, ..."""
    step = 1
    while value > 10 * step:
        step *= 10
    return next(nice * step for nice in (2, 4, 6, 8, 10) if nice * step >= value)
