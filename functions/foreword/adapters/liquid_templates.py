"""Messages' texts: the nearest templates, filled in, and nothing in them that only the values could have brought.

Templates see each signal by its name, `profile` (without addresses), `case` and `rule`; where the customer has a
way out, `unsubscribe_url` and `preferences_url`; HTML sees `subject` and `preheader` too. A missing variable is an
error, except where the template asks: `{% if profile.name %}` and `{{ profile.name | default: "there" }}`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from liquid import BoundTemplate, Environment

from foreword.adapters.liquid_environment import RENDERING_ERRORS, html_environment, plain_environment, shown
from foreword.adapters.mime import one_line, plain
from foreword.domain import message_files
from foreword.domain.content import Content, EmailContent, MessageLinks, SmsContent
from foreword.domain.errors import InvalidTemplate
from foreword.domain.html_text import text_of
from foreword.domain.links import (
    Found,
    Written,
    foreign_links,
    in_html,
    in_text,
    unlinked_html,
    unlinked_text,
    written_in,
)
from foreword.domain.message_files import HTML, LAYOUTS, PREHEADER, SMS, SUBJECT, TEXT
from foreword.domain.messages import Message
from foreword.domain.profiles import Profile
from foreword.domain.rulebook import Channel

Templates = Mapping[str, Mapping[str, str]]
"""As published: message, then path in its folder (`email.html.de`, `segments/vip/sms.txt`), then Liquid."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """`files` tells of each part which file it came from: an `email.txt` may come from the HTML's."""

    content: Content
    files: Mapping[str, str]
    preheader: str = ""


class LiquidRenderer:
    """`link_hosts` are those that links may lead to."""

    def __init__(self, templates: Templates, link_hosts: Collection[str] = ()) -> None:
        self._templates = _Parsed(templates)
        self._link_hosts = frozenset(link_hosts)

    def render(
        self, message: Message, channel: Channel, profile: Profile, links: MessageLinks | None
    ) -> Content:
        """Raises InvalidTemplate, naming the message's file and never a value."""
        return self.rendered(message, channel, profile, links).content

    def rendered(
        self,
        message: Message,
        channel: Channel,
        profile: Profile,
        links: MessageLinks | None,
    ) -> Rendered:
        """The same, with where it came from."""
        values = {
            **{name: shown(value) for name, value in message.signals.items()},
            "profile": shown(profile.values()),
            "case": shown(message.case),
            "rule": message.rule,
        }
        if message.variant is not None:
            values["variant"] = message.variant
        if links is not None:
            values[message_files.UNSUBSCRIBE_URL] = links.unsubscribe
            values[message_files.PREFERENCES_URL] = links.preferences
        rendering = _Rendering(
            templates=self._templates,
            message=message.message,
            folders=message_files.folders(message.variant, profile.value("segment")),
            locale=profile.value("locale"),
            link_hosts=self._link_hosts,
            own_links=frozenset((links.unsubscribe, links.preferences) if links is not None else ()),
            values=values,
        )
        return rendering.sms() if channel is Channel.SMS else rendering.email()


class _Parsed:
    """The templates; each is parsed when it is first needed, and once."""

    def __init__(self, templates: Templates) -> None:
        self._sources = templates
        self._layouts = templates.get(LAYOUTS, {})
        self._plain = plain_environment()
        self._html: dict[str, Environment] = {}
        self._parsed: dict[tuple[str, str], BoundTemplate] = {}
        self._written: dict[tuple[str, str], Written] = {}

    def paths(self, message: str) -> Collection[str]:
        return self._sources.get(message, {}).keys()

    def written(self, message: str, path: str) -> Written:
        """What authors wrote of it: in the template, and in the layouts it may use."""
        if (message, path) not in self._written:
            whole = "\n".join((self._sources[message][path], *self._layouts.values()))
            self._written[message, path] = written_in(whole)
        return self._written[message, path]

    def template(self, message: str, path: str) -> BoundTemplate:
        if (message, path) not in self._parsed:
            _, name = message_files.split_path(path)
            is_html = name.startswith(HTML)
            environment = self._for_html(name.removeprefix(HTML)[1:]) if is_html else self._plain
            self._parsed[message, path] = environment.from_string(self._sources[message][path])
        return self._parsed[message, path]

    def _for_html(self, locale: str) -> Environment:
        """A template's layouts are in the language of the template, so that no e-mail speaks two."""
        if locale not in self._html:
            parts = {part for part, _ in filter(None, map(message_files.split_name, self._layouts))}
            paths = {part: message_files.nearest(self._layouts, ("",), part, locale) for part in parts}
            layouts = {part: self._layouts[path] for part, path in paths.items() if path is not None}
            self._html[locale] = html_environment(layouts)
        return self._html[locale]


@dataclass(frozen=True, slots=True)
class _Rendering:
    """One message for one customer. `taken` is of each part the file it came from."""

    templates: _Parsed
    message: str
    folders: tuple[str, ...]
    locale: Any
    link_hosts: frozenset[str]
    own_links: frozenset[str]
    values: dict[str, Any]
    taken: dict[str, str] = field(default_factory=dict)

    def sms(self) -> Rendered:
        return Rendered(SmsContent(self._text(SMS, self._path(SMS))), self.taken)

    def email(self) -> Rendered:
        subject = self._filled(SUBJECT, self._path(SUBJECT), self._line(self._path(SUBJECT)))
        self.values[message_files.SUBJECT_VALUE] = subject
        preheader = ""
        if (path := self._nearest(PREHEADER)) is not None and (preheader := self._line(path)):
            self.taken[PREHEADER] = path
            self.values[message_files.PREHEADER_VALUE] = preheader
        path = self._path(HTML)
        html = self._html(path)
        # The text that stands beside this very HTML says the same; another might not.
        folder, name = message_files.split_path(path)
        beside = f"{folder}{TEXT}{name.removeprefix(HTML)}"
        if beside in self.templates.paths(self.message):
            text = self._text(TEXT, beside)
        else:
            text = self._filled(TEXT, path, text_of(html).strip())
        return Rendered(EmailContent(subject, text + "\n", html + "\n"), self.taken, preheader)

    def _nearest(self, part: str) -> str | None:
        return message_files.nearest(self.templates.paths(self.message), self.folders, part, self.locale)

    def _path(self, part: str) -> str:
        path = self._nearest(part)
        if path is None:
            raise InvalidTemplate(f"{self.message}/{part}: there is no such template")
        return path

    def _line(self, path: str) -> str:
        return " ".join(self._clean(path, one_line).split())

    def _text(self, part: str, path: str) -> str:
        return self._filled(part, path, self._clean(path, plain).strip())

    def _clean(self, path: str, clean: Callable[[str], str]) -> str:
        written = self.templates.written(self.message, path)
        text = unlinked_text(clean(self._rendered(path)), written)
        self._check(path, in_text(text), written)
        return text

    def _html(self, path: str) -> str:
        written = self.templates.written(self.message, path)
        html = unlinked_html(plain(self._rendered(path)), written)
        self._check(path, in_html(html), written)
        return self._filled(HTML, path, html.strip())

    def _rendered(self, path: str) -> str:
        try:
            return self.templates.template(self.message, path).render(self.values)
        except RENDERING_ERRORS as error:
            # The error's own words may quote a value; what is missing is the author's, and safe to say.
            raise InvalidTemplate(f"{self.message}/{path}: {type(error).__name__}") from None

    def _check(self, path: str, found: Iterable[Found], written: Written) -> None:
        allowed = self.own_links | written.addresses
        if foreign_links(found, self.link_hosts, allowed):
            raise InvalidTemplate(f"{self.message}/{path}: holds a link that the policy's links do not allow")

    def _filled(self, part: str, path: str, text: str) -> str:
        if not text:
            raise InvalidTemplate(f"{self.message}/{path}: renders to nothing")
        self.taken[part] = path
        return text
