"""The HTML and links of a template as its author wrote them: where placeholders may stand, and links may lead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from foreword.authoring.suggest import did_you_mean
from foreword.domain.errors import InvalidRulebook
from foreword.domain.links import Found, in_html, in_text, is_address, is_allowed

_HOLE = "\ue000"
"""Stands for each character of a placeholder, so that lines and what is around it stay as they are."""

_LIQUID = re.compile(
    r"(?P<output>\{\{.*?\}\}|\{%-?\s*(?:echo|cycle|increment|decrement|liquid)\b.*?%\})"
    r"|\{%-?\s*(?P<hidden>comment|doc)\b.*?\{%-?\s*end(?P=hidden)\s*-?%\}"
    r"|\{%.*?%\}",
    re.DOTALL,
)
_QUOTED = re.compile(r"""=\s*(?:"[^"]*"|'[^']*')""")
_UNFINISHED = re.compile(r"https://[a-z0-9.-]*", re.ASCII | re.IGNORECASE)
_RAW = ("script", "style")


def check_html(file: str, text: str) -> list[InvalidRulebook]:
    """A placeholder stands between tags or in a quoted attribute: escaping keeps it in there, and nowhere else."""
    places = _Places()
    places.feed(_masked(text))
    places.close()
    return [InvalidRulebook(problem, file=file, line=line) for line, problem in places.problems]


def check_links(file: str, text: str, hosts: frozenset[str], *, is_html: bool) -> Iterator[InvalidRulebook]:
    masked = _masked(text)
    for found in in_html(masked) if is_html else in_text(masked):
        problem = _problem(found, hosts)
        if problem:
            yield InvalidRulebook(problem, file=file, line=found.line)


def _problem(found: Found, hosts: frozenset[str]) -> str | None:
    """None for what is right, and for what only rendering can tell."""
    url = found.url
    if is_address(url):
        return f"'{_shown(url)}' is completed by a placeholder: write it out" if _HOLE in url else None
    if not url or is_allowed(url, hosts) or (found.is_attribute and url.startswith("#")):
        return None
    head, hole, _ = url.partition(_HOLE)
    if hole and ("https://".startswith(head.lower()) or _UNFINISHED.fullmatch(head)):
        return None
    host = "/".join(url.split("/", 3)[:3])
    name = re.sub(r"^(?:[a-z]+:)?//", "", host, flags=re.IGNORECASE).lower()
    if host.lower().startswith("https://"):
        hint = did_you_mean(name, hosts) or f"; they are: {', '.join(sorted(hosts)) or 'none'}"
        return f"'{name}' is not one of the hosts under 'links' in policy.yaml{hint}"
    if re.match(r"(?:http:)?//|www\.", url, re.IGNORECASE):
        return f"a link is https: did you mean 'https://{name}{_shown(url[len(host) :])}'?"
    return f"'{_shown(url)}' is not a link that an e-mail can have: write it as https://HOST/..."


def _shown(url: str) -> str:
    return re.sub(f"{_HOLE}+", "{{...}}", url)


def _masked(text: str) -> str:
    """Placeholders as holes and other Liquid as spaces, each character in its line."""

    def mask(match: re.Match[str]) -> str:
        return re.sub(r"[^\n]", _HOLE if match["output"] else " ", match[0])

    return _LIQUID.sub(mask, text)


class _Places(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[tuple[int, str]] = []
        self._raw = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._raw = tag if tag in _RAW else ""
        if _HOLE in _QUOTED.sub("", self.get_starttag_text() or ""):
            self._refuse('in a tag a placeholder stands in quotes: href="{{ ... }}"')
        for name, value in attrs:
            if (name.startswith("on") or name == "style") and _HOLE in (value or ""):
                self._refuse(f"no placeholder may stand in '{name}'")

    def handle_endtag(self, tag: str) -> None:
        self._raw = "" if tag == self._raw else self._raw

    def handle_data(self, data: str) -> None:
        if self._raw and _HOLE in data:
            self._refuse(f"no placeholder may stand in <{self._raw}>", data.count("\n", 0, data.index(_HOLE)))

    def _refuse(self, problem: str, lines: int = 0) -> None:
        self.problems.append((self.getpos()[0] + lines, problem))
