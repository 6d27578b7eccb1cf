"""Reading a Markdown file as far as the tests of the documents need it: sections, code blocks, tables, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]\n]+\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced code block; `before` is the last line of text above it."""

    language: str
    code: str
    before: str


class Document:
    """`path` is relative to the repository."""

    def __init__(self, path: str) -> None:
        self.path = ROOT / path
        self.text = self.path.read_text("utf-8")
        self.prose = _FENCE.sub("", self.text)

    def blocks(self, language: str) -> list[Block]:
        return [
            Block(match[1], match[2], self.text[: match.start()].rstrip().rpartition("\n")[2])
            for match in _FENCE.finditer(self.text)
            if match[1] == language
        ]

    def section(self, title: str) -> str:
        """From a heading to the next one of the same rank or above."""
        lines = self.text.split("\n")
        start = next(n for n, line in enumerate(lines) if re.fullmatch(rf"#+ {re.escape(title)}", line))
        rank = lines[start].index(" ")
        rest = enumerate(lines[start + 1 :], start + 1)
        end = next((n for n, line in rest if re.match(rf"#{{1,{rank}}} ", line)), len(lines))
        return "\n".join(lines[start:end])

    @property
    def links(self) -> list[str]:
        return _LINK.findall(self.prose)

    @property
    def anchors(self) -> set[str]:
        """Of its headings, as GitHub makes them."""
        headings = re.findall(r"^#+ (.*)$", self.prose, re.MULTILINE)
        return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def spans(text: str) -> list[str]:
    """What stands in backticks."""
    return _SPAN.findall(text)


def rows(text: str, heading: str) -> Iterator[list[str]]:
    """The rows, as cells, of the table in `text` whose first column is headed `heading`."""
    inside = False
    for line in text.split("\n"):
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|(?![^`]*`(?:[^`]*`[^`]*`)*[^`]*$)", line)[1:-1]]
        if not line.startswith("|"):
            inside = False
        elif cells[0] == heading:
            inside = True
        elif inside and not set(line) <= set("|- :"):
            yield cells
