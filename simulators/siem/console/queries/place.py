"""A place in what is sorted by time: where the next page begins (keyset pagination), as an address has it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from simulators.errors import ArgumentError

PAGE = 50
"""Rows of a page."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORM = re.compile(r"(\d{1,18})-(\d{1,18})")


@dataclass(frozen=True, order=True)
class Place:
    """A record's place: when it was received, and its position."""

    received: datetime
    position: int

    def __str__(self) -> str:
        """As it stands in an address: microseconds since 1970, and the position."""
        return f"{(self.received - _EPOCH) // timedelta(microseconds=1)}-{self.position}"

    @classmethod
    def of(cls, text: str) -> Place | None:
        """Read a place, None where the text is empty.

        Raises:
            ArgumentError: it is no place.
        """
        if not text:
            return None
        found = _FORM.fullmatch(text)
        try:
            if found is not None:
                return cls(_EPOCH + timedelta(microseconds=int(found[1])), int(found[2]))
        except OverflowError:
            pass
        raise ArgumentError("That is no place in a list.", remedy="Begin at its first page.")


@dataclass(frozen=True)
class Window:
    """The time that is looked at: received since `since`, and before `until` where it is given."""

    since: datetime
    until: datetime | None = None

    @classmethod
    def last(cls, span: timedelta) -> Window:
        """Return the time until now."""
        return cls(datetime.now(UTC) - span)

    @property
    def end(self) -> datetime:
        """Its end; now where none is given."""
        return self.until or datetime.now(UTC)
