"""The selections of a rule: fields with modifiers and values become comparisons."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any

from simulators.siem.fields import FIELDS, Kind
from simulators.siem.sigma.model import AllOf, Comparison, Not, OneOf, Op

if TYPE_CHECKING:
    from simulators.siem.sigma.model import Node

_TEXTS = {"contains": Op.CONTAINS, "startswith": Op.STARTS, "endswith": Op.ENDS}
_NUMBERS = {"gt": Op.GT, "gte": Op.GTE, "lt": Op.LT, "lte": Op.LTE}
_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
_KNOWN = {*_TEXTS, *_NUMBERS, *_FLAGS, "re", "cidr", "all", "exists", "cased", "fieldref"}


class SelectionError(ValueError):
    """A selection asks for what is not understood."""


def selection(given: Any) -> Node:
    """Return what a selection says: a map of which everything holds, or a list of maps of which one does.

    Raises:
        SelectionError: it is neither, or has a field or a modifier that is not known.
    """
    if isinstance(given, dict) and given:
        parts = tuple(_item(str(key), value) for key, value in given.items())
        return parts[0] if len(parts) == 1 else AllOf(parts)
    if isinstance(given, list) and given and all(isinstance(part, dict) for part in given):
        parts = tuple(selection(part) for part in given)
        return parts[0] if len(parts) == 1 else OneOf(parts)
    raise SelectionError("a selection is a map of fields, or a list of such maps")


def _item(key: str, given: Any) -> Node:
    name, *modifiers = key.split("|")
    if name not in FIELDS:
        raise SelectionError(f"there is no field {name!r} (docs/event-schema.md)")
    if unknown := set(modifiers) - _KNOWN:
        raise SelectionError(f"modifier {min(unknown)!r} of {name} is not understood")
    values = given if isinstance(given, list) else [given]
    if not values:
        raise SelectionError(f"{name} has no value")
    parts = tuple(_test(name, modifiers, value) for value in values)
    if len(parts) == 1:
        return parts[0]
    return AllOf(parts) if "all" in modifiers else OneOf(parts)


def _test(name: str, modifiers: list[str], value: Any) -> Node:
    words = set(modifiers)
    if value is None or "exists" in words:
        there = Comparison(name, Op.EXISTS, value=True)
        return there if value is True else Not(there)
    if "fieldref" in words:
        if value not in FIELDS:
            raise SelectionError(f"there is no field {value!r}")
        return Comparison(name, Op.SAME, value)
    if "re" in words:
        return Comparison(name, Op.MATCHES, _pattern(str(value), words))
    if "cidr" in words:
        return Comparison(name, Op.CIDR, ipaddress.ip_network(str(value)))
    number = words & set(_NUMBERS)
    return _number(name, _NUMBERS[number.pop()], value) if number else _text(name, words, value)


def _pattern(text: str, words: set[str]) -> re.Pattern[str]:
    flags = 0
    for word, flag in _FLAGS.items():
        flags |= flag if word in words else 0
    try:
        return re.compile(text, flags)
    except re.error as error:
        raise SelectionError(f"{text!r} is no regular expression: {error}") from error


def _number(name: str, op: Op, value: Any) -> Comparison:
    if FIELDS[name].kind not in {Kind.LONG, Kind.FLOAT} or isinstance(value, bool | str):
        raise SelectionError(f"{name} is no number, or {value!r} is none")
    return Comparison(name, op, value)


def _text(name: str, words: set[str], value: Any) -> Node:
    kind = FIELDS[name].kind
    if kind in {Kind.LONG, Kind.FLOAT, Kind.BOOLEAN}:
        if isinstance(value, str) or words:
            raise SelectionError(f"{name} is compared with a value of another type: {value!r}")
        return Comparison(name, Op.EQUALS, value)
    text = str(value)
    op = next((_TEXTS[word] for word in words if word in _TEXTS), None)
    pattern, wild = _unescaped(text)
    if "cased" in words:
        if wild or op is not None:
            raise SelectionError(f"{name}: 'cased' goes with whole texts alone")
        return Comparison(name, Op.CASED, pattern)
    if wild:
        body = _regular(text)
        head, tail = "" if op in {None, Op.STARTS} else ".*", "" if op in {None, Op.ENDS} else ".*"
        return Comparison(name, Op.LIKE, re.compile(f"{head}{body}{tail}", re.IGNORECASE | re.DOTALL))
    return Comparison(name, op or Op.EQUALS, pattern.lower())


_ESCAPED = re.compile(r"\\([*?\\])")
_PARTS = re.compile(r"\\[*?\\]|[*?]|[^*?\\]+|\\")


def _unescaped(text: str) -> tuple[str, bool]:
    """A text without its escapes, and whether it has wildcards."""
    wild = any(part in {"*", "?"} for part in _PARTS.findall(text))
    return _ESCAPED.sub(r"\1", text), wild


def _regular(text: str) -> str:
    """A text with wildcards as a regular expression."""
    parts = {"*": ".*", "?": "."}
    return "".join(parts.get(part) or re.escape(_ESCAPED.sub(r"\1", part)) for part in _PARTS.findall(text))
