"""What a line was read as, and how text of others is kept in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from simulators.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simulators.siem.fields import Fields

LONGEST = 200
"""Characters of a value, as in an event."""
NO_FIELDS: Fields = {}


class Line(NamedTuple):
    """A line as the collector keeps it (docs/logs.md)."""

    program: str
    pid: str
    message: str
    severity: str = ""
    data: Mapping[str, Any] | None = None
    """What the message says, where it is a JSON object."""


class Read(NamedTuple):
    """What a line says.

    Attributes:
        action: a word of docs/events.md, or of :data:`simulators.siem.parse.table.WORDS`.
        outcome: a word of docs/events.md.
        facts: keys of docs/events.md with their values, which the normaliser places.
        dataset: a word of :data:`simulators.siem.fields.DATASETS`.
        fields: fields of the schema that no key becomes.
    """

    action: str
    outcome: str
    facts: dict[str, Any]
    dataset: str
    fields: Fields = NO_FIELDS


if TYPE_CHECKING:
    Reader = Callable[[Line], Read | None]
    """Reads a line; ``None`` where it says nothing that is kept as more than a line."""


def cut(text: object) -> str:
    r"""Return text that came from elsewhere, cut, with control and format characters as escapes.

    >>> cut("A1\n")
    'A1\\n'
    """
    return printable(str(text)[:LONGEST])


def port(text: object) -> int | str:
    """Return a port as a number, or nothing where it is none."""
    digits = str(text)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 6 else ""  # noqa: PLR2004 - 65535


def told(**facts: Any) -> dict[str, Any]:
    """Return the facts that are known."""
    return {key: value for key, value in facts.items() if value not in ("", None)}
