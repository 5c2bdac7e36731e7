"""Messages are valid by schema and by what their event requires, whatever stands in the event that they are made of."""

from __future__ import annotations

import base64
import itertools
import random
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree
from pydicom import dcmread
from pydicom.filebase import DicomBytesIO

from simulators.audit.codes import STUDY_UID
from simulators.audit.message import (
    LONGEST_MESSAGE,
    NOT_TOLD,
    OF_THE_PROGRAM,
    Message,
    escaped,
    header,
    messages_of,
)
from simulators.audit.told import told_by
from simulators.events.actions import ACTIONS
from simulators.siem import schema
from simulators.siem.audit_rules import faults
from tests.unit.simulators.audit.events import PLAIN, ROWS, SOURCE, event_for, identify, keys_of, told
from tests.unit.simulators.audit.events import entry as line_of

if TYPE_CHECKING:
    from simulators.audit.table import Row
    from simulators.audit.told import Told

NAMING = ("patient", "study", "accession", "prior", "item", "moved")
"""Keys of an event that name a patient, or may; a path does too."""
XSD = etree.XMLSchema(etree.parse(schema.XML_SCHEMA))
RUN = "0b4ec0b1-4dd0-4cb5-8d1a-5a1c3e3e1ed0"
HOSTILE = (
    "]]>", "<!--", "&amp;&#0;", '"><x y="', "\x00\x01\x1b[2J\x7f", "\r\n<85>1 - - - - - -", "Ünal Ж 漢字 \U0001f600",
    "\ufffe\uffff", "\ud800", "\u202e\u200b\u2028", "x" * 200, "\U0010ffff" * 200, "&" * 200, " ", "   with space   ",
    "<none>", "%s{0}", "' or 1=1 --", "<!DOCTYPE x [<!ENTITY y 'z'>]>", "10.24.41.11", "::1", "0", "-1", "1e9", "١٢٣",
)  # fmt: skip


def made(event: Told) -> list[tuple[Message, Any]]:
    """The messages of an event, each with what it is as XML; all are valid."""
    found = []
    for _, message in messages_of(event, SOURCE):
        sent = header(message, SOURCE.fqdn, RUN, 2**53)
        assert len(sent) <= LONGEST_MESSAGE
        assert b"\n" not in sent
        assert sent.isascii()
        element = etree.fromstring(message.xml.encode("ascii"))
        XSD.assertValid(element)
        assert faults(element) == []
        found.append((message, element))
    return found


def one(event: Told) -> Any:
    """The message of an event that becomes one."""
    ((_, element),) = made(event)
    return element


@pytest.mark.parametrize("row", ROWS, ids=identify)
def test_a_message_is_valid_with_all_keys_with_none_and_with_each_alone(row: Row) -> None:
    keys = [key for key in keys_of(row.action) if key != "transaction"]
    plain = {key: PLAIN.get(key, "7") for key in keys}
    for facts in [plain, {}, *({key: plain[key]} for key in keys)]:
        assert made(event_for(row, **facts))


@pytest.mark.parametrize("row", ROWS, ids=identify)
def test_a_message_is_valid_whatever_stands_in_any_field(row: Row) -> None:
    keys = keys_of(row.action)
    for hostile in HOSTILE:
        assert made(event_for(row, **dict.fromkeys(keys, hostile))) or not hostile.strip()
        assert made(event_for(row, **dict.fromkeys(keys, [hostile] * 16)))
    in_turn = itertools.cycle(HOSTILE)
    for key in keys * 2:
        assert made(event_for(row, **{**PLAIN, key: next(in_turn)}))


def test_a_message_is_valid_whatever_a_program_writes() -> None:
    chance = random.Random(1)  # noqa: S311 - the same events each time
    values = [*HOSTILE, 0, -1.5, True, None, [], ["a", 1, None], {"a": "b"}, 10**40]
    for row in ROWS * 3:
        event = event_for(row)
        keys = keys_of(row.action)
        line = {key: chance.choice(values) for key in chance.sample(keys, min(len(keys), 12))}
        line |= {
            "action": row.action,
            "outcome": chance.choice([event.outcome, "strange"]),
            "time": chance.choice(values),
        }
        if row.action in ACTIONS:
            for _, element in made(told(line, event.program)):
                assert element.tag == "AuditMessage"


def users(element: Any) -> list[tuple[str, bool]]:
    return [
        (entry.get("UserID"), entry.get("UserIsRequestor") == "true") for entry in element.findall("ActiveParticipant")
    ]


def objects(element: Any) -> dict[str, str]:
    return {
        entry.find("ParticipantObjectIDTypeCode").get("csd-code"): entry.get("ParticipantObjectID")
        for entry in element.findall("ParticipantObjectIdentification")
    }


def details(element: Any) -> dict[str, str]:
    return {
        entry.get("type"): base64.b64decode(entry.get("value")).decode()
        for entry in element.iter("ParticipantObjectDetail")
    }


def test_who_looked_at_which_study_of_which_patient_is_told() -> None:
    facts = {"person": "a.rivera", "patient": "P1", "study": "1.2.3", "series": "1.2.3.1", "transaction": "WADO-RS"}
    element = one(told({"action": "person-views", "outcome": "success", **facts}, "pacslab-gateway"))
    assert users(element) == [("a.rivera@imaging.internal", True), ("pacslab-gateway[1234]", False)]
    assert objects(element) == {"110180": "1.2.3", "2": "P1"}
    assert details(element) == {"series": "1.2.3.1"}
    assert element.find("EventIdentification/EventTypeCode").get("csd-code") == "WADO-RS"
    assert element.find("EventIdentification").get("EventOutcomeIndicator") == "0"
    assert element.find(".//AuditSourceIdentification").get("AuditSourceID") == "ris1.imaging.internal"


def test_a_refused_look_says_why_and_at_which_study() -> None:
    facts = {"person": "a.rivera", "study": "1.2.3", "reason": "no-relation"}
    element = one(told({"action": "person-views", "outcome": "refused", **facts}, "pacslab-gateway"))
    assert element.find("EventIdentification").get("EventOutcomeIndicator") == "8"
    assert element.find("EventIdentification/EventOutcomeDescription").text == "refused: no-relation"
    assert objects(element) == {STUDY_UID.value: "1.2.3", "2": NOT_TOLD}


def test_a_worklist_query_names_both_sides_with_their_ae_titles() -> None:
    facts = {"ae_title": "CT1", "peer": "ct1", "found": 3, "transaction": "RAD-5"}
    element = one(told({"action": "query", "outcome": "success", **facts}))
    sides = {
        entry.find("RoleIDCode").get("csd-code"): (entry.get("UserID"), entry.get("AlternativeUserID"))
        for entry in element.findall("ActiveParticipant")
    }
    assert sides == {
        "110153": ("ct1.imaging.internal", "AETITLES=CT1"),
        "110152": ("pacslab-ris[1234]", "AETITLES=RIS1"),
    }
    assert objects(element) == {"110181": "1.2.840.10008.5.1.4.31"}
    assert details(element) == {"TransferSyntax": "1.2.840.10008.1.2.1", "found": "3"}


def test_a_query_is_the_dataset_of_its_keys() -> None:
    facts = {"patient": "P1", "study": "1.2.3", "level": "STUDY", "peer": "pacs-rad", "transaction": "RAD-14"}
    element = one(told({"action": "query", "outcome": "success", **facts}, "pacslab-workstation"))
    data = base64.b64decode(element.find(".//ParticipantObjectQuery").text)
    dataset = dcmread(DicomBytesIO(data), force=True)
    assert (dataset.PatientID, dataset.StudyInstanceUID, dataset.QueryRetrieveLevel) == ("P1", "1.2.3", "STUDY")


def test_nothing_that_names_a_patient_stands_outside_of_its_field() -> None:
    named = {key: f"secret-{key}" for key in (*NAMING, *OF_THE_PROGRAM)} | {"path": "/dicom-web/studies/1.2.3.4.5.6"}
    for row in ROWS:
        for message, element in made(
            event_for(row, **{key: named[key] for key in named if key in keys_of(row.action)})
        ):
            said = " ".join([*details(element).values(), *(user for user, _ in users(element))])
            assert "secret" not in said
            assert "1.2.3.4.5.6" not in said
            for entry in element.findall("ParticipantObjectIdentification"):
                code = entry.find("ParticipantObjectIDTypeCode").get("csd-code")
                if code not in {"110180", "2"}:
                    assert "secret" not in entry.get("ParticipantObjectID")
            for key in (*OF_THE_PROGRAM, "item", "moved"):
                assert f"secret-{key}" not in message.xml


def test_an_alert_names_whom_it_is_about_and_nobody_as_its_requestor() -> None:
    facts = {"certificate": "ct1.imaging.internal", "peer": "10.24.41.11", "ae_title": "MR1", "reason": "ae-mismatch"}
    element = one(told({"action": "associate", "outcome": "refused", "edge": "dicom", **facts}, "haproxy"))
    assert users(element) == [("haproxy[1234]", False), ("ct1.imaging.internal", False)]
    assert element.findall("ActiveParticipant")[1].get("AlternativeUserID") == "AETITLES=MR1"
    assert element.findall("ActiveParticipant")[1].get("NetworkAccessPointID") == "10.24.41.11"
    assert details(element) == {"Alert Description": "associate refused: ae-mismatch", "edge": "dicom"}
    assert objects(element) == {"110182": "10.24.41.11"}


def test_an_event_that_a_person_writes_into_the_log_is_not_believed_and_raises_an_alert() -> None:
    line = {"action": "sign-in", "outcome": "success", "person": "a.rivera"}
    believed = one(told(line, "pacslab-sign-on", _UID="998"))
    assert believed.find("EventIdentification/EventID").get("csd-code") == "110114"
    (message, alert), *_ = made(told(line, "pacslab-sign-on", _UID="1000"))
    assert alert.find("EventIdentification/EventID").get("csd-code") == "110113"
    assert ("1000@ris1.imaging.internal", False) in users(alert)
    assert "rivera" not in message.xml


def test_a_wrong_password_is_a_minor_failure_and_a_locked_account_a_major_one() -> None:
    line = {"action": "sign-in", "outcome": "refused", "person": "a.rivera", "peer": "10.24.30.11"}
    found = {
        reason: one(told({**line, "reason": reason}, "pacslab-sign-on")).find("EventIdentification")
        for reason in ("wrong-password", "account-locked", "role")
    }
    assert [event.get("EventOutcomeIndicator") for event in found.values()] == ["4", "12", "8"]


def test_a_session_of_an_administrator_names_the_person_of_the_certificate() -> None:
    line = (
        "Accepted publickey for administrator from 10.24.41.11 port 40412 ssh2: ED25519-CERT SHA256:abc ID anna: full"
        " disk (serial 4711) CA ED25519 SHA256:def"
    )
    element = one(told(line, "sshd-session"))
    (person, _) = element.findall("ActiveParticipant")
    assert person.get("UserID") == "anna@imaging.internal"
    assert person.get("AlternativeUserID") == "administrator@ris1.imaging.internal"
    assert person.get("NetworkAccessPointID") == "ct1.imaging.internal"
    assert element.find("EventIdentification/EventTypeCode").get("csd-code") == "110122"


KEY = "ssh2: ED25519-CERT SHA256:abc ID anna (serial 1) CA x"
LINES = [
    ("Disconnected from user administrator 10.24.15.11 port 40412", "sshd-session", "110123", "0"),
    ("Connection closed by authenticating user administrator 10.24.15.11 port 2 [preauth]", "sshd", "110122", "8"),
    (f"Failed publickey for administrator from 10.24.15.11 port 2 {KEY}", "sshd-session", "110122", "8"),
    (
        "administrator : TTY=pts/0 ; PWD=/x ; USER=root ; COMMAND=/usr/bin/sh -c 'id -u; hostname'",
        "sudo",
        "110132",
        "0",
    ),
    ("www-data : user NOT in sudoers ; PWD=/ ; USER=root ; COMMAND=/usr/bin/id", "sudo", "110132", "8"),
    ("www-data : command not allowed ; TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/id", "sudo", "110132", "8"),
    ("add 'eve' to group 'sudo'", "usermod", "110136", "0"),
    ("new user: name=eve, UID=1001, GID=1001, home=/home/eve, shell=/bin/sh, from=none", "useradd", "110137", "0"),
    ("pam_unix(passwd:chauthtok): password changed for eve", "passwd", "110137", "0"),
    ("Invoked with files=[] enable=[]", "ansible-pacslab.lab.configure", "110131", "0"),
]


def test_an_account_of_the_host_that_is_changed_is_told_with_its_host_and_group() -> None:
    element = one(told("add 'eve' to group 'sudo'", "usermod"))
    users = [participant.get("UserID") for participant in element.findall("ActiveParticipant")]
    assert users == ["usermod[1234]", "eve@ris1.imaging.internal"]
    details = {entry.get("type"): entry.get("value") for entry in element.iter("ParticipantObjectDetail")}
    assert base64.b64decode(details["change"]) == b"join"
    assert element.find("ParticipantObjectIdentification").get("ParticipantObjectID") == "group:sudo"


def test_a_request_that_the_viewer_refuses_is_told_with_the_person() -> None:
    line = {"action": "request", "outcome": "refused", "reason": "not-permitted", "edge": "viewer", "path": "/gateway/"}
    element = one(told({**line, "person": "d.weiss", "peer": "ws-rad1"}, "pacslab-viewer"))
    assert element.find("EventIdentification/EventTypeCode").get("csd-code") == "110132"
    users = [participant.get("UserID") for participant in element.findall("ActiveParticipant")]
    assert "d.weiss@imaging.internal" in users


def test_a_transfer_that_begins_says_from_where_to_where_and_what() -> None:
    line = {"action": "begin-transfer", "outcome": "success", "ae_title": "RIS1", "peer": "pacs-rad", "study": "1.2.3"}
    element = one(told({**line, "patient": "P1", "instances": 40}, "pacslab-modality"))
    event = element.find("EventIdentification")
    assert (event.find("EventID").get("csd-code"), event.get("EventActionCode")) == ("110102", "E")
    roles = [role.get("csd-code") for role in element.iter("RoleIDCode")]
    assert roles == ["110153", "110152"]


@pytest.mark.parametrize(("line", "program", "kind", "outcome"), LINES)
def test_a_line_of_another_program_is_read(line: str, program: str, kind: str, outcome: str) -> None:
    event = one(told(line, program)).find("EventIdentification")
    assert (event.find("EventTypeCode").get("csd-code"), event.get("EventOutcomeIndicator")) == (kind, outcome)


@pytest.mark.parametrize(
    ("line", "program"),
    [
        (
            "Failed publickey for administrator from 127.0.0.1 port 33660 ssh2: ED25519 SHA256:eKaOmg35p6HW",
            "sshd-session",
        ),
        ("Starting session: command for administrator from 127.0.0.1 port 33660 id 0", "sshd-session"),
        ("pam_unix(sudo:session): session opened for user root(uid=0) by (uid=1000)", "sudo"),
        ("administrator : unable to resolve host pacs-rad: Temporary failure in name resolution", "sudo"),
        ("{not json", "pacslab-ris"),
        ('{"action": "no such action"}', "pacslab-ris"),
        ('{"action": "sign-in", "outcome": "success"}', "pacslab-modality"),
    ],
)
def test_what_is_no_attempt_and_no_event_tells_nothing(line: str, program: str) -> None:
    assert told_by(line_of(line, program)) is None


def test_the_arguments_of_what_sudo_runs_are_not_told() -> None:
    (message, element) = made(told(LINES[3][0], "sudo"))[0]
    assert "hostname" not in message.xml
    assert details(element) == {
        "Alert Description": "sudo success", "target": "root", "verb": "/usr/bin/sh",
    }  # fmt: skip


UNITS = [
    ("39f53479d3a045ac8e11786248231fbf", "110120", "0"),
    ("9d1aaa27d60140bd96365438aad20286", "110121", "0"),
    ("d9b373ed55a64feb8242e02dbe79a49c", "110121", "8"),
]


@pytest.mark.parametrize(("identifier", "kind", "outcome"), UNITS)
def test_a_line_of_systemd_is_read(identifier: str, kind: str, outcome: str) -> None:
    line = {"MESSAGE_ID": identifier, "UNIT": "orthanc.service", "_PID": "1"}
    element = one(told("a line", "systemd", **line))
    event = element.find("EventIdentification")
    assert (event.find("EventTypeCode").get("csd-code"), event.get("EventOutcomeIndicator")) == (kind, outcome)
    assert users(element) == [("orthanc.service", False), ("systemd[1]", True)]
    assert element.find("ActiveParticipant").get("AlternativeUserID") == "AETITLES=RIS1"


def test_the_header_is_what_the_standards_ask_for() -> None:
    message = Message("110112", "2026-01-05T09:12:44.310Z", "pacslab ris\x00", "12", "<AuditMessage/>")
    assert header(message, "ris1.imaging.internal", RUN, 7) == (
        b"<85>1 2026-01-05T09:12:44.310Z ris1.imaging.internal pacslabris 12 DICOM+RFC3881"
        b' [pacslab@32473 seq="7" run="0b4ec0b1-4dd0-4cb5-8d1a-5a1c3e3e1ed0"] <AuditMessage/>'
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_escaped_text_is_the_text_again_but_for_what_xml_cannot_hold(text: str) -> None:
    read = etree.fromstring(f'<x y="{escaped(text)}"/>').get("y")
    assert read is not None
    assert read.isprintable()
    if text.isprintable():
        assert read == text


@pytest.mark.parametrize("row", ROWS, ids=identify)
def test_people_and_accounts_alone_have_no_role(row: Row) -> None:
    for _, element in made(event_for(row, **PLAIN)):
        without = {
            entry.get("UserID") for entry in element.findall("ActiveParticipant") if entry.find("RoleIDCode") is None
        }
        assert without <= {"a.rivera@imaging.internal", "root@ris1.imaging.internal"}
