"""The judge raises each alert once, says whom it is about, and knows after a restart what it knew before."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from simulators.siem.judge.judge import MOST_SUBJECTS, QUIET, Judge, happened
from simulators.siem.normalise.lines import of_line
from simulators.siem.normalise.moment import text_of
from simulators.siem.sigma.model import Level
from simulators.siem.sigma.read import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulators.siem.fields import Fields

DETECTIONS = load()
BEGIN = 1767604364.0


def refused(at: float, person: str = "a.rivera", **facts: Any) -> Fields:
    """A sign-on that failed."""
    time = text_of(BEGIN + at)
    data = {
        "time": time,
        "action": "sign-in",
        "outcome": "refused",
        "reason": "wrong-password",
        "person": person,
        **facts,
    }
    return of_line({"time": time, "received": time, "host": "idp1", "program": "pacslab-sign-on", "data": data})


def other_title(at: float, title: str = "CT2") -> Fields:
    """An association under another's title."""
    time = text_of(BEGIN + at)
    data = {
        "time": time, "action": "associate", "outcome": "refused", "reason": "ae-mismatch", "ae_title": title,
        "peer": "10.24.41.11", "certificate": "ct1.imaging.internal", "edge": "dicom",
    }  # fmt: skip
    return of_line({"time": time, "received": time, "host": "pacs-rad", "program": "haproxy", "data": data})


def test_an_alert_says_what_happened_and_what_to_do() -> None:
    (alert,) = Judge(DETECTIONS).judge(7, other_title(0))
    assert alert.file == "dicom-title-of-another"
    assert alert.level is Level.HIGH
    assert alert.events == (7,)
    assert alert.summary == (
        "DICOM: a certificate is used with another device's AE title: source.ip 10.24.41.11, dicom.calling_ae CT2"
    )
    assert alert.abuse == ("A03",)
    assert alert.attack == ("T1036",)
    assert alert.control
    assert alert.respond
    assert json.loads(json.dumps(alert.as_dict()))["subject"]["dicom.calling_ae"] == "CT2"


def test_a_correlation_shows_every_event_that_it_counted() -> None:
    judge = Judge(DETECTIONS)
    alerts = [alert for number in range(5) for alert in judge.judge(number, refused(number))]
    (alert,) = [alert for alert in alerts if alert.file == "sign-ons-failed"]
    assert alert.events == (0, 1, 2, 3, 4)
    assert dict(alert.subject) == {"host.name": "idp1", "user.name": "a.rivera"}
    assert alert.facts["count"] == 5


def test_the_same_about_the_same_is_told_once_and_then_how_often() -> None:
    judge = Judge(DETECTIONS)
    alerts = [alert for number in range(100) for alert in judge.judge(number, other_title(number / 20))]
    assert len(alerts) == 1
    (later,) = judge.judge(100, other_title(QUIET + 1))
    assert later.repeated == 99
    (third,) = judge.judge(101, other_title(QUIET + 1, "CT3"))
    assert third.repeated == 0


def test_a_flood_of_subjects_does_not_fill_the_memory() -> None:
    judge = Judge(DETECTIONS)
    for number in range(MOST_SUBJECTS + 500):
        judge.judge(number, other_title(0, f"T{number}"))
    assert len(judge.snapshot()["quiet"]) == MOST_SUBJECTS


def _stream() -> Iterator[Fields]:
    for number in range(200):
        yield refused(number * 3.0, f"person{number % 7}", peer=f"ws{number % 2}")
        if number % 5 == 0:
            yield other_title(number * 3.0, f"T{number % 3}")


def test_after_a_restart_it_goes_on_where_it_was() -> None:
    events = list(enumerate(_stream()))
    through = Judge(DETECTIONS)
    expected = [alert for number, fields in events for alert in through.judge(number, fields)]
    assert len(expected) > 20
    found, judge, kept, since = [], Judge(DETECTIONS), Judge(DETECTIONS).snapshot(), 0
    for number, fields in events:
        if number % 17 == 0:  # what is kept is as old as the last batch
            kept, since = json.loads(json.dumps(judge.snapshot())), number
        if number % 23 == 5:  # it dies, and takes again what came after
            judge = Judge(DETECTIONS)
            judge.restore(kept)
            for before, again in events[since:number]:
                judge.learn(before, again)
        found += judge.judge(number, fields)
    assert found == expected


def test_what_an_older_version_kept_is_not_believed() -> None:
    judge = Judge(DETECTIONS)
    judge.restore({"version": 0, "nonsense": True})
    assert judge.judge(1, other_title(0))


def test_an_event_counts_when_it_happened_but_not_before_it_came() -> None:
    assert happened({"@timestamp": "1970-01-01T00:00:10.000Z", "event.ingested": "1970-01-01T01:00:00.000Z"}) == 10
    assert happened({"@timestamp": "1970-01-01T05:00:00.000Z", "event.ingested": "1970-01-01T01:00:00.000Z"}) == 3600
    assert happened({"event.ingested": "1970-01-01T01:00:00.000Z"}) == 3600


def test_a_rule_that_is_switched_off_raises_nothing() -> None:
    assert Judge(load(off=["dicom-title-of-another"])).judge(1, other_title(0)) == []
