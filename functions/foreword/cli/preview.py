"""`foreword preview`: a message as a customer sees it, in files and on the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from foreword.adapters.liquid_templates import LiquidRenderer, Rendered
from foreword.adapters.mime import compose
from foreword.authoring.fields import RulebookErrors
from foreword.authoring.filled_in import SAMPLE_HOST, links_of, profile_with
from foreword.authoring.rulebook import LoadedRulebook, load_rulebook
from foreword.authoring.rules import AuthoredRule
from foreword.authoring.samples import GENERATION, Sample, samples_of
from foreword.authoring.suggest import did_you_mean
from foreword.authoring.templates import PARTS, Templates, check_layouts, check_templates, read_templates
from foreword.cli.failures import CannotRun, FoundWrong
from foreword.cli.preview_text import print_preview
from foreword.domain import json_text
from foreword.domain.addresses import email_address
from foreword.domain.content import EmailContent
from foreword.domain.errors import InvalidRulebook, InvalidTemplate
from foreword.domain.message_files import LAYOUTS
from foreword.domain.messages import Message
from foreword.domain.profiles import Attribute, Profile
from foreword.domain.rulebook import Channel, Send
from foreword.domain.senders import Sender
from foreword.domain.sms_length import sms_length
from foreword.local import project

SENDER = Sender("Your sender", "sender@example.com")
RECIPIENT = "customer@example.com"


def run(
    *,
    message: str,
    customer: str | None,
    signals: str | None,
    locale: str | None,
    segment: str | None,
    variant: str | None,
    out: Path,
    rulebook: Path | None,
    as_json: bool,
) -> None:
    """Raises FoundWrong where the message or the rulebook is wrong, CannotRun where there is nothing to show."""
    given = None if customer is None else _json(customer, "--customer")
    ours = project.find()
    directory = rulebook or ours.rulebook
    messages = directory / "messages" if rulebook is not None else ours.messages
    try:
        loaded, templates = load_rulebook(directory), read_templates(messages)
    except (RulebookErrors, InvalidRulebook) as error:
        click.echo(str(error), err=True)
        raise FoundWrong from None
    except OSError as error:
        raise CannotRun(f"{error.filename or directory}: cannot be read: {error.strerror}") from None
    authored, send = _sender_of(message, loaded, templates, messages)
    _refuse_broken(authored, loaded, templates, messages)
    sample = _sample(authored, send, loaded)
    if signals is not None:
        values = {**sample.message.signals, **_json(signals, "--signals")}
        sample = replace(sample, message=replace(sample.message, signals=values))
    profile = sample.profile if given is None else _profile(given)
    profile = profile_with(profile, locale=locale, segment=segment)
    renderer = LiquidRenderer(templates, (*loaded.policy.link_hosts, SAMPLE_HOST))
    shown = sample.message if variant is None else replace(sample.message, variant=variant)
    links = links_of(shown)
    try:
        rendered = {
            channel: renderer.rendered(shown, channel, profile, links)
            for channel in send.channels
            if PARTS[channel]
        }
        files = _write(out, sample.message, profile, rendered)
    except InvalidTemplate as error:
        click.echo(f"{messages}/{error}{_hint(sample)}", err=True)
        raise FoundWrong from None
    except OSError as error:
        raise CannotRun(f"{error.filename or out}: cannot be written: {error.strerror}") from None
    (_print_json if as_json else print_preview)(message, sample.test or None, rendered, files)


def _sender_of(
    message: str, loaded: LoadedRulebook, templates: Templates, messages: Path
) -> tuple[AuthoredRule, Send]:
    sends = {send.message: (authored, send) for authored in loaded.rules for send in authored.rule.sends}
    if message not in sends:
        known = {*sends, *templates} - {LAYOUTS}
        if message in known:
            raise CannotRun(f"no rule sends the message '{message}', so there is nothing to fill it in with")
        hint = did_you_mean(message, known) or f"; there are: {', '.join(sorted(known)) or 'none'}"
        raise CannotRun(f"no message '{message}' in {messages}{hint}")
    authored, send = sends[message]
    if not any(PARTS[channel] for channel in send.channels):
        raise CannotRun(f"'{message}' is a task: it goes on the bus and has no text")
    return authored, send


def _refuse_broken(
    authored: AuthoredRule, loaded: LoadedRulebook, templates: Templates, messages: Path
) -> None:
    hosts = loaded.policy.link_hosts
    problems = (
        *check_layouts(templates, messages, hosts),
        *check_templates(authored, templates, messages, hosts),
    )
    if problems:
        for problem in problems:
            click.echo(str(problem), err=True)
        raise FoundWrong


def _sample(authored: AuthoredRule, send: Send, loaded: LoadedRulebook) -> Sample:
    """By the rule's own tests, else with no signal at all."""
    for sample in samples_of(authored, loaded):
        if sample.message.message == send.message:
            return sample
    message = Message(
        customer_id="customer",
        message_id="0" * 32,
        rule=authored.rule.rule,
        case=None,
        episode=GENERATION,
        message=send.message,
        purpose=send.purpose,
        topic=send.topic,
        priority=send.priority,
        channels=send.channels,
        decided_for=0,
        decided_at=0,
        deliver_by=0,
        generation=GENERATION,
    )
    return Sample(message, Profile("customer"), "")


def _hint(sample: Sample) -> str:
    if sample.test:
        return f" (with the values of the test '{sample.test}')"
    return "; no test of its rule sends it, so give values: --signals '{\"name\": 3}'"


def _json(given: str, option: str) -> Mapping[str, Any]:
    """An object, as it stands or in a file."""
    text, where = given, option
    if not given.lstrip().startswith("{"):
        where = given
        try:
            text = Path(given).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise CannotRun(f"{given}: cannot be read: it is not UTF-8 text") from None
        except OSError as error:
            raise CannotRun(f"{given}: cannot be read: {error.strerror}") from None
    try:
        value = json_text.loads(text)
    except ValueError as error:
        raise CannotRun(f"{where}: not JSON: {error}") from None
    if not isinstance(value, dict):
        raise CannotRun(f'{where}: must be a JSON object, as in \'{{"name": "Ada"}}\'')
    return value


def _profile(given: Mapping[str, Any]) -> Profile:
    return Profile("customer", {name: Attribute(value, (0, 0, "")) for name, value in given.items()})


def _write(
    out: Path, message: Message, profile: Profile, rendered: Mapping[Channel, Rendered]
) -> dict[str, Path]:
    out.mkdir(parents=True, exist_ok=True)
    files: dict[str, Path] = {}
    for ending, data in _data(message, profile, rendered):
        path = files[ending] = out / f"{message.message}.{ending}"
        path.write_bytes(data)
    return files


def _data(
    message: Message, profile: Profile, rendered: Mapping[Channel, Rendered]
) -> Iterator[tuple[str, bytes]]:
    for one in rendered.values():
        content = one.content
        if isinstance(content, EmailContent):
            given = profile.value("email")
            to = (email_address(given) if isinstance(given, str) else None) or RECIPIENT
            yield "eml", compose(message.message_id, SENDER, to, content, links_of(message))
            yield "html", content.html.encode()
            yield "txt", content.text.encode()
        else:
            yield "sms.txt", f"{content.text}\n".encode()


def _print_json(
    message: str, test: str | None, rendered: Mapping[Channel, Rendered], files: Mapping[str, Path]
) -> None:
    for channel, one in rendered.items():
        content = one.content
        told: dict[str, Any] = {"message": message, "channel": channel, "test": test}
        if isinstance(content, EmailContent):
            told |= {"subject": content.subject, "preheader": one.preheader, "html": content.html}
        else:
            length = sms_length(content.text)
            told |= {"encoding": length.encoding, "units": length.units, "segments": length.segments}
        click.echo(json.dumps({**told, "text": content.text, "from": dict(one.files)}, ensure_ascii=False))
    for path in files.values():
        click.echo(json.dumps({"wrote": str(path)}))
