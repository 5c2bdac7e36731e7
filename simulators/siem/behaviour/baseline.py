"""The arithmetic: how much is unusual by median and median deviation, and what is new by days."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from simulators.siem.behaviour.measures import FACTOR, FORGET_DAYS, LEAST_DAYS, LEAST_HOURS, MOST_HOURS

MOST_VALUES = 2000
"""Different values that are counted of an hour, and places that are known of somebody; beyond, none is added."""


@dataclass
class Hours:
    """How much somebody did in each of the hours in which there was something."""

    current: int = 0
    """The hour, counted from 1970."""
    count: int = 0
    values: set[str] = field(default_factory=set)
    before: list[int] = field(default_factory=list)
    """Amounts of earlier hours, the latest at the end."""
    told: bool = False
    """An alert of this hour was raised."""
    usual: Usual | None = None
    """What is usual in this hour; worked out once, when there is enough to ask for it."""

    def add(self, hour: int, value: str | None) -> int:
        """Count something of an hour; return the hour's amount, 0 where the hour is over already."""
        if hour < self.current:
            return 0
        if hour > self.current:
            if self.count:
                self.before = [*self.before, self.count][-MOST_HOURS:]
            self.current, self.count, self.values, self.told, self.usual = hour, 0, set(), False, None
        if value is None:
            self.count += 1
        elif value not in self.values and len(self.values) < MOST_VALUES:
            self.values.add(value)
            self.count += 1
        return self.count

    def as_json(self) -> list[Any]:
        """Return it for a snapshot."""
        return [self.current, self.count, sorted(self.values), self.before, self.told]

    @classmethod
    def of(cls, kept: list[Any]) -> Hours:
        """Read it of a snapshot."""
        current, count, values, before, told = kept
        return cls(int(current), int(count), set(values), [int(amount) for amount in before], bool(told))


@dataclass(frozen=True)
class Usual:
    """What is usual of an amount: shown with an alert."""

    hours: int
    median: float
    deviation: float
    limit: float


def usual(before: list[int], least: int) -> Usual | None:
    """Return what is usual after these amounts, None while too few are known.

    The median of the amounts; their deviation is the median of their distances from it, and 1 at least. What is above
    the median by more than 6 deviations is unusual, unless it is below `least`.

    >>> usual([4, 5, 6, 5, 7] * 4, 10)
    Usual(hours=20, median=5.0, deviation=1.0, limit=11.0)
    """
    if len(before) < LEAST_HOURS:
        return None
    middle = float(median(before))
    deviation = max(1.0, float(median(abs(amount - middle) for amount in before)))
    return Usual(len(before), middle, deviation, max(float(least), middle + FACTOR * deviation))


@dataclass
class Days:
    """On how many days somebody was there, and when last in each place."""

    last: int = 0
    """The latest day, counted from 1970."""
    count: int = 0
    places: OrderedDict[str, list[int]] = field(default_factory=OrderedDict)
    """By place: the latest day, and how many there were."""

    def is_new(self, day: int, place: str, near: tuple[str, ...] = ()) -> bool:
        """Whether a place is one where somebody never was, or not for long; it is known from then on.

        Args:
            day: counted from 1970.
            place: where.
            near: places that make it usual as well.
        """
        if day > self.last:
            self.last = day
            self.count += 1
        known = any(self._is_known(day, one) for one in (place, *near))
        entry = self.places.get(place)
        if entry is None:
            if len(self.places) >= MOST_VALUES:
                self.places.popitem(last=False)
            self.places[place] = [day, 1]
        elif day > entry[0]:
            entry[0] = day
            entry[1] += 1
            self.places.move_to_end(place)
        return not known and self.count > LEAST_DAYS

    def _is_known(self, day: int, place: str) -> bool:
        entry = self.places.get(place)
        return entry is not None and day - entry[0] <= FORGET_DAYS

    def as_json(self) -> list[Any]:
        """Return it for a snapshot."""
        return [self.last, self.count, [[place, *entry] for place, entry in self.places.items()]]

    @classmethod
    def of(cls, kept: list[Any]) -> Days:
        """Read it of a snapshot."""
        last, count, places = kept
        return cls(
            int(last), int(count), OrderedDict((str(place), [int(day), int(days)]) for place, day, days in places)
        )
