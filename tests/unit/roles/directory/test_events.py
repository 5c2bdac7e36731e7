"""What Samba writes of sign-ins and changes becomes events; the records are ones that it wrote (4.22)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.roles.events import event_of_line
from tests.unit.roles.programs import role_program

events = role_program("directory", "directory_events.py")
CALLERS = {"10.24.10.12": "idp1"}
PERSON = "CN=j.novak,OU=Staff,DC=imaging,DC=internal"


def authentication(**facts: Any) -> dict[str, Any]:
    told = {
        "eventId": 4625, "status": "NT_STATUS_WRONG_PASSWORD", "localAddress": "ipv4:10.24.10.10:636",
        "remoteAddress": "ipv4:10.24.10.12:51508", "serviceDescription": "LDAP", "authDescription": "simple bind/TLS",
        "clientDomain": "IMAGING", "clientAccount": "j.novak@imaging.internal", "becameAccount": None,
        "becameSid": None, "mappedAccount": "j.novak", "mappedDomain": "IMAGING", "passwordType": "Plaintext",
    }  # fmt: skip
    return {"timestamp": "2026-01-05T09:12:44.310+0000", "type": "Authentication", "Authentication": told | facts}


def changed(**facts: Any) -> dict[str, Any]:
    told = {
        "statusCode": 0, "status": "Success", "operation": "Modify", "remoteAddress": None, "userSid": "S-1-5-18",
        "dn": PERSON, "attributes": {},
    }  # fmt: skip
    return {"timestamp": "2026-01-05T09:12:44.310+0000", "type": "dsdbChange", "dsdbChange": told | facts}


def replaced(**values: str) -> dict[str, Any]:
    return {name: {"actions": [{"action": "replace", "values": [{"value": value}]}]} for name, value in values.items()}


def written(record: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The event as it reaches the journal, held to the tables, without its time."""
    event = dict(events.event_of(record, CALLERS))
    events.write_event(event.pop("action"), **event)
    line = event_of_line(capsys.readouterr().out.strip())
    del line["time"]
    return line


def test_a_wrong_password_is_told_with_person_and_caller(capsys: pytest.CaptureFixture[str]) -> None:
    assert written(authentication(), capsys) == {
        "action": "sign-in", "outcome": "refused", "reason": "wrong-password", "person": "j.novak", "service": "ldaps",
        "status": "NT_STATUS_WRONG_PASSWORD", "peer": "idp1", "source_port": 51508,
    }  # fmt: skip


def test_a_caller_that_no_flow_declares_is_told_by_address(capsys: pytest.CaptureFixture[str]) -> None:
    assert written(authentication(remoteAddress="ipv4:10.24.10.66:4000"), capsys)["peer"] == "10.24.10.66"


def test_a_sign_in_is_told_with_the_account_that_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    event = written(authentication(status="NT_STATUS_OK", becameSid="S-1-5-21-1-2-3-1104"), capsys)
    assert (event["outcome"], event["person"], event["sid"]) == ("success", "j.novak", "S-1-5-21-1-2-3-1104")


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("NT_STATUS_ACCOUNT_LOCKED_OUT", "account-locked"),
        ("NT_STATUS_ACCOUNT_DISABLED", "account-disabled"),
        ("NT_STATUS_INVALID_LOGON_HOURS", "account-restricted"),
    ],
)
def test_each_refusal_has_its_reason(status: str, reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert written(authentication(status=status), capsys)["reason"] == reason


def test_a_name_that_nobody_has_is_told_as_it_was_given_and_cut(capsys: pytest.CaptureFixture[str]) -> None:
    given = "x\n" * 200
    unknown = authentication(status="NT_STATUS_NO_SUCH_USER", mappedAccount=None, clientAccount=given)
    event = written(unknown, capsys)
    assert (event["reason"], event["person"]) == ("unknown-account", given[:200])


def test_a_kerberos_ticket_is_a_sign_in_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert written(authentication(serviceDescription="Kerberos KDC"), capsys)["service"] == "kerberos"


def test_an_account_that_is_locked_or_opened_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    locked = changed(attributes=replaced(badPwdCount="5", lockoutTime="134401637110941170"))
    assert written(locked, capsys) == {
        "action": "lock-account", "outcome": "success", "account": "j.novak", "sid": "S-1-5-18"
    }  # fmt: skip
    assert written(changed(attributes=replaced(lockoutTime="0")), capsys)["action"] == "unlock-account"


def test_what_is_counted_of_sign_ins_is_no_event_of_its_own() -> None:
    assert events.event_of(changed(attributes=replaced(badPwdCount="2", badPasswordTime="1")), CALLERS) is None


def test_a_change_is_told_without_its_values(capsys: pytest.CaptureFixture[str]) -> None:
    caller = {"remoteAddress": "ipv4:10.24.10.12:40000", "userSid": "S-1-5-21-1-2-3-1117"}
    event = written(changed(attributes=replaced(telephoneNumber="4711"), **caller), capsys)
    assert (event["attributes"], event["sid"], event["peer"]) == (["telephoneNumber"], "S-1-5-21-1-2-3-1117", "idp1")
    assert "4711" not in json.dumps(event)


def test_a_change_that_is_refused_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    refused = changed(statusCode=50, status="insufficient access rights", attributes=replaced(mail="x"))
    event = written(refused, capsys)
    assert (event["outcome"], event["reason"]) == ("refused", "insufficient-rights")


def test_a_new_password_and_a_membership_are_changes(capsys: pytest.CaptureFixture[str]) -> None:
    password = {"statusCode": 0, "action": "Reset", "dn": PERSON, "userSid": "S-1-5-18", "remoteAddress": None}
    assert written({"type": "passwordChange", "passwordChange": password}, capsys)["change"] == "password"
    member = {"statusCode": 0, "action": "Added", "user": PERSON, "group": "CN=A\\, B,OU=Departments,DC=x"}
    event = written({"type": "groupChange", "groupChange": member}, capsys)
    assert (event["change"], event["account"], event["group"]) == ("join", "j.novak", "A, B")


@pytest.mark.parametrize("message", ["  Locked out user CN=j.novak after 5 wrong passwords", '{"broken', [1, 2], None])
def test_a_line_that_is_no_record_is_no_event(message: object) -> None:
    cursor, record = events.record_of(json.dumps({"__CURSOR": "s=1", "MESSAGE": message}))
    assert (cursor, events.event_of(record, CALLERS)) == ("s=1", None)


def test_a_record_is_read_from_the_journals_line() -> None:
    line = json.dumps({"__CURSOR": "s=1", "MESSAGE": "  " + json.dumps(authentication())})
    assert events.event_of(events.record_of(line)[1], CALLERS)["action"] == "sign-in"


@pytest.mark.parametrize("record", [{}, {"type": "Authentication"}, {"type": "dsdbTransaction", "dsdbTransaction": {}}])
def test_other_records_are_passed_over(record: dict[str, Any]) -> None:
    assert events.event_of(record, CALLERS) is None
