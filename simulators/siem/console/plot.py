"""Plots as shapes with places: counts over time as bars, events of a study as points on a line for each system."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simulators.siem.console.queries.events import Event

WIDTH, HEIGHT = 960, 220
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 12, 28
"""Room for the axes, in pixels of the picture."""
TICKS = 6
LANE, NAMES = 26, 140
DOT = 5


@dataclass(frozen=True)
class Bar:
    """A bar, or a part of one: where it stands, of which series, and what it says."""

    x: float
    y: float
    width: float
    height: float
    series: str
    says: str


@dataclass(frozen=True)
class Tick:
    """A mark at an axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Bars:
    """Bars over time, with their axes."""

    bars: list[Bar]
    across: list[Tick]
    up: list[Tick]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    foot: int = HEIGHT - BOTTOM


@dataclass(frozen=True)
class Point:
    """An event on its system's line."""

    x: float
    y: float
    outcome: str
    says: str
    position: int


@dataclass(frozen=True)
class Lanes:
    """A line for each system, with its events as points."""

    lanes: list[Tick]
    points: list[Point]
    across: list[Tick]
    width: int = WIDTH
    height: int = 0
    left: int = NAMES


def bars(parts: Sequence[datetime], series: Mapping[str, Sequence[int]]) -> Bars:
    """Return a bar for each part of a time, with the series on top of each other, the first below."""
    totals = [sum(values[place] for values in series.values()) for place in range(len(parts))]
    top = _round_up(max(totals, default=0))
    room, high = (WIDTH - LEFT - RIGHT) / max(1, len(parts)), HEIGHT - TOP - BOTTOM
    found = []
    for place, begin in enumerate(parts):
        foot = float(HEIGHT - BOTTOM)
        for name, values in series.items():
            if not values[place]:
                continue
            height = max(1.0, values[place] / top * high)
            foot = foot - height
            says = f"{_time(begin, parts)}: {values[place]} {name}"
            found.append(Bar(_p(LEFT + place * room), _p(foot), _p(max(1.0, room - 1)), _p(height), name, says))
    step = max(1, math.ceil(len(parts) / TICKS))
    across = [Tick(_p(LEFT + place * room), _time(parts[place], parts)) for place in range(0, len(parts), step)]
    up = [Tick(_p(HEIGHT - BOTTOM - share * high), f"{top * share:,.0f}") for share in (0, 0.5, 1)]
    return Bars(found, across, up)


def lanes(events: Sequence[Event]) -> Lanes:
    """Return the events of a study, each on the line of the system that told it, by when it happened."""
    hosts = list(dict.fromkeys(event.host for event in events))
    times = [_seconds(event) for event in events]
    begin, end = min(times, default=0.0), max(times, default=0.0)
    length, room = max(1.0, end - begin), WIDTH - NAMES - RIGHT - 2 * DOT
    points = [
        Point(
            _p(NAMES + DOT + (at - begin) / length * room), TOP + hosts.index(event.host) * LANE + LANE / 2,
            event.get("event.outcome") or "unknown",
            " ".join(filter(None, (event.time[:19], event.host, event.get("user.name"), event.get("event.action")))),
            event.place.position,
        )
        for event, at in zip(events, times, strict=True)
    ]  # fmt: skip
    foot = TOP + len(hosts) * LANE
    marks = [datetime.fromtimestamp(begin + share * length, UTC) for share in (0, 0.5, 1)] if events else []
    across = [Tick(_p(NAMES + DOT + place / 2 * room), _time(mark, marks)) for place, mark in enumerate(marks)]
    rows = [Tick(TOP + place * LANE + LANE / 2, host) for place, host in enumerate(hosts)]
    return Lanes(rows, points, across, height=foot + BOTTOM)


def _seconds(event: Event) -> float:
    try:
        return datetime.fromisoformat(event.time).timestamp()
    except (ValueError, OverflowError):
        return event.place.received.timestamp()


def _time(when: datetime, among: Sequence[datetime]) -> str:
    """A time, as exact as it takes among others."""
    days = (among[-1] - among[0]).total_seconds() / 86_400 if among else 0
    return when.strftime("%m-%d" if days > 60 else "%m-%d %H:%M" if days > 1 else "%H:%M")  # noqa: PLR2004 - days


def _round_up(value: int) -> int:
    """The next number of one digit and zeros, even and at least 2."""
    if value <= 2:  # noqa: PLR2004 - as said
        return 2
    size: int = 10 ** int(math.log10(value))
    return next(step * size for step in (1, 2, 4, 6, 8, 10) if step * size >= value)


def _p(value: float) -> float:
    return round(value, 1)
