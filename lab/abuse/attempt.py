"""An attempt: who takes part in it, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class PartyMissingError(Exception):
    """The site has nobody who could play a part; the text says whom it lacks."""


@dataclass(frozen=True)
class Parties:
    """The hosts that take part.

    Attributes:
        source: Who tries.
        target: Whose service is tried.
        other: Whose name or credential the source makes use of, where the case has somebody like that.
    """

    source: str
    target: str
    other: str = ""


@dataclass(frozen=True)
class Tried:
    """What came of one attempt.

    Attributes:
        refused: Whether the source was told no.
        detail: In which words.
        facts: What the attempt tells besides, such as the UID of the image that it tried to store.
    """

    refused: bool
    detail: str
    facts: Mapping[str, Any] = field(default_factory=dict)
