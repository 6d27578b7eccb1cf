"""What the tests of the infrastructure ask of a template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Resource = dict[str, Any]


@dataclass(frozen=True)
class Template:
    """A synthesized template, and the questions that the tests put to it."""

    document: dict[str, Any]

    @property
    def resources(self) -> dict[str, Resource]:
        resources: dict[str, Resource] = self.document["Resources"]
        return resources

    def of_type(self, type_: str) -> dict[str, Resource]:
        """Properties by logical id."""
        return {name: one["Properties"] for name, one in self.resources.items() if one["Type"] == type_}

    def functions(self) -> dict[str, Resource]:
        """Properties by the function's package name."""
        found = self.of_type("AWS::Lambda::Function").values()
        return {function["Handler"].partition(".")[0]: function for function in found}

    def function_id(self, name: str) -> str:
        found = self.of_type("AWS::Lambda::Function").items()
        return next(id for id, function in found if function["Handler"].startswith(f"{name}."))

    def statements(self, role: str) -> list[Resource]:
        """Of the policies attached to the role with this logical id."""
        return [
            statement
            for policy in self.of_type("AWS::IAM::Policy").values()
            if {"Ref": role} in policy["Roles"]
            for statement in policy["PolicyDocument"]["Statement"]
        ]

    def sources(self, name: str) -> list[Resource]:
        """The event source mappings of a function."""
        function = {"Ref": self.function_id(name)}
        mappings = self.of_type("AWS::Lambda::EventSourceMapping").values()
        return [mapping for mapping in mappings if mapping["FunctionName"] == function]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def logical_id(reference: Any) -> str:
    """Of `{"Ref": id}`, of `{"Fn::GetAtt": [id, ...]}`, or of the first of these in a join."""
    match reference:
        case {"Ref": str(id)} | {"Fn::GetAtt": [str(id), *_]}:
            return id
        case {"Fn::Join": [_, [first, *_]]}:
            return logical_id(first)
    raise AssertionError(f"no reference: {reference!r}")
