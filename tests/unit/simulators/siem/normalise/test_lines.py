"""Lines of the collector become fields: events of ours, and what daemons write in their own words."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.events.actions import ACTIONS
from simulators.events.keys import GIVEN
from simulators.siem.fields import DATASETS, unknown
from simulators.siem.normalise.lines import LONGEST, of_line

NUMBERS = {"attempts", "instances", "found", "source_port", "port", "milliseconds", "packets", "bytes_in"}


def _line(program: str, message: str = "", **more: Any) -> dict[str, Any]:
    head = {"time": "2026-01-05T09:12:44.310+00:00", "received": "2026-01-05T09:12:44.400+00:00", "host": "ris1"}
    return {**head, "program": program, "pid": "77", "message": message, **more}


def _event(program: str, action: str, outcome: str = "success", **facts: Any) -> dict[str, Any]:
    data = {"time": "2026-01-05T09:12:44.000Z", "action": action, "outcome": outcome, **facts}
    return dict(of_line(_line(program, "{...", data=data)))


@pytest.mark.parametrize("action", ACTIONS)
def test_every_key_of_every_action_becomes_a_field(action: str) -> None:
    declared = ACTIONS[action]
    for program in declared.programs:
        keys = {key: 7 if key in NUMBERS else "x" for key in (*sorted(GIVEN), *declared.facts)}
        fields = _event(program, action, "refused", reason="role", **keys)
        assert unknown(fields) == []
        assert fields["event.dataset"] == "pacslab.event"
        assert fields["event.action"] == action
        assert fields["event.outcome"] == "failure"
        assert fields["@timestamp"] == "2026-01-05T09:12:44.000Z"
        assert len(fields) >= len(keys)


def test_an_edge_tells_who_called_it() -> None:
    facts = {
        "reason": "ae-mismatch", "ae_title": "MR1", "called": "PACSRAD", "certificate": "ct1.imaging.internal",
        "peer": "10.24.41.11", "source_port": 51234, "edge": "dicom", "tls": "TLSv1.3", "milliseconds": 3,
    }  # fmt: skip
    fields = _event("haproxy", "associate", "refused", **facts)
    assert fields["source.ip"] == "10.24.41.11"
    assert fields["destination.domain"] == "ris1"
    assert fields["dicom.calling_ae"] == "MR1"
    assert fields["tls.client.x509.subject.common_name"] == "ct1.imaging.internal"
    assert fields["event.duration"] == 3_000_000
    assert fields["source.port"] == 51234


def test_a_firewall_watches_what_others_do() -> None:
    facts = {
        "reason": "no-flow", "peer": "10.24.99.11", "target": "10.24.60.11", "protocol": "tcp", "port": 2762,
        "source_zone": "guest", "target_zone": "pacs-core",
    }  # fmt: skip
    fields = _event("ulogd", "connect", "refused", **facts)
    assert (fields["source.ip"], fields["destination.ip"]) == ("10.24.99.11", "10.24.60.11")
    assert (fields["observer.name"], fields["observer.type"]) == ("ris1", "firewall")
    assert fields["observer.ingress.zone"] == "guest"
    del facts["source_zone"]
    assert _event("ulogd", "connect", "refused", **facts)["observer.type"] == "host-firewall"


def test_a_program_cannot_tell_what_it_does_not_do() -> None:
    fields = of_line(_line("sshd", '{"action": "associate"}', data={"action": "associate", "outcome": "success"}))
    assert fields["event.dataset"] == "system.line"


@pytest.mark.parametrize(
    ("program", "message", "expected"),
    [
        (
            "sshd-session",
            ("Accepted publickey for admin from 10.24.20.11 port 50022 ssh2: ED25519-CERT SHA256:abc ID"
             " a.rivera (serial 7) CA ED25519 SHA256:def"),
            {
                "event.action": "ssh-login",
                "user.name": "a.rivera",
                "user.effective.name": "admin",
                "source.ip": "10.24.20.11",
            },
        ),
        (
            "sshd-session",
            "Connection closed by invalid user oracle 10.24.99.11 port 50022 [preauth]",
            {
                "event.action": "ssh-login",
                "pacslab.outcome": "refused",
                "user.name": "oracle",
                "source.ip": "10.24.99.11",
            },
        ),
        (
            "sudo",
            "   admin : TTY=pts/0 ; PWD=/home/admin ; USER=root ; COMMAND=/usr/bin/systemctl stop pacslab-audit",
            {
                "event.action": "sudo",
                "user.name": "admin",
                "user.effective.name": "root",
                "pacslab.verb": "/usr/bin/systemctl",
            },
        ),
        (
            "systemd",
            "Stopped orthanc.service - Lightweight, RESTful DICOM server for healthcare and medical research.",
            {"event.action": "unit-stop", "service.name": "orthanc.service", "event.dataset": "system.unit"},
        ),
        (
            "systemd",
            "orthanc.service: Failed with result 'signal'.",
            {"event.action": "unit-fail", "service.name": "orthanc.service", "pacslab.status": "signal"},
        ),
        (
            "chronyd",
            "System clock wrong by -600.000123 seconds, adjustment started",
            {"event.action": "clock", "pacslab.offset": -600.000123, "event.dataset": "system.time"},
        ),
        ("chronyd", "Forward time jump detected!", {"event.action": "clock", "pacslab.state": "forward"}),
        (
            "postgres",
            ('user=pacs_card db=pacs_rad app=[unknown] client=10.24.60.11 FATAL:  no pg_hba.conf entry for host'
             ' "10.24.60.11", user "pacs_card", database "pacs_rad", SSL encryption'),
            {
                "event.action": "sign-in",
                "pacslab.outcome": "refused",
                "user.name": "pacs_card",
                "pacslab.database": "pacs_rad",
            },
        ),
        (
            "postgres",
            ('user=pacs_rad db=pacs_rad app=[unknown] client=10.24.60.11 FATAL:  certificate authentication failed for'
             ' user "pacs_rad"'),
            {"event.action": "sign-in", "event.reason": "certificate-refused", "user.name": "pacs_rad"},
        ),
        (
            "postgres",
            ("user=postgres db=pacs_rad app=[unknown] client=[local] LOG:  connection authorized: user=postgres"
             " database=pacs_rad application_name=psql"),
            {"event.action": "open-database-session", "user.name": "postgres", "pacslab.database": "pacs_rad"},
        ),
    ],
)  # fmt: skip
def test_lines_of_daemons_are_read(program: str, message: str, expected: dict[str, Any]) -> None:
    fields = of_line({**_line(program, message), "pid": "1" if program == "systemd" else "77"})
    assert unknown(fields) == []
    assert expected.items() <= fields.items()
    assert fields["event.dataset"] in DATASETS


def test_what_is_not_understood_is_kept_as_text_that_is_cut() -> None:
    fields = of_line(_line("cron", "x" * 5000))
    assert fields["event.dataset"] == "system.line"
    assert fields["message"] == "x" * LONGEST
    assert fields["pacslab.lag"] == 0.09


def test_a_line_without_any_time_happened_when_it_came() -> None:
    fields = of_line({"host": "ris1", "program": "cron", "message": "x"}, received=1767604365.0)
    assert fields["@timestamp"] == fields["event.ingested"] == "2026-01-05T09:12:45.000Z"
