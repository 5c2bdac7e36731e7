"""What has to be on record at the log collector once an attempt was refused, found by an event's keys."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Evidence:
    """A line that a host has to have logged.

    Attributes:
        host: Whose log it is in.
        reason: The reason of a refusal, for programs that write events; empty for others.
        about: Whom or what it is about, each by all the names that it may have there (a host by name, domain name,
            address or AE title); one of each has to be a value of the event.
        words: Texts that have to stand in it, for programs that write no events.
    """

    host: str
    reason: str = ""
    about: tuple[frozenset[str], ...] = ()
    words: tuple[str, ...] = ()

    def is_met_by(self, line: Mapping[str, Any]) -> bool:
        """Whether a collected line says all that."""
        text = words_of(line)
        if not all(word in text for word in self.words):
            return False
        event = event_of(line)
        values = {str(value) for value in event.values()}
        if self.reason and (event.get("outcome"), event.get("reason")) != ("refused", self.reason):
            return False
        return all(not names.isdisjoint(values) for names in self.about)

    def __str__(self) -> str:
        """What is looked for, in words."""
        parts = [f"reason {self.reason}"] if self.reason else []
        parts += [" or ".join(sorted(names)) for names in self.about]
        return f"a line of {self.host} with {' and '.join([*parts, *self.words])}"


def event_of(line: Mapping[str, Any]) -> dict[str, Any]:
    """The event in a collected line (docs/events.md); none in a line of text."""
    data = line.get("data")
    return data if isinstance(data, dict) else {}


def words_of(line: Mapping[str, Any]) -> str:
    """What a collected line says, as one text: the program, and its message."""
    return f"{line.get('program', '')}: {line.get('message') or json.dumps(line)}"
