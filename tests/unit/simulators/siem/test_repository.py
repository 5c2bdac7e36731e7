"""What senders send is stored once and acknowledged then; what is no audit message is kept apart."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.unit.simulators.siem.repository import (
    OTHER_RUN,
    RUN,
    Caller,
    framed,
    numbered,
    running_services,
    wait_until,
)
from tests.unit.simulators.siem.samples import sample

if TYPE_CHECKING:
    from tests.unit.simulators.siem.repository import Services


def test_a_message_is_acknowledged_once_it_is_stored_and_found_by_what_it_is_about(services: Services) -> None:
    caller = Caller(services.edge)
    caller.send(numbered(1))
    caller.acknowledged(1)
    row = services.rows(
        "SELECT host, code, person, patient, accession, study, siem.message(position), fields->>'host.name', time"
        " FROM siem.events"
    )
    assert [row[0][:6], row[0][6] == numbered(1), row[0][7]] == [
        ("ct1", "110103", "a.rivera", "P0000001", "A1", "1.2.3"), True, "ct1",
    ]  # fmt: skip


def test_a_number_that_comes_again_is_acknowledged_and_kept_once(services: Services) -> None:
    caller = Caller(services.edge)
    caller.send(numbered(1), numbered(2), numbered(1), numbered(2), numbered(3))
    caller.acknowledged(3)
    other = Caller(services.edge)
    other.send(numbered(2), numbered(3))
    other.acknowledged(3)
    other.send(numbered(4))
    other.acknowledged(4)
    assert services.numbers() == [1, 2, 3, 4]


def test_the_same_number_of_another_run_or_another_host_is_another_message(services: Services) -> None:
    ct1, mr1 = Caller(services.edge), Caller(services.edge, "mr1.imaging.internal")
    ct1.send(numbered(1), numbered(1, run=OTHER_RUN))
    ct1.acknowledged(1)
    mr1.send(numbered(1))
    mr1.acknowledged(1)
    rows = services.rows("SELECT host, run::text, number FROM siem.events ORDER BY position")
    assert sorted(rows) == [("ct1", RUN, 1), ("ct1", OTHER_RUN, 1), ("mr1", RUN, 1)]


def test_the_sender_is_who_the_certificate_says_and_not_who_the_message_says(services: Services) -> None:
    caller = Caller(services.edge, "us1.imaging.internal")
    caller.send(numbered(1))
    caller.acknowledged(1)
    assert b" ct1.imaging.internal " in numbered(1)
    assert services.rows("SELECT host, fields->>'host.name' FROM siem.events") == [("us1", "us1")]


def test_numbers_that_are_missing_are_known_and_alarm_and_close_when_they_come(services: Services) -> None:
    caller = Caller(services.edge)
    caller.send(numbered(1), numbered(5))
    caller.acknowledged(5)
    assert services.rows("SELECT host, run::text, first, last FROM siem.gaps") == [("ct1", RUN, 2, 4)]
    assert services.rows("SELECT rule, host FROM siem.alerts") == [("repository.miss", "ct1")]
    services.kill("core")  # what is missing is known after a start, too
    services.start("core")
    again = Caller(services.edge)
    again.send(numbered(3), numbered(3), numbered(6))
    again.acknowledged(6)
    assert services.numbers() == [1, 5, 3, 6]
    assert services.rows("SELECT number FROM siem.late") == [(3,)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><AuditMessage/>", "document type"),
        ("<AuditMessage/>", "A.5.1"),
        (sample("DICOM Instances Accessed").replace('EventActionCode="R"', 'EventActionCode="E"'), "A.5.3.6"),
        (b"<AuditMessage>\xff\xfe</AuditMessage>", "UTF-8"),
        ("<a>" * 5000, "no XML"),
        ("", "no XML"),
        ("plain words", "no XML"),
        ('<?xml version="1.0" encoding="UTF-16"?><AuditMessage/>', ""),
    ],
)
def test_what_is_no_audit_message_is_kept_apart_and_alarms(
    services: Services, content: str | bytes, reason: str
) -> None:
    caller = Caller(services.edge)
    message = numbered(1, content) if content else numbered(1).split(b"<?xml")[0].split(b"<Audit")[0]
    caller.send(message, numbered(2))
    caller.acknowledged(2)
    ((raw, why, number),) = services.rows("SELECT raw, reason, number FROM siem.quarantine")
    assert (raw, number) == (message, 1)
    assert reason in why
    assert services.numbers() == [2]
    assert services.rows("SELECT rule, level, host FROM siem.alerts") == [("repository.refuse", "medium", "ct1")]


@pytest.mark.parametrize(
    "octets",
    [
        b"nonsense\n" * 100,
        b"99999999 x",
        b"70000 " + b"x" * 70000,
        b"-5 hello",
        b"5 hello",
        framed(b"<85>1 - - - - - - x"),
    ],
)
def test_garbage_ends_its_connection_alone_and_alarms(services: Services, octets: bytes) -> None:
    good, bad = Caller(services.edge), Caller(services.edge, "guest9.imaging.internal")
    good.send(numbered(1))
    bad.socket.sendall(octets)
    assert bad.has_ended()
    good.send(numbered(2))
    good.acknowledged(2)
    wait_until(lambda: services.rows("SELECT rule FROM siem.alerts"), "it does not alarm")
    assert services.rows("SELECT rule, host FROM siem.alerts") == [("repository.break", "guest9")]
    assert services.rows("SELECT host FROM siem.quarantine") == [("guest9",)]


@pytest.mark.parametrize("name", ["core", "intake"])
def test_a_killed_process_loses_nothing_that_was_acknowledged_and_stores_nothing_twice(
    services: Services, name: str
) -> None:
    caller, reached = Caller(services.edge), 0
    for turn in range(3):
        caller.send(*(numbered(number) for number in range(reached + 1, reached + 51)))
        caller.acknowledged(reached + 50) if turn else None
        services.kill(name)
        services.start(name)
        caller = Caller(services.edge)
        first = 1 if not turn else reached + 41  # it sends again what it has not heard of
        caller.send(*(numbered(number) for number in range(first, reached + 61)))
        caller.acknowledged(reached + 60)
        reached += 60
    assert services.numbers() == list(range(1, reached + 1))


def test_while_nothing_can_be_stored_nothing_is_acknowledged_and_afterwards_everything_is_there(
    services: Services,
) -> None:
    caller = Caller(services.edge)
    caller.send(numbered(1))
    caller.acknowledged(1)
    services.alter("REVOKE INSERT ON siem.batches FROM siem")
    caller.send(numbered(2), numbered(3))
    wait_until(lambda: "denied" in services.trouble, "nobody is told")
    caller.socket.settimeout(0.3)
    with pytest.raises(TimeoutError):
        caller.acknowledged(3)
    assert services.numbers() == [1]
    services.alter("GRANT INSERT ON siem.batches TO siem")
    caller.socket.settimeout(20)
    caller.acknowledged(3)
    assert (services.numbers(), services.trouble) == ([1, 2, 3], "")


def test_a_database_that_ends_sessions_loses_nothing(services: Services) -> None:
    caller = Caller(services.edge)
    for number in range(1, 6):
        caller.send(numbered(number))
        caller.acknowledged(number)
        services.alter("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pacslab-siem'")
    assert services.numbers() == [1, 2, 3, 4, 5]


def test_what_is_in_hand_at_a_stop_is_stored_or_not_acknowledged(services: Services) -> None:
    caller = Caller(services.edge)
    caller.send(*(numbered(number) for number in range(1, 201)))
    services.kill("core", signal.SIGTERM)
    services.start("core")
    again = Caller(services.edge)
    again.send(*(numbered(number) for number in range(1, 202)))
    again.acknowledged(201)
    assert services.numbers() == list(range(1, 202))


@pytest.mark.parametrize("role", ["siem", "siem-reader", "siem-officer"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE siem.events SET person = 'x'",
        "DELETE FROM siem.events",
        "UPDATE siem.messages SET raw = 'x'",
        "DELETE FROM siem.messages",
        "TRUNCATE siem.events",
        "DELETE FROM siem.batches",
        "DROP TABLE siem.events",
        "ALTER TABLE siem.events DISABLE TRIGGER ALL",
        "UPDATE siem.policy SET keep_days = 1",
        "DELETE FROM siem.holds",
        "CREATE TABLE siem.other (a int)",
    ],
)
def test_nobody_who_signs_in_can_change_or_remove(database: str, role: str, statement: str) -> None:
    with (
        psycopg.connect(database, options=f"-c role={role}") as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement)  # type: ignore[arg-type] # of the list above


def test_senders_are_told_the_head_of_what_is_stored(services: Services) -> None:
    caller = Caller(services.edge)
    caller.send(numbered(1))
    lines = {caller.line().split()[0]: None, caller.line(): None}
    ((number, head),) = services.rows("SELECT number, head FROM siem.batches")
    assert "ACK" in lines
    assert f"HEAD {number} {head.hex()}" in lines


def test_our_rules_judge_what_is_stored_and_go_on_counting_after_a_start(database: str) -> None:
    with running_services(database, "rules") as services:
        caller = Caller(services.edge)
        caller.send(numbered(1, "<no/>"))
        caller.acknowledged(1)
        ((rule, level, host, fields),) = services.rows("SELECT rule, level, host, fields FROM siem.alerts")
        assert (rule, level, host) == ("audit-message-refused", "medium", "ct1")
        ((position,),) = services.rows("SELECT position FROM siem.events")
        assert fields["events"] == [position]
        for number, sign in (
            (2, signal.SIGKILL),
            (3, signal.SIGTERM),
        ):  # reminded by events, and by what is written down
            services.kill("core", sign)
            services.start("core")
            again = Caller(services.edge)
            again.send(numbered(number, "<no/>"))
            again.acknowledged(number)
        assert json.loads((services.folder / "judge.json").read_bytes())["position"] > 0
        assert services.rows("SELECT count(*) FROM siem.alerts") == [(1,)]  # within ten seconds it is the same alert
