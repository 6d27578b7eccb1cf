"""The text part of an e-mail, from its HTML: paragraphs, lists, and every link with its address behind it.

Our own few lines, for what there is does not fit into a function: html2text is under the GPL, inscriptis brings
lxml and an HTTP client, markdownify a parser of its own and Markdown's escapes.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

_PARAGRAPH = re.compile(
    "article|aside|blockquote|body|center|dl|footer|form|h[1-6r]|header|main|nav|[ou]l|p|pre|section|table"
)
_LINE = re.compile("address|d[dt]|div|li|tr")
_UNSEEN = re.compile("head|noscript|script|style|template|title")
_VOID = re.compile("area|base|[bh]r|col|embed|img|input|link|meta|source|wbr")
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_BULLET = "- "
_SPACE = re.compile(r"[ \t\r\n\f]+")


def text_of(html: str) -> str:
    """Ends with a line feed where there is any text, and is empty where there is none."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.text()


def _is_block(tag: str) -> bool:
    return bool(_PARAGRAPH.fullmatch(tag) or _LINE.fullmatch(tag))


class _Reader(HTMLParser):
    """`_lines` are finished, `_line` is being written; a blank line is pending until something follows it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = []
        self._line = ""
        self._unseen: list[str] = []
        self._links: list[tuple[str, int, int]] = []

    def text(self) -> str:
        self._break(paragraph=False)
        while self._lines and not self._lines[-1]:
            self._lines.pop()
        return "\n".join(self._lines) + "\n" if self._lines else ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if (
            self._unseen
            or _UNSEEN.fullmatch(tag)
            or "hidden" in given
            or _HIDDEN.search(given.get("style") or "")
        ):
            if not _VOID.fullmatch(tag):
                self._unseen.append(tag)
            return
        if tag == "br":
            self._break(paragraph=False)
        elif _is_block(tag):
            self._break(paragraph=_PARAGRAPH.fullmatch(tag) is not None)
            self._line = _BULLET if tag == "li" else self._line
        elif tag in ("td", "th"):
            self._write(" ")
        elif tag == "img":
            self._write(given.get("alt") or "")
        elif tag == "a":
            self._links.append((given.get("href") or "", len(self._lines), len(self._line)))

    def handle_endtag(self, tag: str) -> None:
        if self._unseen:
            if tag in self._unseen:
                del self._unseen[self._unseen.index(tag) :]
            return
        if tag == "a" and self._links:
            self._tell(*self._links.pop())
        elif _is_block(tag):
            self._line = "" if tag == "li" and self._line == _BULLET else self._line
            self._break(paragraph=_PARAGRAPH.fullmatch(tag) is not None)

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._write(data)

    def _write(self, data: str) -> None:
        text = _SPACE.sub(" ", data)
        self._line += text.lstrip(" ") if not self._line or self._line[-1] == " " else text

    def _break(self, *, paragraph: bool) -> None:
        if self._line == _BULLET:  # of a paragraph in a list
            return
        if self._line.strip():
            self._lines.append(self._line.rstrip(" "))
        self._line = ""
        if paragraph and self._lines and self._lines[-1]:
            self._lines.append("")

    def _tell(self, href: str, row: int, column: int) -> None:
        """The address of a link, unless the words of the link are that address."""
        words = " ".join([*self._lines[row:], self._line[column if row == len(self._lines) else 0 :]]).strip()
        address = href.strip().removeprefix("mailto:").removeprefix("tel:")
        if address and not href.startswith("#") and words != address:
            self._write(f" ({address})" if words else address)
