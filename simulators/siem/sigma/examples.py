"""The examples that a rule carries: lines as hosts send them, which must raise its alert or must not.

An example is a line, or a list of lines that come one after the other. A line has ``host`` and ``program``, and what
it says: ``event`` (an event of docs/events.md), ``message`` (a daemon's own words), or ``fields`` (an event of the
repository itself). ``at`` is when it comes, in seconds from the first; ``times`` and ``every`` repeat it, and ``{n}``
in a value is then its number. ``site`` has fields that the site's description adds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.siem.normalise.lines import of_line
from simulators.siem.normalise.moment import seconds_of, stamp, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulators.siem.fields import Fields

BEGIN = 1767604364.0
"""2026-01-05T09:12:44Z, a Monday: when the first line of an example comes."""
_KEYS = {"host", "program", "event", "message", "fields", "at", "times", "every", "site"}


class ExampleError(ValueError):
    """An example has a key that is not known, or says nothing."""


def lines_of(example: Any) -> Iterator[dict[str, Any]]:
    """Yield the lines of an example as the collector keeps them (docs/logs.md), with ``fields`` and ``site`` beside.

    Raises:
        ExampleError: it cannot be read.
    """
    at = 0.0
    for given in example if isinstance(example, list) else [example]:
        if not isinstance(given, dict) or given.keys() - _KEYS or not given.keys() & {"event", "message", "fields"}:
            raise ExampleError(f"no line of an example: {given}")
        at = float(given.get("at", at))
        for number in range(int(given.get("times", 1))):
            yield _line(_numbered(given, number), BEGIN + at)
            at += float(given.get("every", 1))


def _line(given: dict[str, Any], seconds: float) -> dict[str, Any]:
    time = text_of(seconds)
    line = {
        "time": time,
        "received": time,
        "host": str(given.get("host", "")),
        "pid": "1" if given.get("program") == "systemd" else "1234",
        **given,
    }
    if "event" in given:
        line["data"] = {"time": time, **given["event"]}
    return line


def _numbered(given: Any, number: int) -> Any:
    if isinstance(given, dict):
        return {key: _numbered(value, number) for key, value in given.items()}
    if isinstance(given, list):
        return [_numbered(value, number) for value in given]
    return given.replace("{n}", str(number)) if isinstance(given, str) else given


def events_of(example: Any) -> Iterator[Fields]:
    """Yield the events that an example's lines become.

    Raises:
        ExampleError: it cannot be read.
    """
    for line in lines_of(example):
        if "fields" in line:
            fields: Fields = {}
            stamp(fields, line["time"], _received(line))
            fields |= line["fields"]
        else:
            fields = of_line(line)
        yield {**fields, **line.get("site", {})}


def _received(line: dict[str, Any]) -> float:
    return seconds_of(line["received"]) or BEGIN
