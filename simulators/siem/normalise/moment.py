"""Times of events: RFC 3339 in UTC with milliseconds as text, seconds since 1970 to calculate with."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulators.siem.fields import Fields


@lru_cache(256)
def seconds_of(text: str) -> float | None:
    """Return a time of RFC 3339 or XML Schema with its zone as seconds since 1970, None where it is none.

    >>> seconds_of("1970-01-01T01:00:00+01:00")
    0.0
    """
    try:
        when = datetime.fromisoformat(text)
        return when.timestamp() if when.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def text_of(seconds: float) -> str:
    """Return seconds since 1970 as text.

    >>> text_of(0.25)
    '1970-01-01T00:00:00.250Z'
    """
    return f"{datetime.fromtimestamp(seconds, tz=UTC).isoformat(timespec='milliseconds')[:-6]}Z"


_AS_IT_IS = len("1970-01-01T00:00:00.250Z")


@lru_cache(64)
def _text_of(seconds: float) -> str:
    """As :func:`text_of`; many events come within a millisecond."""
    return text_of(seconds)


def stamp(fields: Fields, stated: str, received: float) -> None:
    """Note when it happened, when it came, and how far apart that is; what states no time happened as it came."""
    seconds = seconds_of(stated)
    if seconds is None:
        seconds = received
        fields["@timestamp"] = _text_of(round(received, 3))
    elif len(stated) == _AS_IT_IS and stated[-1] == "Z" and stated[10] == "T":
        fields["@timestamp"] = stated
    else:
        fields["@timestamp"] = text_of(seconds)
    fields["event.ingested"] = _text_of(round(received, 3))
    fields["pacslab.lag"] = round(received - seconds, 3)
