#!/usr/bin/python3 -IS
"""Write the sign-ins and changes that Samba has in its log as events, in the words of docs/events.md.

It follows the journal from the line that it told last, which it notes, so that none is lost while it does not run. Who
calls from which address stands in /etc/pacslab/directory-events.json: ``{"callers": {address: host}}``.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent))
from pacslab_event import write_event

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SETTINGS = Path("/etc/pacslab/directory-events.json")
FOLLOW = ["journalctl", "--follow", "--lines=all", "--output=json", "--output-fields=MESSAGE", "--quiet"]
UNIT = "_SYSTEMD_UNIT=samba-ad-dc.service"
REASONS = {
    "NT_STATUS_WRONG_PASSWORD": "wrong-password",
    "NT_STATUS_NO_SUCH_USER": "unknown-account",
    "NT_STATUS_ACCOUNT_LOCKED_OUT": "account-locked",
    "NT_STATUS_ACCOUNT_DISABLED": "account-disabled",
    "NT_STATUS_PASSWORD_EXPIRED": "password-expired",
    "NT_STATUS_PASSWORD_MUST_CHANGE": "password-expired",
}
"""Why a sign-in is refused (MS-ERREF 2.3.1); every other status is ``account-restricted``."""
SERVICES = {"LDAP": "ldaps", "Kerberos KDC": "kerberos"}
COUNTED = frozenset({"badPwdCount", "badPasswordTime", "lastLogon", "lastLogonTimestamp", "logonCount"})
"""What the directory notes of each sign-in, which is an event already."""
LONGEST = 200  # characters of what a caller sent
NAME = re.compile(r"^CN=((?:[^,\\]|\\.)+)")

Event = dict[str, Any]


def event_of(record: Mapping[str, Any], callers: Mapping[str, str]) -> Event | None:
    """The event of a record of Samba's, or None where it is none."""
    kind = record.get("type")
    facts = record.get(kind) if isinstance(kind, str) else None
    if not isinstance(facts, dict):
        return None
    told = {
        "Authentication": _sign_in,
        "dsdbChange": _change,
        "passwordChange": _password,
        "groupChange": _membership,
    }.get(str(kind))
    event = told(facts) if told is not None else None
    return event and {**event, **_caller(facts, callers)}


def _caller(facts: Mapping[str, Any], callers: Mapping[str, str]) -> Event:
    """Who called, from ``ipv4:10.24.10.12:51508``; nobody did where the host itself makes a change."""
    _, _, rest = str(facts.get("remoteAddress") or "").partition(":")
    address, _, port = rest.rpartition(":")
    return {"peer": callers.get(address, address), "source_port": int(port)} if port.isdigit() else {}


def _sign_in(facts: Mapping[str, Any]) -> Event:
    status = str(facts["status"])
    account = facts.get("mappedAccount") or facts.get("becameAccount") or facts.get("clientAccount")
    event: Event = {
        "action": "sign-in",
        "outcome": "success",
        "person": str(account)[:LONGEST],
        "service": SERVICES.get(str(facts["serviceDescription"]), str(facts["serviceDescription"])[:LONGEST]),
        "sid": facts.get("becameSid"),
    }
    if status != "NT_STATUS_OK":
        event |= {"outcome": "refused", "reason": REASONS.get(status, "account-restricted"), "status": status[:LONGEST]}
    return event


def _change(facts: Mapping[str, Any]) -> Event | None:
    attributes = facts.get("attributes") or {}
    event = {"account": _name(facts["dn"]), "sid": facts.get("userSid")}
    if "lockoutTime" in attributes:
        locked = "0" not in _values(attributes["lockoutTime"])
        return {"action": "lock-account" if locked else "unlock-account", **_outcome(facts), **event}
    if attributes and COUNTED.issuperset(attributes):
        return None
    change = str(facts["operation"]).lower()
    return {"action": "change-account", **_outcome(facts), **event, "change": change, "attributes": sorted(attributes)}


def _password(facts: Mapping[str, Any]) -> Event:
    event = {"account": _name(facts["dn"]), "sid": facts.get("userSid"), "change": "password"}
    return {"action": "change-account", **_outcome(facts), **event}


def _membership(facts: Mapping[str, Any]) -> Event:
    change = "join" if facts["action"] == "Added" else "leave"
    event = {"account": _name(facts["user"]), "group": _name(facts["group"]), "sid": facts.get("userSid")}
    return {"action": "change-account", **_outcome(facts), **event, "change": change}


def _outcome(facts: Mapping[str, Any]) -> Event:
    if facts.get("statusCode") == 0:
        return {"outcome": "success"}
    return {"outcome": "refused", "reason": "insufficient-rights", "status": str(facts.get("status"))[:LONGEST]}


def _values(attribute: Mapping[str, Any]) -> list[str]:
    return [str(value.get("value")) for action in attribute["actions"] for value in action.get("values", [])]


def _name(dn: object) -> str:
    """The name that a distinguished name begins with; all of it where that is none."""
    found = NAME.match(str(dn))
    return (re.sub(r"\\(.)", r"\1", found[1]) if found else str(dn))[:LONGEST]


def record_of(line: str) -> tuple[str, Mapping[str, Any]]:
    """A line of the journal: where it stands there, and the record in it, which is empty where there is none."""
    entry = json.loads(line)
    message = entry.get("MESSAGE")
    text = message.strip() if isinstance(message, str) else ""
    try:
        record = json.loads(text) if text.startswith("{") else {}
    except ValueError:
        record = {}
    return entry["__CURSOR"], record if isinstance(record, dict) else {}


def follow(after: str) -> Iterator[str]:
    """Yield the lines of Samba's log from a place in the journal on, as they come."""
    begin = [f"--after-cursor={after}"] if after else []
    with subprocess.Popen([*FOLLOW, *begin, UNIT], stdout=subprocess.PIPE, text=True, encoding="utf-8") as reader:
        if reader.stdout is not None:
            yield from reader.stdout


def main() -> int:
    """Follow until told to stop."""
    noted = Path(os.environ["STATE_DIRECTORY"], "cursor")
    callers = json.loads(SETTINGS.read_text("utf-8"))["callers"]
    for line in follow(noted.read_text("utf-8") if noted.exists() else ""):
        cursor, record = record_of(line)
        event = event_of(record, callers)
        if event is not None:
            write_event(event.pop("action"), **event)
        noted.write_text(cursor, "utf-8")
    return 1  # journalctl ended


if __name__ == "__main__":
    sys.exit(main())
