"""What a correlation remembers: of each group of same values the matches of its timespan, and no more than it needs.

However many events come, and from however many callers, it stays within bounds: a group keeps as many matches as raise
an alert, and of the groups those that were seen last.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simulators.siem.sigma.model import Counting

if TYPE_CHECKING:
    from simulators.siem.fields import Fields
    from simulators.siem.sigma.model import Correlation

MOST_GROUPS = 10_000
"""Groups of one correlation; the one that was seen least lately makes room."""
QUIET = 60.0
"""Seconds at most that a group raises no other alert after one."""

Key = tuple[str, ...]


@dataclass
class Group:
    """Matches of a group: by number, by counted value, or by rule, each with time and event."""

    entries: OrderedDict[str, tuple[float, int]] = field(default_factory=OrderedDict)
    newest: float = 0.0
    quiet_until: float = 0.0
    count: int = 0


@dataclass(frozen=True)
class Found:
    """A correlation holds: for which group, shown by which events."""

    key: Key
    events: tuple[int, ...]
    labels: tuple[str, ...]


class Groups:
    """The groups of one correlation."""

    def __init__(self, correlation: Correlation) -> None:
        """Begin with none."""
        self.correlation = correlation
        self._groups: OrderedDict[Key, Group] = OrderedDict()

    def __len__(self) -> int:
        """How many there are."""
        return len(self._groups)

    def forget(self) -> None:
        """Begin with none again."""
        self._groups.clear()

    def add(self, rule: str, event: int, time: float, fields: Fields) -> Found | None:
        """Note that an event matched one of the rules; return what now holds.

        Args:
            rule: its id.
            event: the event's number.
            time: seconds since 1970.
            fields: the event; without a value for each field of ``group-by`` it counts nowhere.
        """
        key, label = self._key(rule, fields), self._label(rule, fields)
        if key is None or label is None:
            return None
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group()
            if len(self._groups) > MOST_GROUPS:
                self._groups.popitem(last=False)
        self._groups.move_to_end(key)
        if time < group.quiet_until:
            return None
        group.count += 1
        return self._count(key, group, label or str(group.count), (time, event))

    def _key(self, rule: str, fields: Fields) -> Key | None:
        values = []
        for name in self.correlation.group_by:
            value = fields.get(self.correlation.aliases.get(name, {}).get(rule, name))
            if value is None:
                return None
            values.append(str(value).lower())
        return tuple(values)

    def _label(self, rule: str, fields: Fields) -> str | None:
        """What a match counts as; empty where each counts by itself, None where it does not count."""
        match self.correlation.counting:
            case Counting.EVENTS:
                return ""
            case Counting.VALUES:
                value = fields.get(self.correlation.counted)
                return None if value is None else str(value)
            case _:
                return rule

    def _count(self, key: Key, group: Group, label: str, entry: tuple[float, int]) -> Found | None:
        entries, least, seconds = group.entries, self.correlation.least, self.correlation.seconds
        entries.pop(label, None)
        entries[label] = entry
        newest = group.newest = max(entry[0], group.newest)
        while entries and next(iter(entries.values()))[0] < newest - seconds:
            entries.popitem(last=False)
        if len(entries) < least:
            return None
        kept = {name: at for name, at in entries.items() if at[0] >= newest - seconds}
        if len(kept) < least or not self._in_order(kept):
            if len(entries) > least:
                entries.popitem(last=False)
            return None
        entries.clear()
        group.quiet_until = entry[0] + min(seconds, QUIET)
        return Found(key, tuple(at[1] for at in kept.values()), tuple(kept))

    def _in_order(self, kept: dict[str, tuple[float, int]]) -> bool:
        if self.correlation.counting is not Counting.ORDERED:
            return True
        times = [kept[rule][0] for rule in self.correlation.rules]
        return times == sorted(times)

    def snapshot(self) -> dict[str, Any]:
        """Return the groups as JSON has them."""
        groups = [
            [list(key), [[label, *at] for label, at in group.entries.items()], group.quiet_until, group.count]
            for key, group in self._groups.items()
        ]
        return {"rule": fingerprint(self.correlation), "groups": groups}

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Take the groups of a snapshot; of a correlation that has changed since they mean nothing."""
        if snapshot.get("rule") != fingerprint(self.correlation):
            return
        for key, entries, quiet_until, count in snapshot["groups"]:
            kept = OrderedDict((str(label), (float(time), int(event))) for label, time, event in entries)
            newest = max((at[0] for at in kept.values()), default=0.0)
            self._groups[tuple(key)] = Group(kept, newest, float(quiet_until), int(count))


def fingerprint(correlation: Correlation) -> str:
    """Return what tells whether a correlation is the same as before."""
    parts = (
        correlation.counting, correlation.rules, correlation.group_by, correlation.seconds, correlation.least,
        correlation.counted, sorted((name, sorted(by.items())) for name, by in correlation.aliases.items()),
    )  # fmt: skip
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
