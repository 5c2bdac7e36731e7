"""The generated parts of ``docs/topology.md``: every key, the words of ``permits``, and what is checked."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any

from lab.docs.parts import renew
from lab.topology.catalog import load_catalog, vocabularies
from lab.topology.rules import RULES
from lab.topology.schema import topology_schema

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = {
    "the site": "",
    "a zone": "Zone",
    "a host": "Host",
    "a host's device": "Device",
    "a host's asset": "Asset",
    "room on its disk": "FreeSpace",
    "a person": "Person",
    "a partner": "Partner",
    "a partner's person": "Visitor",
    "a flow": "Flow",
}
"""Headings of the tables, and the schema's definitions that they show."""


def topology_page(text: str) -> str:
    """Return the page with its generated parts renewed."""
    return renew(text, PARTS)


def keys_table() -> str:
    """Return one table for each kind of mapping in a description, from the schema."""
    schema = topology_schema()
    tables = []
    for heading, definition in KINDS.items():
        part = schema["$defs"][definition] if definition else schema
        entries = {
            key: {**schema["$defs"].get(entry.get("$ref", "").rpartition("/")[2], {}), **entry}
            for key, entry in part["properties"].items()
        }
        rows = [
            f"| `{key}` | {_need(part, key, entry)} | {_about(entry)} | {_example(entry)} |"
            for key, entry in entries.items()
        ]
        tables.append(
            "\n".join(
                [
                    f"Of {heading}:",
                    "",
                    "| key | needed | what it says | example |",
                    "| --- | --- | --- | --- |",
                    *rows,
                    "",
                ]
            )
        )
    return "\n".join(tables)


def permits_table() -> str:
    """Return the words that flows may permit, by service."""
    rows = [
        f"| `{service}` | {', '.join(f'`{word}`' for word in kind.words) or kind.form} | {kind.standard} |"
        for service, kind in vocabularies(load_catalog()).items()
    ]
    return "\n".join(["| service | permits | standard |", "| --- | --- | --- |", *rows, ""])


def functions_table() -> str:
    """Return what a host may be in the hospital's work, from the roles that bring it."""
    rows = [
        f"| `{function}` | {entry.meaning} | {role} | {'one' if entry.single else 'any number'} |"
        for role, meta in load_catalog().items()
        for function, entry in meta.functions.items()
    ]
    return "\n".join(
        ["| function | what the host does | role | hosts of a site |", "| --- | --- | --- | --- |", *rows, ""]
    )


def rules_table() -> str:
    """Return what must hold between the parts of a site, from the rules' own words."""
    rows = [f"| {rule.__name__.replace('_', ' ')} | {_first_line(rule)} |" for rule in RULES]
    return "\n".join(["| rule | why |", "| --- | --- |", *rows, ""])


PARTS: dict[str, Callable[[], str]] = {
    "keys": keys_table,
    "functions": functions_table,
    "permits": permits_table,
    "rules": rules_table,
}


def _need(part: dict[str, Any], key: str, entry: dict[str, Any]) -> str:
    if key in part.get("required", ()):
        return "yes"
    default = entry.get("default")
    return "no" if default is None else f"no: `{json.dumps(default)}`"


def _about(entry: dict[str, Any]) -> str:
    kinds: list[dict[str, Any]] = [entry, *entry.get("anyOf", [])]
    words = [word for kind in kinds for word in kind.get("enum", [])]
    choices = f" One of {', '.join(f'`{word}`' for word in words)}." if words else ""
    return f"{entry['description']}{choices}"


def _example(entry: dict[str, Any]) -> str:
    return f"`{_flow_style(entry['examples'][0])}`" if entry.get("examples") else ""


def _flow_style(value: Any) -> str:
    """Write a value as it stands in a description."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow_style(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow_style, value)) + "]"
    return value if isinstance(value, str) else json.dumps(value)


def _first_line(rule: Callable[..., Any]) -> str:
    return (inspect.getdoc(rule) or "").splitlines()[0].replace("``", "`")
