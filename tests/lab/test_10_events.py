"""Whatever a peer or a person gives our programs, the collector has one well-formed event of it."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

from lab.hospital.collected import Collected, is_event
from lab.hospital.hospital import Hospital
from lab.hospital.signed_in import person_for, run_as
from simulators.events.actions import ACTIONS, ARCHIVE, DIRECTORY, EDGE, PACKET_FILTER, WEB_SERVER
from tests.unit.roles.events import check_event

if TYPE_CHECKING:
    from lab.engine.execute import Completed
    from lab.engine.lab import Lab

RECORDED_WITHIN = 20
ALWAYS = {"time", "action", "outcome"}
OURS = {program for action in ACTIONS.values() for program in action.programs}
OTHERS_TOO = {ARCHIVE, DIRECTORY, EDGE, PACKET_FILTER, WEB_SERVER}
"""Programs of other makers, or with a library of theirs (Samba's), which write lines of their own beside our events."""
FORGED = '"}\n<0>kernel: {"action": "start", "outcome": "success'
ESCAPE = "\x1b[2J\x1b]0;owned\x07"
REFUSED = """
import contextlib, socket
with contextlib.suppress(OSError):
    socket.create_connection(("10.24.60.11", 81), timeout=0.5)
"""
"""Opens what no flow permits: an archive's port that nothing serves."""
SEND = """
import sys
from simulators import mllp
from simulators.settings import load
from simulators.tls import client_context
settings = load()
mllp.send(settings.peer("hl7-tls", role="ris"), client_context(settings, "hl7"), sys.stdin.buffer.read())
"""
"""Sends the RIS what stands on standard input, as the record."""


def raw_events(lab: Lab, host: str) -> list[dict[str, Any]]:
    """Every line of our programs of a host at the collector, and our events in those of other makers' programs."""
    lines = [line for line in Collected(lab).since(host, {}) if line["program"] in OURS]
    return [line for line in lines if line["program"] not in OTHERS_TOO or "data" in line]


def known(event: dict[str, Any]) -> dict[str, Any]:
    """An event without the keys that an edge leaves empty."""
    return {key: value for key, value in event.items() if value is not None and value != ""}


def test_every_line_of_our_programs_is_an_event_of_the_table(clone: Lab) -> None:
    clone.run("ct1", ["pacslab-modality", "worklist"], timeout=60)
    clone.run("guest1", ["python3", "-c", REFUSED], timeout=60)
    collected = Collected(clone)
    assert collected.wait("fw1", {}, timeout=RECORDED_WITHIN, program="ulogd", source_zone="guest") is not None
    assert collected.wait("ris1", {}, timeout=RECORDED_WITHIN, program=EDGE, ae_title="CT1") is not None
    seen: set[str] = set()
    for host in clone.site.hosts:
        for line in raw_events(clone, host):
            assert line.get("data", {}).keys() >= ALWAYS, line
            assert "undeclared" not in line["data"], line
            check_event(known(line["data"]))
            seen.add(line["program"])
    assert seen >= {
        EDGE,
        "ulogd",
        "pacslab-ris",
        "pacslab-ehr",
        "pacslab-modality",
        "pacslab-image-manager",
        "pacslab-health",
    }


def one_event(lab: Lab, host: str, mark: dict[str, int], **keys: Any) -> dict[str, Any]:
    """The only event of a host with these keys since a mark; nothing that it carries has become a line of its own."""
    collected = Collected(lab)
    assert collected.wait(host, mark, timeout=RECORDED_WITHIN, **keys) is not None
    lines = collected.since(host, mark)
    assert not any(line["program"] == "kernel" or line["message"].startswith("<0>") for line in lines)
    event: dict[str, Any]
    (event,) = (line["data"] for line in lines if line["program"] in OURS and is_event(line, **keys))
    check_event(event)
    assert json.dumps(event, ensure_ascii=False).isprintable()
    return event


def test_a_control_id_and_a_message_type_make_no_line(clone: Lab) -> None:
    for foreign in (FORGED, ESCAPE, "x" * 100_000):
        mark = Collected(clone).mark("ris1")
        hidden = foreign.replace("\n", "\\.br\\")
        number = secrets.token_hex(4)
        text = (
            f"MSH|^~\\&|EHR1|REFERENCE|RIS1|REFERENCE|20260101||ADT^A04^ADT_A01|{number}{hidden}|P|2.5.1\rEVN||2026\r"
        )
        assert (
            clone.run("ehr1", ["/opt/pacslab/venv/bin/python3", "-c", SEND], input=text.encode(), timeout=60).code == 0
        )
        # A control character, also an escaped line break, makes a message malformed, so that nothing of it is read.
        event = one_event(clone, "ris1", mark, action="receive", outcome="refused", peer="ehr1")
        assert event["reason"] == ("malformed" if foreign in {FORGED, ESCAPE} else "control-id")
        assert event["octets"] == len(text)
        assert event.get("control_id", number).startswith(number)


def test_an_ae_title_makes_no_line(clone: Lab) -> None:
    for title in ('A"},{"b":"', '"outcome": "x"'):
        mark = Collected(clone).mark("ris1")
        clone.run("ct1", ["pacslab-modality", "worklist", "--station", title, "--json"], timeout=60)
        event = one_event(clone, "ris1", mark, action="query", outcome="refused", ae_title="CT1")
        assert event["station"] == title


def register(lab: Lab, family: str, birth_date: str) -> Completed:
    """Register a patient, as the registrar."""
    words = ["--family", family, "--given", "A", "--birth-date", birth_date, "--sex", "F"]
    return act(lab, "register-patient", "register", *words)


def act(lab: Lab, action: str, *words: str) -> Completed:
    """Do something at the record, as who may."""
    return run_as(Hospital(lab), "ehr1", ["pacslab-ehr", *words], person_for(lab.site, "ehr1", action))


def test_an_argument_makes_no_line(clone: Lab) -> None:
    for foreign in (FORGED, ESCAPE, "x" * 100_000):
        mark = Collected(clone).mark("ehr1")
        register(clone, f"Weber{foreign}", "x")
        one_event(clone, "ehr1", mark, action="command", verb="register", reason="argument")
        mark = Collected(clone).mark("ehr1")
        act(clone, "place-order", "order", foreign, "--code", "C", "--text", "T", "--modality", "CT")
        event = one_event(clone, "ehr1", mark, action="command", verb="order", reason="not-found")
        assert len(event["patient"]) <= 200
        everything = "".join(map(str, Collected(clone).since("ehr1", mark)))
        assert "Weber" not in everything


def test_a_patients_name_is_in_no_log(clone: Lab) -> None:
    name = f"Secret{secrets.token_hex(6)}"
    marks = {host: Collected(clone).mark(host) for host in ("ehr1", "ris1")}
    mark = marks["ehr1"]
    assert register(clone, f'{name}"}}', "19700101").code == 0
    one_event(clone, "ehr1", mark, action="register", outcome="success")
    for host, since in marks.items():
        assert all(name not in str(line) for line in Collected(clone).since(host, since))
