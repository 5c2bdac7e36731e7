"""Takes events into the baselines of those whom they are about, and raises alerts of what falls out of them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from simulators.siem.behaviour.baseline import Days, Hours, usual
from simulators.siem.behaviour.measures import AMOUNTS, DEPARTMENT, HOUR, LEAST_HOURS, PERSON, PLACES
from simulators.siem.judge.alert import Alert
from simulators.siem.sigma.model import Level
from simulators.siem.site import BY_PEOPLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from simulators.siem.behaviour.measures import Amount, Place
    from simulators.siem.fields import Fields
    from simulators.siem.site import Site

T = TypeVar("T")

ALERTS = Path(__file__).parent / "alerts.yml"
"""What an alert carries, by its kind."""

MOST = 5_000
"""People and AE titles of a measure; the one that was seen least lately makes room."""
MOST_TODAY = 20_000
MOST_STUDIES = 50_000
"""Studies whose department is known."""
SECONDS_OF_HOUR, SECONDS_OF_DAY = 3600, 86_400
SATURDAY = 5
SERVICES = frozenset({"root", "svc-sso"})
"""Accounts of programs: they have no habits of people."""


@dataclass(frozen=True)
class _Event:
    number: int
    fields: Fields
    now: float


class Behaviour:
    """Baselines of everybody, each made of the events about them."""

    name = "behaviour"

    def __init__(self, site: Site) -> None:
        """Begin without knowing anybody."""
        self._site = site
        zone = site.hours.timezone
        self._zone = UTC if zone == "UTC" else ZoneInfo(zone)
        self._amounts: OrderedDict[str, Hours] = OrderedDict()
        self._days: OrderedDict[str, Days] = OrderedDict()
        self._departments: OrderedDict[str, str] = OrderedDict()
        self._today: dict[tuple[str, object, str], int] = {}
        """The day on which somebody was last looked at in a place: once a day is enough."""
        self._names: dict[int, tuple[str, ...]] = {}
        self._amounts_of = {action: [one for one in AMOUNTS if action in one.actions] for action in _actions(AMOUNTS)}
        self._places_of = {action: [one for one in PLACES if action in one.actions] for action in _actions(PLACES)}

    def judge(self, event: int, fields: Fields, now: float) -> Iterator[Alert]:
        """Take an event; yield alerts of what is not usual."""
        action = str(fields.get("event.action"))
        if action == "schedule":
            self._note_department(fields)
        if fields.get("event.outcome") != "success":
            return
        told = _Event(event, fields, now)
        for amount in self._amounts_of.get(action, ()):
            yield from self._amount(amount, told)
        for place in self._places_of.get(action, ()):
            value = next((str(found) for name in place.fields if (found := self._value(name, fields))), "")
            if value:
                yield from self._place(place, value, (), told)
        if action in BY_PEOPLE:
            yield from self._hour(told)

    def tick(self, now: float) -> Iterable[Alert]:
        """Yield nothing: what does not happen is nothing unusual here."""
        del now
        return ()

    def _value(self, name: str, fields: Fields) -> object:
        return self._departments.get(str(fields.get("dicom.study_uid"))) if name == DEPARTMENT else fields.get(name)

    def _note_department(self, fields: Fields) -> None:
        """A study is of the department that owns the station at which it was scheduled."""
        department = self._site.stations.get(str(fields.get("dicom.station_ae")))
        if department and "dicom.study_uid" in fields:
            self._departments[str(fields["dicom.study_uid"])] = department
            if len(self._departments) > MOST_STUDIES:
                self._departments.popitem(last=False)

    def _amount(self, measure: Amount, told: _Event) -> Iterator[Alert]:
        fields = told.fields
        who, value = fields.get(measure.who), fields.get(measure.counted) if measure.counted else None
        if who is None or who in SERVICES or (measure.counted and value is None):
            return
        # programs of ours tell most things twice, as an event and as a message: each kind is counted by itself
        key = f"{measure.name}|{fields.get('event.dataset')}|{who}"
        hours = _entry(self._amounts, key, Hours)
        count = hours.add(int(told.now // SECONDS_OF_HOUR), None if value is None else str(value))
        if count <= measure.least or hours.told or len(hours.before) < LEAST_HOURS:
            return
        known = hours.usual = hours.usual or usual(hours.before, measure.least)
        if known is not None and count > known.limit:
            hours.told = True
            said = f"{measure.means}: {count} within an hour, where at most {known.limit:g} are usual"
            facts = {"count": count, "baseline": asdict(known), "measure": measure.name, "said": said}
            yield _alert("behaviour-amount", (measure.who, str(who)), told, facts)

    def _place(self, measure: Place, value: str, near: tuple[str, ...], told: _Event) -> Iterator[Alert]:
        who = told.fields.get(measure.who)
        if who is None or who in SERVICES:
            return
        day = int(told.now // SECONDS_OF_DAY)
        if self._today.get((measure.name, who, value)) == day:
            return
        if len(self._today) > MOST_TODAY:
            self._today.clear()
        self._today[measure.name, who, value] = day
        days = _entry(self._days, f"{measure.name}|{who}", Days)
        before = [place for place in days.places if place != value][-10:]
        if days.is_new(day, value, near):
            said = f"{measure.means}: {value}, where it never was before"
            baseline = {"days": days.count - 1, "usual": before}
            facts = {"value": value, "baseline": baseline, "measure": measure.name, "said": said}
            kind = "behaviour-hour" if measure is HOUR else "behaviour-place"
            yield _alert(kind, (measure.who, str(who)), told, facts)

    def _hour(self, told: _Event) -> Iterator[Alert]:
        if PERSON in told.fields:
            hour, *near = self._hours(int(told.now // SECONDS_OF_HOUR))
            yield from self._place(HOUR, hour, tuple(near), told)

    def _hours(self, number: int) -> tuple[str, ...]:
        """The name of an hour that is counted from 1970, and of those before and after it."""
        known = self._names.get(number)
        if known is None:
            when = datetime.fromtimestamp(number * SECONDS_OF_HOUR, tz=self._zone)
            kind = "week-end" if when.weekday() >= SATURDAY else "week"
            known = tuple(f"{kind} {(when.hour + offset) % 24:02}" for offset in (0, -1, 1))
            self._names = {number: known}
        return known

    def snapshot(self) -> Any:
        """Return the baselines as JSON has them."""
        return {
            "amounts": {key: hours.as_json() for key, hours in self._amounts.items()},
            "days": {key: days.as_json() for key, days in self._days.items()},
            "departments": list(self._departments.items()),
        }

    def restore(self, snapshot: Any) -> None:
        """Take the baselines of a snapshot."""
        self._amounts = OrderedDict((key, Hours.of(kept)) for key, kept in snapshot["amounts"].items())
        self._days = OrderedDict((key, Days.of(kept)) for key, kept in snapshot["days"].items())
        self._departments = OrderedDict((study, department) for study, department in snapshot["departments"])


def _actions(measures: Iterable[Amount | Place]) -> set[str]:
    return {action for measure in measures for action in measure.actions}


def _entry(known: OrderedDict[str, T], key: str, new: type[T]) -> T:
    entry = known.get(key)
    if entry is None:
        entry = known[key] = new()
        if len(known) > MOST:
            known.popitem(last=False)
    known.move_to_end(key)
    return entry


@cache
def _kinds() -> dict[str, dict[str, Any]]:
    import yaml  # noqa: PLC0415 - a host without it stores what comes all the same, and says that nothing is judged

    read: dict[str, dict[str, Any]] = yaml.safe_load(ALERTS.read_text("utf-8"))
    return read


def _alert(kind: str, who: tuple[str, str], told: _Event, facts: dict[str, Any]) -> Alert:
    about = _kinds()[kind]
    return Alert(
        rule=str(uuid5(NAMESPACE_URL, f"urn:pacslab:{kind}")),
        file=kind,
        title=about["title"],
        level=Level.MEDIUM,
        time=str(told.fields.get("@timestamp", "")),
        subject=(who, ("measure", str(facts["measure"]))),
        events=(told.number,),
        attack=tuple(about["attack"]),
        abuse=tuple(about["abuse"]),
        control=tuple(about["control"]),
        respond=about["respond"],
        facts=facts,
    )
