"""A CloudFormation template: its order of creation, and its intrinsic functions.

Only what a synthesized template needs: Ref, GetAtt, Sub, Join, Select, Split and the pseudo parameters. Anything
else is refused by name, so that nothing is read other than as CloudFormation would.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, TypeAlias

from foreword.local.account import ACCOUNT, PARTITION, REGION

Json: TypeAlias = Any
_PLACEHOLDER = re.compile(r"\$\{([^!}][^}]*)\}")
_NO_VALUE = object()


class DeployError(RuntimeError):
    """A template the local cloud cannot stand for: what is meant, and where."""


@dataclass(frozen=True)
class Resource:
    """One entry of `Resources`."""

    logical_id: str
    type: str
    properties: Mapping[str, Json]


@dataclass(frozen=True)
class Made:
    """A resource that exists: what Ref gives, and what GetAtt gives by attribute."""

    ref: str
    attributes: Mapping[str, str] = field(default_factory=dict)


class Template:
    """A template and what was made of it so far."""

    def __init__(self, document: Mapping[str, Json], stack_name: str) -> None:
        self._resources: Mapping[str, Mapping[str, Json]] = document["Resources"]
        self.made: dict[str, Made] = {}
        self._values = {
            "AWS::AccountId": ACCOUNT,
            "AWS::Region": REGION,
            "AWS::Partition": PARTITION,
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": stack_name,
            "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{stack_name}/local",
            "AWS::NoValue": _NO_VALUE,
        }
        for name, parameter in document.get("Parameters", {}).items():
            self._values[name] = parameter.get("Default", "")

    @classmethod
    def read(cls, path: Path, stack_name: str) -> Template:
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise DeployError(f"{path}: there is no template; synthesize it or pass another one") from None
        except ValueError as error:
            raise DeployError(f"{path}: not a JSON template: {error}") from None
        if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
            raise DeployError(f"{path}: not a CloudFormation template: it has no Resources")
        return cls(document, stack_name)

    def in_order(self) -> Iterator[Resource]:
        """Each resource with its properties resolved, after everything it refers to."""
        needs = {name: self._needs(body) for name, body in self._resources.items()}
        for logical_id in TopologicalSorter(needs).static_order():
            body = self._resources[logical_id]
            properties = self._resolve(body.get("Properties", {}), logical_id)
            yield Resource(logical_id, body["Type"], properties)

    def _needs(self, body: Mapping[str, Json]) -> list[str]:
        explicit = body.get("DependsOn", [])
        names = [explicit] if isinstance(explicit, str) else list(explicit)
        names += list(_references(body.get("Properties", {})))
        return [name for name in dict.fromkeys(names) if name in self._resources]

    def _resolve(self, node: Json, where: str) -> Json:
        if isinstance(node, list):
            resolved = [self._resolve(item, where) for item in node]
            return [item for item in resolved if item is not _NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            name, argument = next(iter(node.items()))
            if name == "Ref" or name.startswith("Fn::"):
                return self._function(name, argument, where)
        resolved_items = {key: self._resolve(value, where) for key, value in node.items()}
        return {key: value for key, value in resolved_items.items() if value is not _NO_VALUE}

    def _function(self, name: str, argument: Json, where: str) -> Json:
        if name == "Ref":
            return self._ref(argument, where)
        if name == "Fn::GetAtt":
            logical_id, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
            return self._attribute(logical_id, attribute, where)
        if name == "Fn::Sub":
            return self._substitute(argument, where)
        if name == "Fn::Join":
            separator, parts = argument
            return separator.join(str(part) for part in self._resolve(parts, where))
        if name == "Fn::Select":
            index, parts = argument
            return self._resolve(parts, where)[int(index)]
        if name == "Fn::Split":
            separator, text = argument
            return self._resolve(text, where).split(separator)
        raise DeployError(f"{where}: the local cloud does not know {name}")

    def _substitute(self, argument: Json, where: str) -> str:
        text, names = argument if isinstance(argument, list) else (argument, {})

        def value(match: re.Match[str]) -> str:
            name = match[1]
            if name in names:
                return str(self._resolve(names[name], where))
            if "." in name:
                logical_id, attribute = name.split(".", 1)
                return self._attribute(logical_id, attribute, where)
            return str(self._ref(name, where))

        return _PLACEHOLDER.sub(value, text).replace("${!", "${")

    def _ref(self, name: str, where: str) -> Json:
        if name in self.made:
            return self.made[name].ref
        if name in self._values:
            return self._values[name]
        raise DeployError(f"{where}: Ref to {name!r}, which the template does not define")

    def _attribute(self, logical_id: str, attribute: str, where: str) -> str:
        made = self.made.get(logical_id)
        if made is None or attribute not in made.attributes:
            raise DeployError(
                f"{where}: the local cloud does not know the attribute {logical_id}.{attribute}"
            )
        return made.attributes[attribute]


def _references(node: Json) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _references(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "Ref" and isinstance(value, str):
                yield value
            elif key == "Fn::GetAtt":
                yield value.split(".", 1)[0] if isinstance(value, str) else value[0]
            elif key == "Fn::Sub":
                text, own = value if isinstance(value, list) else (value, {})
                names = [match[1] for match in _PLACEHOLDER.finditer(text)]
                yield from (name.split(".", 1)[0] for name in names if name not in own)
                yield from _references(own)
            else:
                yield from _references(value)
