"""Incidents follow from alerts and decisions alone; who decides says why; who is told learns of no patient."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest

from simulators.errors import ArgumentError, NotFoundError
from simulators.siem.incidents.decide import decide
from simulators.siem.incidents.fold import MOST_ALERTS, incidents
from simulators.siem.incidents.model import Choice, Decision, Incident, Raised, State
from simulators.siem.incidents.notify import is_due, mail, text, webhook
from simulators.siem.sigma.model import Level

BEGIN = datetime(2026, 1, 5, 9, tzinfo=UTC)


def raised(
    position: int, minutes: float, rule: str = "ports-scanned", level: Level = Level.HIGH, **more: Any
) -> Raised:
    subject = more.pop("subject", {"source.ip": "10.24.99.11"})
    fields = {
        "title": rule.replace("-", " "), "subject": subject, "abuse": ["A01"], "attack": ["T1046"],
        "control": ["DE.CM-1"], "respond": f"Look at {rule}.", **more,
    }  # fmt: skip
    return Raised(position, BEGIN + timedelta(minutes=minutes), "fw1", rule, level, fields)


def decided(incident: int, choice: Choice, minutes: float) -> Decision:
    return Decision(incident, choice, "k.osei", "looked at it", BEGIN + timedelta(minutes=minutes))


def test_what_one_actor_does_is_one_incident_whatever_rules_say_so() -> None:
    scan = raised(
        7, 0, "connection-without-flow", Level.MEDIUM, subject={"source.ip": "10.24.99.11", "destination.port": "22"}
    )
    (incident,) = incidents([scan, raised(9, 1), raised(12, 50, "hosts-scanned", Level.MEDIUM)])
    assert incident.number == 7
    assert incident.actor == ("source.ip", "10.24.99.11")
    assert incident.level is Level.HIGH
    assert incident.rules == ("connection-without-flow", "ports-scanned", "hosts-scanned")
    assert incident.alerts == (7, 9, 12)
    assert (incident.last - incident.first) == timedelta(minutes=50)
    assert incident.respond[0] == "Look at connection-without-flow."


def test_other_actors_and_later_days_are_other_incidents() -> None:
    other = raised(8, 1, subject={"source.ip": "10.24.99.12"})
    found = incidents([raised(7, 0), other, raised(9, 59), raised(10, 120)])
    assert [one.number for one in found] == [8, 7, 10]


def test_the_person_is_the_actor_before_the_place() -> None:
    (incident,) = incidents([raised(7, 0, subject={"source.ip": "10.24.30.11", "user.name": "a.rivera"})])
    assert incident.actor == ("user.name", "a.rivera")
    (incident,) = incidents([raised(7, 0, subject={"dicom.study_uid": "1.2"})])
    assert incident.actor == ("host.name", "fw1")


def test_what_was_not_told_each_time_counts() -> None:
    (incident,) = incidents([raised(7, 0), raised(8, 1, repeated=99)])
    assert incident.count == 101
    (incident,) = incidents(raised(number, 0) for number in range(3 * MOST_ALERTS))
    assert (len(incident.alerts), incident.count) == (MOST_ALERTS, 3 * MOST_ALERTS)


def test_after_it_was_closed_the_same_begins_another_incident() -> None:
    closed = decided(7, Choice.CLOSE, 5)
    first, second = incidents([raised(7, 0), raised(9, 10)], [closed])
    assert (first.state, first.decisions) == (State.CLOSED, (closed,))
    assert (second.number, second.state) == (9, State.OPEN)
    (only,) = incidents([raised(7, 0), raised(9, 10)], [decided(7, Choice.ACKNOWLEDGE, 5)])
    assert (only.state, only.alerts) == (State.ACKNOWLEDGED, (7, 9))


def test_decisions_about_nothing_change_nothing() -> None:
    assert incidents([raised(7, 0)], [decided(8, Choice.CLOSE, 5)]) == incidents([raised(7, 0)])


def known(state: State = State.OPEN) -> list[Incident]:
    choices = {State.OPEN: [], State.ACKNOWLEDGED: [Choice.ACKNOWLEDGE], State.CLOSED: [Choice.CLOSE]}[state]
    return incidents([raised(7, 0)], [decided(7, choice, 1) for choice in choices])


@pytest.mark.parametrize(
    ("state", "choice", "allowed"),
    [
        (State.OPEN, Choice.ACKNOWLEDGE, True),
        (State.OPEN, Choice.CLOSE, True),
        (State.OPEN, Choice.REOPEN, False),
        (State.ACKNOWLEDGED, Choice.ACKNOWLEDGE, True),
        (State.ACKNOWLEDGED, Choice.CLOSE, True),
        (State.CLOSED, Choice.CLOSE, False),
        (State.CLOSED, Choice.ACKNOWLEDGE, False),
        (State.CLOSED, Choice.REOPEN, True),
    ],
)
def test_states_follow_on_each_other(state: State, choice: Choice, allowed: object) -> None:
    if not allowed:
        with pytest.raises(ArgumentError, match=f"Incident 7 is {state}"):
            decide(known(state), 7, choice, person="k.osei", note="because", at=BEGIN)
        return
    decision = decide(known(state), 7, choice, person="k.osei", note="because", at=BEGIN + timedelta(hours=1))
    (incident,) = incidents([raised(7, 0)], [*known(state)[0].decisions, decision])
    assert incident.decisions[-1].note == "because"


@pytest.mark.parametrize(
    ("person", "note"), [("", "because"), (" ", "because"), ("k.osei", ""), ("k.osei", " x "), ("k.osei", "x" * 2001)]
)
def test_somebody_decides_and_says_why(person: str, note: str) -> None:
    with pytest.raises(ArgumentError):
        decide(known(), 7, Choice.CLOSE, person=person, note=note, at=BEGIN)


def test_an_incident_that_is_not_there_is_not_decided_about() -> None:
    with pytest.raises(NotFoundError):
        decide(known(), 8, Choice.CLOSE, person="k.osei", note="because", at=BEGIN)


def test_a_note_is_one_text_that_steers_nothing() -> None:
    assert decide(known(), 7, Choice.CLOSE, person="k.osei", note="a\x1b[2J\nb", at=BEGIN).note == "a\\x1b[2J\\nb"


def test_people_are_told_once_and_when_it_becomes_graver() -> None:
    (medium,) = incidents([raised(7, 0, level=Level.MEDIUM)])
    (high,) = incidents([raised(7, 0, level=Level.MEDIUM), raised(8, 1)])
    (low,) = incidents([raised(7, 0, level=Level.LOW)])
    assert [is_due(one, {}) for one in (low, medium, high)] == [False, True, True]
    assert [is_due(one, {7: Level.MEDIUM}) for one in (medium, high)] == [False, True]
    assert not is_due(high, {7: Level.HIGH})


def test_a_mail_says_what_happened_and_what_to_do() -> None:
    (incident,) = incidents([raised(7, 0), raised(8, 1, "hosts-scanned")])
    sent = mail(incident, "reference", "siem@imaging.internal", ["k.osei@imaging.internal"], "https://siem1")
    read = message_from_bytes(bytes(sent), policy=policy.default)
    assert read["Subject"] == "[reference] high: ports scanned (10.24.99.11)"
    assert read["Auto-Submitted"] == "auto-generated"
    said = read.get_content()
    for words in (
        "Incident 7, high, open",
        "- hosts scanned",
        "- Look at ports-scanned.",
        "T1046",
        "https://siem1/incidents/7",
    ):
        assert words in said


def test_text_of_others_makes_no_header_and_no_line() -> None:
    hostile = "x\r\nBcc: eve@example.org\r\n\r\nCall 555\x1b[2J"
    (incident,) = incidents([raised(7, 0, subject={"dicom.calling_ae": hostile})])
    read = message_from_bytes(
        bytes(mail(incident, "reference", "siem@a.internal", ["k@a.internal"])), policy=policy.default
    )
    assert read["Bcc"] is None
    assert "\x1b" not in read["Subject"] + read.get_content()
    assert not any(line.startswith(("Bcc:", "Call")) for line in read.get_content().splitlines())


def test_who_is_told_learns_of_no_patient() -> None:
    alert = raised(
        7,
        0,
        "watched-patient",
        subject={"user.name": "n.okafor", "patient.id": "P0000001"},
        facts={"values": ["1.2.3"]},
    )
    (incident,) = incidents([alert])
    told = text(incident) + json.dumps(webhook(incident, "reference"))
    assert "P0000001" not in told
    assert "1.2.3" not in told
    assert webhook(incident, "reference")["actor"]["value"] == "n.okafor"


def test_an_incident_is_json() -> None:
    told = json.loads(json.dumps(known(State.CLOSED)[0].as_dict()))
    assert (told["number"], told["state"], told["decisions"][0]["person"]) == (7, "closed", "k.osei")
    assert told["actor"] == {"field": "source.ip", "value": "10.24.99.11"}
