"""The condition of a rule: words, ``and``, ``or``, ``not``, brackets, ``1 of`` and ``all of``."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from simulators.siem.sigma.model import AllOf, Not, OneOf

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.siem.sigma.model import Node

_WORD = re.compile(r"\(|\)|[^\s()]+")


class ConditionError(ValueError):
    """A condition is none, or names a selection that is not there."""


def parse(condition: str, selections: Mapping[str, Node]) -> Node:
    """Return what a condition says.

    Raises:
        ConditionError: it is none.
    """
    reader = _Reader(_WORD.findall(condition), selections)
    node = reader.either()
    if reader.words:
        raise ConditionError(f"the condition goes on with {reader.words[0]!r}")
    return node


class _Reader:
    """Takes words from the front; ``not`` binds more than ``and``, and that more than ``or``."""

    def __init__(self, words: list[str], selections: Mapping[str, Node]) -> None:
        self.words = words
        self.selections = selections

    def _next_is(self, word: str) -> bool:
        return bool(self.words) and self.words[0].lower() == word

    def _take(self) -> str:
        if not self.words:
            raise ConditionError("the condition ends too early")
        return self.words.pop(0)

    def either(self) -> Node:
        parts = [self.both()]
        while self._next_is("or"):
            self._take()
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else OneOf(tuple(parts))

    def both(self) -> Node:
        parts = [self.single()]
        while self._next_is("and"):
            self._take()
            parts.append(self.single())
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def single(self) -> Node:
        word = self._take()
        if word.lower() == "not":
            return Not(self.single())
        if word == "(":
            node = self.either()
            if self._take() != ")":
                raise ConditionError("a bracket of the condition is not closed")
            return node
        if word.lower() in {"1", "any", "all"} and self._next_is("of"):
            self._take()
            return self._several(self._take(), every=word.lower() == "all")
        if word not in self.selections:
            raise ConditionError(f"the condition names {word!r}, which is no selection")
        return self.selections[word]

    def _several(self, pattern: str, *, every: bool) -> Node:
        everything = pattern.lower() == "them"
        parts = tuple(
            node
            for name, node in self.selections.items()
            if (not name.startswith("_") if everything else fnmatchcase(name, pattern))
        )
        if not parts:
            raise ConditionError(f"no selection is called {pattern!r}")
        return AllOf(parts) if every else OneOf(parts)
