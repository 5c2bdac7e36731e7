"""Say what pydantic found wrong with a file in the words of the file."""

from __future__ import annotations

import types
import typing
from dataclasses import dataclass
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from lab.topology.model import AE_TITLE, DOMAIN, NAME, PERSON, PROFILE_ENTRY, ROLE_NAME, SELECTOR
from lab.topology.problems import Problem, choose, nearest
from lab.topology.role import CAPABILITY, COLOUR, DASHES, DEVICE, WORD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import ValidationError
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

    from lab.topology.source import Key, Source

PATTERNS = {
    NAME: "Use lower case letters, digits and inner hyphens, beginning with a letter: 31 characters at most.",
    PERSON: "Use lower case letters, digits, dots and hyphens, beginning with a letter: 20 characters at most.",
    ROLE_NAME: "A role is named with lower case letters, digits and underscores, as its folder in roles/.",
    PROFILE_ENTRY: "Write a role, or profile:NAME for the roles of another profile.",
    AE_TITLE: "Use 1 to 16 of A-Z, 0-9, underscore and hyphen.",
    SELECTOR: "Name a host, role:ROLE or zone:ZONE.",
    DOMAIN: "Write a DNS domain in lower case, such as imaging.internal.",
    WORD: "Use lower case letters, digits and underscores, beginning with a letter.",
    CAPABILITY: "Write a capability of capabilities(7) in capitals, without CAP_, such as NET_ADMIN.",
    DEVICE: "Write a device file in lower case, such as /dev/net/tun.",
    COLOUR: "Write red, green and blue as six hexadecimal digits in lower case, such as '#0072b2'.",
    DASHES: "Write none, or lengths of dashes and gaps in pixels, such as 9 4.",
}
"""What to write, by the pattern that a text must follow."""

PAGE = "docs/topology.md describes every key."
"""Where a key is explained that does not explain itself."""

WRONG_KIND = {"string_type", "list_type", "model_type", "dict_type", "model_attributes_type"}
"""Errors that say only that the value is of another kind; one branch of a union always has them."""


@dataclass(frozen=True)
class Guide:
    """What a person is told of a file's form: its model, remedies by pattern, and where its keys are explained."""

    model: type[BaseModel]
    patterns: Mapping[str, str]
    page: str

    def remedy(self, pattern: str) -> str:
        """Return what to write where a text must follow a pattern."""
        return self.patterns.get(pattern, f"Write what the expression {pattern} matches.")

    def about(self, where: Key) -> str:
        """Return what the model says of the part at a place, or of the list or mapping that it is an entry of."""
        whole, field = where, None
        while whole and field is None:
            field = fields_at(self.model, whole[:-1]).get(str(whole[-1]))
            whole = whole if field else whole[:-1]
        if field is None or field.description is None:
            return self.page
        if whole != where:
            return f"{field.description} {self.page}"
        example = f" Such as: {field.examples[0]}" if field.examples else ""
        return field.description + example


def shape_problems(
    source: Source,
    model: type[BaseModel],
    error: ValidationError,
    *,
    patterns: Mapping[str, str] = PATTERNS,
    page: str = PAGE,
) -> list[Problem]:
    """Turn a validation error into problems, one for each part of the file that is wrong.

    ``patterns`` has a remedy for each pattern of the model; ``page`` says where other keys are explained.
    """
    guide = Guide(model, patterns, page)
    problems: dict[Key, Problem] = {}
    details = sorted(error.errors(), key=lambda detail: detail["type"] in WRONG_KIND)
    for detail in details:
        where = _written_place(source.data, detail["loc"])
        if not any(known[: len(where)] == where for known in problems):  # else a union's other branch, or a part of it
            problems[where] = _phrase(source, guide, where, detail)
    return list(problems.values())


def _written_place(data: Any, loc: Iterable[str | int]) -> Key:
    """Keep the part of pydantic's location that exists in the file: it also names union branches."""
    where: list[str | int] = []
    for step in loc:
        if step == "[key]":
            break
        if isinstance(data, dict) and (step in data or _is_field(step)):
            where.append(str(step))
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            where.append(step)
            data = data[step]
    return tuple(where)


def _is_field(step: str | int) -> bool:
    """Tell a field's name (it may be missing in the file) from pydantic's name of a union branch."""
    return isinstance(step, str) and step.isidentifier()


def _phrase(source: Source, guide: Guide, where: Key, detail: ErrorDetails) -> Problem:
    name = ".".join(map(str, where)) or "the file"
    kind, context, value = detail["type"], detail.get("ctx", {}), detail["input"]
    if kind == "extra_forbidden":
        return source.problem(where, f"{name}: there is no such key.", _unknown_key(guide.model, where, value))
    if kind == "missing":
        owner = ".".join(map(str, where[:-1])) or "the file"
        return source.problem(where[:-1], f"{owner}: {where[-1]} is missing.", f"Add it. {guide.about(where)}")
    if kind in {"enum", "literal_error"}:
        words = str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
        return source.problem(where, f"{name}: {value!r} is not a known word.", choose(value, words, "Known here"))
    if kind == "string_pattern_mismatch":
        return source.problem(where, f"{name}: {value!r} cannot stand here.", guide.remedy(context["pattern"]))
    if kind == "ip_v4_network":
        return source.problem(where, f"{name}: {value!r} is not a network.", _network_remedy(value))
    message = detail["msg"].removesuffix(" or instance of " + str(context.get("class_name")))
    message = (
        message.removeprefix("Input should be ").removeprefix("Value should have ").removeprefix("List should have ")
    )
    return source.problem(where, f"{name}: {value!r} cannot stand here; expected {message}.", guide.about(where))


def _unknown_key(model: type[BaseModel], where: Key, value: Any) -> str:
    known = fields_at(model, where[:-1])
    if value is None and nearest(where[-1], known) is None:
        return "If it belongs to the text before it, put that text in quotation marks: a comma ends a text inside { }."
    return choose(where[-1], known, "Known here")


def _network_remedy(value: Any) -> str:
    try:
        network = ip_network(str(value), strict=False)
    except ValueError:
        return "Write the zone's IPv4 network, such as 10.24.41.0/24."
    return f"That is an address inside a network: write {network}."


def fields_at(model: type[BaseModel], where: Key) -> dict[str, FieldInfo]:
    """Return the fields, named as written, that may stand at a place of a file; none where there are no named keys."""
    kinds: list[Any] = [model]
    for step in where:
        kinds = [below for kind in kinds for below in _below(kind, step)]
    return {name: field for kind in kinds if _is_model(kind) for name, field in _fields(kind).items()}


def _below(kind: Any, step: str | int) -> list[Any]:
    """Return the types that may stand one step below a type."""
    if _is_model(kind):
        field = _fields(kind).get(str(step))
        return _branches(field.annotation) if field else []
    arguments = typing.get_args(kind)
    return _branches(arguments[-1]) if typing.get_origin(kind) in {dict, list} else []


def _branches(annotation: Any) -> list[Any]:
    """Return the alternatives of a union, without their constraints."""
    if typing.get_origin(annotation) is typing.Annotated:
        return _branches(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in {typing.Union, types.UnionType}:
        return [branch for argument in typing.get_args(annotation) for branch in _branches(argument)]
    return [annotation]


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}
