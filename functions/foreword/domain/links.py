"""Links in what is about to be sent: only https, only to the policy's hosts, whatever customers are called.

A link is what mail and message programs make one: a URL in an attribute of HTML, or one written out in a text. They
also make links of bare names like `example.com`; of those only an author's own stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

_HTTPS = re.compile(r"https://([a-z0-9-]+(?:\.[a-z0-9-]+)+)(?::443)?(?=[/?#]|$)", re.ASCII | re.IGNORECASE)
_WRITTEN_OUT = re.compile(
    r"""[a-z][a-z0-9+.-]{0,20}://[^\s<>"']*|(?<![\w.@-])www\.[^\s<>"']+""", re.IGNORECASE
)
_TRAILING = ".,;:!?)]}"
_OWN_WORDS = ("mailto:", "tel:")
_ENDS = ".-"
_LITERAL = re.compile(r"""(?:mailto|tel):[^\s"'<>{}]+""", re.IGNORECASE)

# A whole URL, or a word with dots in it: each is looked at once, so that no text takes long.
_WORD = re.compile(r"(?P<url>https://[A-Za-z0-9._~:/?#@!$&*+;=%-]+)|[\w.。．｡-]+")
_INNER_DOT = re.compile(r"(?<=[^\W_])[.。．｡](?=[^\W\d_]{2})")
_MARKUP = re.compile(
    r"(<!--.*?-->|<(?:style|title)\b.*?</(?:style|title)\s*>|<[^>]*>)", re.DOTALL | re.IGNORECASE
)

_URL_ATTRIBUTE = re.compile("action|background|cite|data|formaction|href|longdesc|ping|poster|src|xlink:href")
_SEARCHED_ATTRIBUTES = frozenset(("srcset", "imagesrcset"))
_STYLE_URL = re.compile(r"""(?:url\s*\(|@import)\s*["']?([^"')\s;]*)""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    """A link as written, and where. `is_attribute`: it is one whatever it says, `/orders` and `x:y` included."""

    url: str
    line: int
    is_attribute: bool


def is_allowed(url: str, hosts: frozenset[str]) -> bool:
    """Strict on purpose: programs differ over user names, backslashes and ports in a URL."""
    match = _HTTPS.match(url)
    return match is not None and match[1].lower() in hosts


def in_text(text: str, line: int = 1) -> Iterator[Found]:
    """The URLs that are written out in it."""
    for match in _WRITTEN_OUT.finditer(text):
        yield Found(match[0].rstrip(_TRAILING), line + text.count("\n", 0, match.start()), is_attribute=False)


def in_html(html: str) -> list[Found]:
    """Those of its attributes and styles, and those that are written out in its text."""
    finder = _Finder()
    finder.feed(html)
    finder.close()
    return finder.found


def foreign_links(found: Iterable[Found], hosts: frozenset[str], allowed: frozenset[str]) -> list[str]:
    """Those that are neither to one of the hosts nor exactly one of `allowed`."""
    return [
        one.url
        for one in found
        if one.url not in allowed
        and not is_allowed(one.url, hosts)
        and not (one.is_attribute and one.url.startswith("#"))
    ]


@dataclass(frozen=True, slots=True)
class Written:
    """What authors themselves wrote: every `mailto:` and `tel:`, and every word with a dot in it."""

    addresses: frozenset[str]
    words: frozenset[str]


def written_in(template: str) -> Written:
    words = (match[0].strip(_ENDS) for match in _WORD.finditer(template) if not match["url"])
    return Written(frozenset(_LITERAL.findall(template)), frozenset(word for word in words if "." in word))


def is_address(url: str) -> bool:
    return url.lower().startswith(_OWN_WORDS)


def unlinked_text(text: str, own: Written) -> str:
    """With a space in every bare host name (`example.com`) that authors have not written out themselves.

    Programs make links of such names, and a customer's data must not bring one in.
    """

    def apart(match: re.Match[str]) -> str:
        word = match[0]
        if match["url"] or not _INNER_DOT.search(word) or word.strip(_ENDS) in own.words:
            return word
        return _INNER_DOT.sub(lambda dot: f"{dot[0]} ", word)

    return _WORD.sub(apart, text)


def unlinked_html(html: str, own: Written) -> str:
    """The same for the text between tags."""
    pieces = _MARKUP.split(html)
    return "".join(piece if at % 2 else unlinked_text(piece, own) for at, piece in enumerate(pieces))


class _Finder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Found] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_style = tag == "style"
        line, _ = self.getpos()
        for name, value in attrs:
            if value is None or name.startswith("xmlns"):
                continue
            if _URL_ATTRIBUTE.fullmatch(name):
                self.found.append(Found(value.strip(), line, is_attribute=True))
            elif name in _SEARCHED_ATTRIBUTES:
                self.found += [
                    Found(candidate.split()[0], line, is_attribute=True)
                    for candidate in value.split(",")
                    if candidate.strip()
                ]
            elif name == "style":
                self._style(value, line)
            else:
                self.found += in_text(value, line)

    def handle_endtag(self, tag: str) -> None:
        self._in_style &= tag != "style"

    def handle_data(self, data: str) -> None:
        line, _ = self.getpos()
        if self._in_style:
            self._style(data, line)
        else:
            self.found += in_text(data, line)

    def _style(self, text: str, line: int) -> None:
        self.found += [
            Found(match[1], line + text.count("\n", 0, match.start()), is_attribute=True)
            for match in _STYLE_URL.finditer(text)
        ]
