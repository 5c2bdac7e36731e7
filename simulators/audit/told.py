"""What a host's journal tells: an event of a program of ours, or a line of sshd, sudo, systemd or Ansible as one."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from simulators.audit.local_accounts import PROGRAMS, change_of
from simulators.events.actions import ACTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

# What other programs' lines become; docs/audit.md says of which messages they are.
SSH_LOGIN, SSH_LOGOUT, SUDO, CONFIGURE = "ssh-login", "ssh-logout", "sudo", "configure-host"
UNIT_START, UNIT_STOP, UNIT_FAIL, UNIT_RELOAD = "unit-start", "unit-stop", "unit-fail", "unit-reload"
AUDIT_START, AUDIT_STOP = "audit-start", "audit-stop"
FORGE_EVENT, CHANGE_LOCAL = "forge-event", "change-local-account"

OF_OTHERS: dict[str, str] = {
    SSH_LOGIN: "sshd lets somebody in by a certificate, or refuses one",
    SSH_LOGOUT: "sshd tells the end of a session",
    SUDO: "sudo runs a program, or refuses to",
    CONFIGURE: "Ansible changes the host's configuration",
    UNIT_START: "systemd has started a service that the host's roles declare",
    UNIT_STOP: "systemd has stopped one; `reason` is `restart` where it starts it again at once, and `shutdown` where"
    " the whole host ends, which begins with `multi-user.target`",
    UNIT_FAIL: "one has ended with a failure",
    UNIT_RELOAD: "systemd has reloaded one",
    AUDIT_START: "the daemon of audit messages begins; `failed` where it had ended without saying so",
    AUDIT_STOP: "it is stopped",
    CHANGE_LOCAL: "an account or a group of the host itself is changed, as `change` says",
    FORGE_EVENT: "a line in the form of an event that an account of a person wrote, as the kernel says (`_UID`); or one"
    " in which what a caller wrote could be taken for the rest of the line",
}
"""Actions that are no event of a program of ours, with what they are read from."""

CONFIGURING = "ansible-pacslab.lab.configure"
UNIT_MESSAGES = {
    "39f53479d3a045ac8e11786248231fbf": UNIT_START,  # SD_MESSAGE_UNIT_STARTED
    "9d1aaa27d60140bd96365438aad20286": UNIT_STOP,  # SD_MESSAGE_UNIT_STOPPED
    "d9b373ed55a64feb8242e02dbe79a49c": UNIT_FAIL,  # SD_MESSAGE_UNIT_FAILURE_RESULT
    "7b05ebc668384222baa8881179cfda54": UNIT_RELOAD,  # SD_MESSAGE_UNIT_RELOADED
}
"""systemd's MESSAGE_ID (sd-messages.h) of what is told of units."""
STOPPING = "de5b426a63be47a7b6ac3eaac82e2f6f"
"""The MESSAGE_ID (SD_MESSAGE_UNIT_STOPPING) with which systemd begins to stop a unit."""
OWN_UNIT = "pacslab-audit.service"
RESTART, SHUTDOWN = "restart", "shutdown"
"""Why systemd stops a unit, other than because somebody wants it stopped."""
WHOLE_HOST = "multi-user.target"
"""The unit whose stop begins a host's end: the others stop after it (systemd.special(7))."""
FIRST_OF_PEOPLE = 1000
"""The first user id that is a person's (login.defs, UID_MIN); programs of ours run under none of these."""
MANAGER = "1"
"""Process id of systemd, which the journal itself records (_PID, systemd.journal-fields(7))."""


@dataclass(frozen=True)
class Told:
    """Something that was told, and by which program."""

    action: str
    outcome: str
    time: str
    """RFC 3339 in UTC."""
    program: str
    pid: str
    facts: Mapping[str, Any]
    """Keys of docs/events.md, besides those above."""

    def text(self, key: str) -> str:
        """Return a fact as text without space around it, empty where it is not known."""
        value = self.facts.get(key)
        if value is None:
            return ""
        return (",".join(map(str, value)) if isinstance(value, list) else str(value)).strip()


def matches(units: list[str]) -> list[str]:
    """Return the matches for journalctl(1) by which it yields every line that :func:`told_by` reads, and few more."""
    programs = sorted({program for action in ACTIONS.values() for program in action.programs})
    identifiers = [*programs, "sshd-session", "sshd", "sudo", *PROGRAMS, CONFIGURING]
    wanted = [[f"SYSLOG_IDENTIFIER={name}"] for name in identifiers]
    wanted.append(["_PID=1", f"MESSAGE_ID={STOPPING}", f"UNIT={OWN_UNIT}"])
    if units:
        ids = [f"MESSAGE_ID={number}" for number in UNIT_MESSAGES]
        wanted.append(["_PID=1", *ids, *(f"UNIT={unit}" for unit in (*units, WHOLE_HOST))])
    return [word for number, group in enumerate(wanted) for word in ([*(["+"] if number else []), *group])]


FIELDS = (
    "MESSAGE", "SYSLOG_IDENTIFIER", "MESSAGE_ID", "UNIT", "UNIT_RESULT", "JOB_TYPE", "_PID", "_UID",
    "_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP", "SYSLOG_PID",
)  # fmt: skip
"""Fields of the journal that are looked at (journalctl --output-fields)."""


def told_by(entry: Mapping[str, Any]) -> Told | None:
    """Return what an entry of the journal tells (journalctl --output=json), if it is of any interest here."""
    message = entry.get("MESSAGE")
    if not isinstance(message, str):  # not UTF-8, or too long for journalctl
        return None
    program, pid = str(entry.get("SYSLOG_IDENTIFIER", "")), str(entry.get("_PID", ""))
    line = _Line(program, pid, _time(entry), message)
    if message.lstrip().startswith("{"):
        event, uid = _event(line), str(entry.get("_UID", ""))
        if event is not None and uid.isdigit() and int(uid) >= FIRST_OF_PEOPLE:
            return line.told(FORGE_EVENT, "refused", user=uid, verb=event.action, reason="other-user")
        return event
    reader = _READERS.get(program)
    if reader is not None:
        return reader(line)
    if pid == MANAGER and entry.get("MESSAGE_ID") in UNIT_MESSAGES:
        return _unit(line, entry)
    return None


def is_own_stop(entry: Mapping[str, Any], since: float) -> bool:
    """Whether systemd tells that it stops the daemon itself, later than a time (seconds since 1970).

    What it told before that is all that there is to know of why: it stops units one after another.
    """
    stopping = entry.get("MESSAGE_ID") == STOPPING and entry.get("UNIT") == OWN_UNIT and entry.get("_PID") == MANAGER
    return stopping and int(entry.get("__REALTIME_TIMESTAMP", 0)) >= since * 1e6


@dataclass(frozen=True)
class _Line:
    program: str
    pid: str
    time: str
    message: str

    def told(self, action: str, outcome: str = "success", **facts: Any) -> Told:
        known = {key: value for key, value in facts.items() if value}
        return Told(action, outcome, self.time, self.program, self.pid, known)


def _event(line: _Line) -> Told | None:
    try:
        event = json.loads(line.message)
    except ValueError:
        return None
    if not isinstance(event, dict):
        return None
    action = ACTIONS.get(str(event.get("action")))
    if action is None or line.program not in action.programs:
        return None
    facts = {
        key: value
        for key, value in event.items()
        if key not in {"time", "action", "outcome"} and value not in ("", None) and not isinstance(value, dict)
    }
    if "path" in facts and (found := _STUDY.search(str(facts["path"]))):
        facts.setdefault("study", found[1])
    return Told(
        action.word,
        str(event.get("outcome", "")),
        _stated(event.get("time")) or line.time,
        line.program,
        line.pid,
        facts,
    )


_STUDY = re.compile(r"/studies/([0-9.]{1,64})(?:/|$)")
"""In the path of a request for DICOMweb (PS3.18 8.2)."""

_ACCEPTED = re.compile(
    r"(?P<how>Accepted|Failed) publickey for (?:invalid user )?(?P<user>[^\n]{1,200}) from (?P<peer>\S{1,64}) port"
    r" (?P<port>\d{1,5}) ssh2: \S{1,64} \S{1,64}(?: ID (?P<id>[^\n]*) \(serial (?P<serial>\d+)\) CA [^\n]*)?"
)
_ENDED = re.compile(r"Disconnected from user (?P<user>[^\n]{1,200}) (?P<peer>\S{1,64}) port (?P<port>\d{1,5})")
_NOT_LET_IN = re.compile(
    r"Connection (?:closed|reset) by (?:authenticating|invalid) user (?P<user>[^\n]{0,200}) (?P<peer>\S{1,64}) port"
    r" \d{1,5}(?: \[preauth\])?"
)
"""Of a name that looks like the rest of the line, all belongs to the name: what sshd knows itself stands last."""


def _ssh(line: _Line) -> Told | None:
    if found := _ACCEPTED.fullmatch(line.message):
        if (
            found["id"] is None and found["how"] == "Failed"
        ):  # the plain key, which a client offers before its certificate
            return None
        person = (found["id"] or "").partition(":")[0]
        told = {"user": found["user"], "person": person, "peer": found["peer"], "source_port": found["port"]}
        if found["how"] == "Accepted":
            return line.told(SSH_LOGIN, **told, certificate=found["serial"])
        return line.told(SSH_LOGIN, "refused", **told, certificate=found["serial"], reason="certificate-refused")
    if found := _ENDED.fullmatch(line.message):
        return line.told(SSH_LOGOUT, user=found["user"], peer=found["peer"], source_port=found["port"])
    if found := _NOT_LET_IN.fullmatch(line.message):
        return line.told(SSH_LOGIN, "refused", user=found["user"], peer=found["peer"], reason="no-certificate")
    return None


_OF_SUDO = ("TTY=", "PWD=", "CHROOT=", "GROUP=", "TSID=", "ENV=", "USER=", "COMMAND=")


def _sudo(line: _Line) -> Told | None:
    """Read what sudo ran (sudo 1.9, logging.c): ``user : [why ;] TTY=.. ; PWD=.. ; USER=.. ; COMMAND=..``."""
    user, told, rest = line.message.partition(" : ")
    parts = rest.split(" ; ")
    targets = [part.removeprefix("USER=") for part in parts if part.startswith("USER=")]
    commands = [part.removeprefix("COMMAND=").split(" ", 1)[0] for part in parts if part.startswith("COMMAND=")]
    if not told or not targets or not commands:
        return None
    user = user.strip()
    if len(targets) > 1 or len(commands) > 1:  # a folder or an argument that looks like the rest of the line
        return line.told(FORGE_EVENT, "refused", user=user, verb="sudo", reason="malformed")
    facts = {"user": user, "target": targets[0], "verb": commands[0]}
    if not parts[0].startswith(_OF_SUDO):  # why it did not run it
        return line.told(SUDO, "refused", **facts, reason="not-permitted")
    return line.told(SUDO, **facts)


def _configured(line: _Line) -> Told | None:
    return line.told(CONFIGURE) if line.message.startswith("Invoked with ") else None


def _changed(line: _Line) -> Told | None:
    """Read a change of the host's accounts; which account it is stands where the host's accounts always stand."""
    facts = change_of(line.message)
    if facts is None:
        return None
    return line.told(CHANGE_LOCAL, user=facts.pop("account", ""), **facts)


_READERS = {
    **dict.fromkeys(PROGRAMS, _changed),
    "sshd-session": _ssh,
    "sshd": _ssh,
    "sudo": _sudo,
    CONFIGURING: _configured,
}


def _unit(line: _Line, entry: Mapping[str, Any]) -> Told:
    action, unit = UNIT_MESSAGES[str(entry["MESSAGE_ID"])], str(entry.get("UNIT", ""))
    if action == UNIT_FAIL:
        return line.told(action, "failed", unit=unit, reason="unhealthy", status=str(entry.get("UNIT_RESULT", "")))
    again = action == UNIT_STOP and entry.get("JOB_TYPE") == "restart"
    return line.told(action, unit=unit, reason=RESTART if again else "")


def _stated(time: object) -> str:
    """A time that an event states, if it is one: RFC 3339 with its zone."""
    try:
        when = datetime.fromisoformat(str(time))
        return at(when.timestamp()) if when.tzinfo else ""
    except (ValueError, OverflowError):
        return ""


def _time(entry: Mapping[str, Any]) -> str:
    for name in ("_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP"):
        microseconds = str(entry.get(name, ""))
        if microseconds.isdigit():
            return at(int(microseconds) / 1e6)
    return at(datetime.now(tz=UTC).timestamp())


def at(seconds: float) -> str:
    """Return seconds since 1970 as RFC 3339 in UTC, with milliseconds.

    >>> at(0.25)
    '1970-01-01T00:00:00.250Z'
    """
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
