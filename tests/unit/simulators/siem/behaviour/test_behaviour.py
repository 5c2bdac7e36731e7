"""Who does the usual raises no alert; more, elsewhere or at another hour raises one, which shows the baseline."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from simulators.siem.behaviour.baseline import Days, Hours, Usual, usual
from simulators.siem.behaviour.detector import MOST, Behaviour
from simulators.siem.behaviour.measures import FORGET_DAYS, LEAST_DAYS, LEAST_HOURS
from simulators.siem.site import Site

if TYPE_CHECKING:
    from simulators.siem.judge.alert import Alert

MONDAY = 1767571200.0
"""2026-01-05T00:00:00Z."""
DAY, HOUR = 86_400, 3600
SITE = Site.of({"stations": {"CT1": "Radiology", "ECHO1": "Cardiology"}})


def viewed(study: str, **more: Any) -> dict[str, Any]:
    return {
        "event.dataset": "pacslab.event", "event.action": "person-views", "event.outcome": "success",
        "user.name": "a.rivera", "dicom.study_uid": study, "source.domain": "ws-rad1", **more,
    }  # fmt: skip


def told(behaviour: Behaviour, when: float, fields: dict[str, Any]) -> list[Alert]:
    return list(behaviour.judge(1, fields, when))


def working(behaviour: Behaviour, days: int, per_hour: int = 5) -> list[Alert]:
    """Weeks of a person who opens some studies in the mornings of working days."""
    alerts, day, done = [], 0, 0
    while done < days:
        if day % 7 < 5:
            done += 1
            for hour in (8, 9, 10):
                for number in range(per_hour + (day + hour) % 3):
                    when = MONDAY + day * DAY + hour * HOUR + number * 60
                    alerts += told(behaviour, when, viewed(f"1.{day}.{hour}.{number}"))
        day += 1
    return alerts


NEXT = MONDAY + 28 * DAY
"""A Monday after four weeks."""


def test_the_usual_raises_no_alert() -> None:
    assert working(Behaviour(SITE), 40) == []


def test_more_than_usual_shows_the_baseline_once_an_hour() -> None:
    behaviour = Behaviour(SITE)
    working(behaviour, 20)
    alerts = [one for number in range(60) for one in told(behaviour, NEXT + 9 * HOUR + number, viewed(f"2.{number}"))]
    (alert,) = alerts
    assert alert.file == "behaviour-amount"
    assert alert.subject == (("user.name", "a.rivera"), ("measure", "studies"))
    assert alert.facts["count"] == 16
    assert alert.facts["baseline"] == {"hours": 60, "median": 6.0, "deviation": 1.0, "limit": 15.0}
    assert alert.facts["said"] == (
        "different studies that a person opens: 16 within an hour, where at most 15 are usual"
    )
    later = [one for number in range(60) for one in told(behaviour, NEXT + 10 * HOUR + number, viewed(f"3.{number}"))]
    assert len(later) == 1


def test_nobody_is_unusual_before_enough_is_known() -> None:
    behaviour = Behaviour(SITE)
    alerts = [
        one for number in range(500) for one in told(behaviour, MONDAY + 9 * HOUR + number, viewed(f"2.{number}"))
    ]
    assert alerts == []


def test_what_is_told_twice_counts_once() -> None:
    behaviour = Behaviour(SITE)
    working(behaviour, 20)
    alerts = []
    for number in range(15):
        for dataset in ("pacslab.event", "dicom.audit"):
            event = {**viewed(f"2.{number}"), "event.dataset": dataset}
            alerts += told(behaviour, NEXT + 9 * HOUR + number, event)
    assert alerts == []


def test_another_workstation_is_told_once() -> None:
    behaviour = Behaviour(SITE)
    working(behaviour, 20)
    (alert,) = told(behaviour, NEXT + 9 * HOUR, viewed("2.1", **{"source.domain": "ws-tech1"}))
    assert alert.file == "behaviour-place"
    assert alert.facts["baseline"] == {"days": 20, "usual": ["ws-rad1"]}
    assert told(behaviour, NEXT + 9 * HOUR + 5, viewed("2.2", **{"source.domain": "ws-tech1"})) == []


def test_another_department_is_told() -> None:
    behaviour = Behaviour(SITE)
    schedule = {"event.action": "schedule", "event.outcome": "success", "dicom.station_ae": "CT1"}
    for day in range(20):
        told(behaviour, MONDAY + day * DAY, {**schedule, "dicom.study_uid": f"1.{day}"})
        assert told(behaviour, MONDAY + day * DAY + 9 * HOUR, viewed(f"1.{day}")) == []
    told(behaviour, NEXT, {**schedule, "dicom.study_uid": "9", "dicom.station_ae": "ECHO1"})
    (alert,) = told(behaviour, NEXT + 9 * HOUR, viewed("9"))
    assert dict(alert.subject)["measure"] == "department"
    assert (alert.facts["value"], alert.facts["baseline"]["usual"]) == ("Cardiology", ["Radiology"])


@pytest.mark.parametrize(
    ("when", "unusual"),
    [
        (NEXT + 9 * HOUR, False),
        (NEXT + 7 * HOUR, False),
        (NEXT + 11 * HOUR, False),
        (NEXT + 3 * HOUR, True),
        (NEXT + 13 * HOUR, True),
        (NEXT + 5 * DAY + 9 * HOUR, True),
    ],
)
def test_hours_next_to_the_usual_are_usual_and_week_ends_are_apart(when: float, unusual: object) -> None:
    behaviour = Behaviour(SITE)
    working(behaviour, 20)
    alerts = told(behaviour, when, viewed("2.1"))
    assert ([alert.file for alert in alerts] == ["behaviour-hour"]) is unusual


def test_a_device_that_calls_somewhere_new_is_told() -> None:
    behaviour = Behaviour(SITE)
    called = {"event.action": "associate", "event.outcome": "success", "dicom.calling_ae": "CT1"}
    for day in range(LEAST_DAYS + 1):
        assert told(behaviour, MONDAY + day * DAY, {**called, "destination.domain": "pacs-rad"}) == []
    (alert,) = told(behaviour, NEXT, {**called, "destination.domain": "vna1"})
    assert alert.subject == (("dicom.calling_ae", "CT1"), ("measure", "peer"))


def test_what_was_refused_and_what_programs_do_is_no_habit() -> None:
    behaviour = Behaviour(SITE)
    working(behaviour, 20)
    elsewhere = {"source.domain": "ws-tech1"}
    assert told(behaviour, NEXT + 9 * HOUR, viewed("2.1", **elsewhere, **{"event.outcome": "failure"})) == []
    for day in range(30):
        assert (
            told(behaviour, MONDAY + day * DAY, viewed("1", **{"user.name": "root", "source.domain": f"h{day}"})) == []
        )


def test_a_restart_forgets_nothing() -> None:
    behaviour, other = Behaviour(SITE), Behaviour(SITE)
    working(behaviour, 20)
    other.restore(json.loads(json.dumps(behaviour.snapshot())))
    event = viewed("2.1", **{"source.domain": "ws-tech1"})
    assert told(other, NEXT + 3 * HOUR, event) == told(behaviour, NEXT + 3 * HOUR, event) != []
    assert other.snapshot() == behaviour.snapshot()


def test_a_flood_of_names_does_not_fill_the_memory() -> None:
    behaviour = Behaviour(SITE)
    for number in range(MOST + 100):
        told(behaviour, MONDAY, viewed("1", **{"user.name": f"u{number}"}))
    kept = behaviour.snapshot()
    assert len(kept["amounts"]) == MOST
    assert len(kept["days"]) == MOST


def test_the_limit_is_the_median_and_six_deviations() -> None:
    assert usual([1] * (LEAST_HOURS - 1), 0) is None
    assert usual([10] * LEAST_HOURS, 0) == Usual(LEAST_HOURS, 10, 1, 16)
    assert usual([10] * LEAST_HOURS, 50) == Usual(LEAST_HOURS, 10, 1, 50)
    assert usual([0, 10, 20, 30, 1000] * 4, 0) == Usual(20, 20, 10, 80)


def test_an_hour_that_is_over_counts_no_more() -> None:
    hours = Hours()
    assert [hours.add(5, None), hours.add(5, None), hours.add(6, "a"), hours.add(6, "a"), hours.add(5, None)] == [
        1,
        2,
        1,
        1,
        0,
    ]
    assert hours.before == [2]


def test_a_place_that_was_not_seen_for_long_is_new_again() -> None:
    days = Days()
    for day in range(LEAST_DAYS + 1):
        assert not days.is_new(day, "a")
    assert days.is_new(LEAST_DAYS + 1, "b")
    assert not days.is_new(LEAST_DAYS + FORGET_DAYS, "b")
    assert days.is_new(LEAST_DAYS + 2 * FORGET_DAYS + 1, "b")
