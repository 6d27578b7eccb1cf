"""One template as its author wrote it: Liquid that parses, names that are known, links that are allowed."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from liquid import BoundTemplate, Environment, StrictUndefined
from liquid.builtin.content import ContentNode
from liquid.exceptions import LiquidError
from liquid.extra import BlockTag, ExtendsTag
from liquid.extra.tags.extends_tag import BlockNode, ExtendsNode
from liquid.static_analysis import TemplateAnalysis, Variable

from foreword.authoring.suggest import did_you_mean
from foreword.authoring.template_links import check_html, check_links
from foreword.domain.errors import InvalidRulebook
from foreword.domain.message_files import (
    HTML,
    PREFERENCES_URL,
    PREHEADER_VALUE,
    REFUSED_FILTERS,
    REFUSED_TAGS,
    SUBJECT_VALUE,
    UNSUBSCRIBE_URL,
    split_name,
)
from foreword.domain.profiles import ADDRESSES

_PROFILE = "profile"
_OTHERS = ("profile", "case", "rule", PREFERENCES_URL, UNSUBSCRIBE_URL)
_OF_HTML = (SUBJECT_VALUE, PREHEADER_VALUE)
_BLOCK = re.compile(r"\{%-?\s*block\s+['\"]?([\w-]+)")


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """`part` is what it is of the message, `email.html`; of a layout its own name."""

    file: str
    part: str
    text: str
    locale: str = ""
    is_layout: bool = False

    @property
    def is_html(self) -> bool:
        return self.part.endswith(".html")

    def refused(self, message: str, index: int) -> InvalidRulebook:
        """At that character."""
        line = self.text.count("\n", 0, index) + 1
        return InvalidRulebook(
            message, file=self.file, line=line, column=index - self.text.rfind("\n", 0, index)
        )


@dataclass(frozen=True, slots=True)
class Known:
    """What a template may name: the rule's signals, the layouts by file name, the hosts of the policy's links."""

    signals: frozenset[str]
    layouts: Mapping[str, str]
    link_hosts: frozenset[str]


def check_text(template: TemplateFile, known: Known) -> Iterator[InvalidRulebook]:
    try:
        parsed = _environment(template.is_html).from_string(template.text, name=template.file)
        analysis = parsed.analyze(include_partials=False)
    except LiquidError as error:
        place = error.context()
        line, column = (place[0], place[1] + 1) if place else (1, 1)
        yield InvalidRulebook(f"Liquid: {error.args[0]}", file=template.file, line=line, column=column)
        return
    yield from _check_names(template, analysis, known)
    if template.part == HTML and not template.is_layout:
        yield from _check_layout(template, parsed, known)
    if template.is_html:
        yield from check_html(template.file, template.text)
    yield from check_links(template.file, template.text, known.link_hosts, is_html=template.is_html)


def profile_fields(template: TemplateFile) -> Iterator[tuple[str, InvalidRulebook]]:
    """Each field of the profile that it names, with what to say of one that nobody knows."""
    try:
        analysis = _environment(template.is_html).from_string(template.text).analyze(include_partials=False)
    except LiquidError:
        return
    for variable in analysis.globals.get(_PROFILE, ()):
        if len(variable.segments) > 1 and isinstance(variable.segments[1], str):
            field = variable.segments[1]
            yield field, template.refused(f"no schema describes profile.{field}", variable.span.index)


def _check_names(
    template: TemplateFile, analysis: TemplateAnalysis, known: Known
) -> Iterator[InvalidRulebook]:
    names = frozenset((*known.signals, *_OTHERS, *(_OF_HTML if template.is_html else ())))
    for name, variables in analysis.globals.items():
        for variable in variables:
            problem = _unknown_name(variable, name, names)
            if problem:
                yield template.refused(problem, variable.span.index)
    filters = _environment(template.is_html).filters
    for name, spans in analysis.filters.items():
        if name in REFUSED_FILTERS:
            yield template.refused(
                f"the filter '{name}' is refused: what customers are called would become HTML", spans[0].index
            )
        elif name not in filters:
            yield template.refused(f"unknown filter '{name}'{did_you_mean(name, filters)}", spans[0].index)


def _unknown_name(variable: Variable, name: str, known: frozenset[str]) -> str | None:
    if name not in known:
        hint = did_you_mean(name, known) or f"; known are: {', '.join(sorted(known))}"
        return f"unknown placeholder '{name}'{hint}"
    if name == _PROFILE and len(variable.segments) < 2:
        return "a placeholder of the profile names a field: profile.x"
    if name == _PROFILE and variable.segments[1] in ADDRESSES:
        return f"{variable} is an address, and templates do not see addresses"
    return None


def _check_layout(template: TemplateFile, parsed: BoundTemplate, known: Known) -> Iterator[InvalidRulebook]:
    """The layout exists and has the blocks; nothing stands where it would be left out."""
    extends = next((node for node in parsed.nodes if isinstance(node, ExtendsNode)), None)
    if extends is None:
        for node in parsed.nodes:
            if isinstance(node, BlockNode):
                yield template.refused(
                    "a block belongs to a layout: {% extends 'mail.html' %}", node.token.start_index
                )
        return
    layouts = {split[0] for split in map(split_name, known.layouts) if split is not None}
    if extends.name not in layouts:
        hint = did_you_mean(extends.name, layouts) or f"; there are: {', '.join(sorted(layouts)) or 'none'}"
        yield template.refused(f"there is no layout '{extends.name}'{hint}", extends.token.start_index)
        return
    blocks = set(_BLOCK.findall(known.layouts.get(extends.name, "")))
    for node in parsed.nodes:
        if isinstance(node, BlockNode) and node.name not in blocks:
            hint = did_you_mean(node.name, blocks) or f"; it has: {', '.join(sorted(blocks))}"
            yield template.refused(
                f"the layout '{extends.name}' has no block '{node.name}'{hint}", node.token.start_index
            )
        elif not isinstance(node, ExtendsNode | BlockNode) and not _is_blank(node):
            yield template.refused(
                "what stands outside the blocks of a layout is left out: put it into one",
                node.token.start_index,
            )


def _is_blank(node: object) -> bool:
    return isinstance(node, ContentNode) and not node.text.strip()


@functools.cache
def _environment(is_html: bool) -> Environment:
    environment = Environment(undefined=StrictUndefined)
    for tag in REFUSED_TAGS:
        del environment.tags[tag]
    if is_html:
        environment.add_tag(ExtendsTag)
        environment.add_tag(BlockTag)
    return environment
