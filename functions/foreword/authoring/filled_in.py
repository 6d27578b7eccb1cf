"""Templates filled in with the values of their rule's own tests: do they render, how long are text messages."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, TypeAlias

from foreword.authoring.rulebook import LoadedRulebook
from foreword.authoring.samples import Sample, samples_of
from foreword.authoring.templates import Templates
from foreword.domain.content import Content, MessageLinks, SmsContent
from foreword.domain.errors import InvalidRulebook, InvalidTemplate
from foreword.domain.message_files import HTML, SEGMENTS, SMS, VARIANTS, split_name, split_path
from foreword.domain.messages import Message
from foreword.domain.profiles import Attribute, Profile
from foreword.domain.rulebook import Channel, Purpose
from foreword.domain.sms_length import SmsLength, sms_length

SAMPLE_LINKS = MessageLinks(
    unsubscribe="https://preferences.example/unsubscribe", preferences="https://preferences.example/choices"
)
"""Such as the customer gets with every message but a critical one."""

SAMPLE_HOST = "preferences.example"
"""Where these lead, and whatever else Foreword itself links to in a rule's tests."""

_CHANNELS = {HTML: Channel.EMAIL, SMS: Channel.SMS}


class _Rendered(Protocol):
    @property
    def content(self) -> Content: ...


class SampleRenderer(Protocol):
    def rendered(
        self,
        message: Message,
        channel: Channel,
        profile: Profile,
        links: MessageLinks | None,
    ) -> _Rendered:
        """Raises InvalidTemplate."""
        ...


MakeRenderer: TypeAlias = Callable[[Templates, tuple[str, ...]], SampleRenderer]


@dataclass(frozen=True, slots=True)
class TextMessage:
    rule: str
    file: str
    length: SmsLength


@dataclass(slots=True)
class FilledIn:
    problems: list[InvalidRulebook] = field(default_factory=list)
    warnings: list[InvalidRulebook] = field(default_factory=list)
    text_messages: list[TextMessage] = field(default_factory=list)


def fill_in(
    loaded: LoadedRulebook, templates: Templates, messages: Path, renderer: SampleRenderer
) -> FilledIn:
    """A message that no test of its rule sends is left out: there are no values for it."""
    filled = FilledIn()
    for authored in loaded.rules:
        for sample in samples_of(authored, loaded):
            files = templates.get(sample.message.message, {})
            for path, channel in _texts(files):
                _fill_in(filled, _meant(sample, path, files), path, channel, messages, renderer)
    return filled


def links_of(message: Message) -> MessageLinks | None:
    return None if message.purpose is Purpose.CRITICAL else SAMPLE_LINKS


def profile_with(profile: Profile, **attributes: str | None) -> Profile:
    """With these attributes in place of its own; None leaves its own."""
    given = {name: Attribute(value, (0, 0, "")) for name, value in attributes.items() if value is not None}
    return replace(profile, attributes={**profile.attributes, **given})


def _texts(files: Mapping[str, str]) -> Iterator[tuple[str, Channel]]:
    for path in files:
        part, _ = split_name(split_path(path)[1]) or ("", "")
        if part in _CHANNELS:
            yield path, _CHANNELS[part]


def _meant(sample: Sample, path: str, files: Collection[str]) -> Sample:
    """The sample's customer, as one for whom this file is the nearest."""
    folder, name = split_path(path)
    kind, _, within = folder.rstrip("/").partition("/")
    segment = within if kind == SEGMENTS else None
    own = f"{SEGMENTS}/{sample.profile.value('segment')}/"
    if not folder and any(other.startswith(own) for other in files):
        segment = "another"
    _, locale = split_name(name) or ("", "")
    return replace(sample, profile=profile_with(sample.profile, locale=locale, segment=segment))


def _fill_in(
    filled: FilledIn, sample: Sample, path: str, channel: Channel, messages: Path, renderer: SampleRenderer
) -> None:
    file = str(messages / sample.message.message / path)
    kind, _, within = split_path(path)[0].rstrip("/").partition("/")
    variant = within if kind == VARIANTS else None
    message = replace(sample.message, variant=variant)
    try:
        content = renderer.rendered(message, channel, sample.profile, links_of(message)).content
    except InvalidTemplate as error:
        words = f"with the values of the test '{sample.test}' it does not render: {error}"
        filled.problems.append(InvalidRulebook(words, file=file))
        return
    if isinstance(content, SmsContent):
        length = sms_length(content.text)
        filled.text_messages.append(TextMessage(sample.message.rule, file, length))
        if length.segments > 1:
            words = f"longer than one text message with the values of the test '{sample.test}': {length}"
            filled.warnings.append(InvalidRulebook(words, file=file))
