"""A line as the collector keeps it (docs/logs.md) becomes fields: an event, or what a daemon wrote in its own words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from simulators.audit.told import CONFIGURE, SUDO, UNIT_FAIL, UNIT_RELOAD, UNIT_START, UNIT_STOP, told_by
from simulators.events.actions import ACTIONS
from simulators.siem.normalise.moment import seconds_of, stamp
from simulators.siem.normalise.told import number, of_facts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simulators.siem.fields import Fields

LONGEST = 1000
"""Characters of a text that are kept."""

Told = tuple[str, str, dict[str, Any], str]
"""Action, outcome, facts, dataset."""


def of_line(line: Mapping[str, Any], received: float | None = None) -> Fields:
    """Return the fields of a line.

    Args:
        line: its keys are those of docs/logs.md: ``time``, ``received``, ``host``, ``program``, ``pid``, ``message``,
            ``data``.
        received: when the repository had it, seconds since 1970; by default as the line says.
    """
    host, program = str(line.get("host") or "unknown"), str(line.get("program") or "")
    pid, message = str(line.get("pid") or ""), str(line.get("message") or "")
    if received is None:
        received = seconds_of(str(line.get("received"))) or seconds_of(str(line.get("time"))) or 0.0
    data = line.get("data")
    told = _event(program, data) if isinstance(data, dict) else None
    stated = str(data["time"]) if told is not None and isinstance(data, dict) and "time" in data else ""
    if told is None:
        told = _of_daemon(program, pid, message)
    if told is not None:
        action, outcome, facts, dataset = told
        fields = of_facts(action, outcome, program, facts, host)
        fields["event.dataset"] = dataset
    else:
        fields = {"event.dataset": "system.line", "event.provider": program, "host.name": host}
        if message:
            fields["message"] = message[:LONGEST]
    fields["process.name"] = program
    if pid.isdigit():
        fields["process.pid"] = number(pid)
    stamp(fields, stated or str(line.get("time") or ""), received)
    return fields


def _event(program: str, data: Mapping[str, Any]) -> Told | None:
    """An event of a program of ours (docs/events.md)."""
    action = ACTIONS.get(str(data.get("action")))
    if action is None or program not in action.programs:
        return None
    facts = {
        key: value
        for key, value in data.items()
        if key not in {"time", "action", "outcome"} and value not in ("", None, "-") and not isinstance(value, dict)
    }
    if "path" in facts and (found := _STUDY.search(str(facts["path"]))):
        facts.setdefault("study", found[1])
    return action.word, str(data.get("outcome") or ""), facts, "pacslab.event"


_STUDY = re.compile(r"/studies/([0-9.]{1,64})(?:/|$)")


def _of_daemon(program: str, pid: str, message: str) -> Told | None:
    reader = _READERS.get(program)
    if reader is not None:
        return reader(message)
    entry = {"MESSAGE": message, "SYSLOG_IDENTIFIER": program, "_PID": pid, "__REALTIME_TIMESTAMP": "0"}
    told = None if message.lstrip().startswith("{") else told_by(entry)
    if told is None:
        return None
    facts = dict(told.facts)
    if told.action not in {SUDO, CONFIGURE} and (serial := facts.pop("certificate", None)):
        facts["detail"] = f"serial {serial}"
    return told.action, told.outcome, facts, "system.auth"


_UNIT = re.compile(r"(?P<verb>Started|Stopped|Reloaded) (?P<unit>[\w@.\\-]+\.(?:service|socket|timer))(?: - .*)?\.?")
_UNIT_FAILED = re.compile(r"(?P<unit>[\w@.\\-]+\.service): Failed with result '(?P<result>[a-z-]+)'\.")
_VERBS = {"Started": UNIT_START, "Stopped": UNIT_STOP, "Reloaded": UNIT_RELOAD}


def _systemd(message: str) -> Told | None:
    """Read systemd about a unit (systemd 252 to 257)."""
    if found := _UNIT.fullmatch(message):
        return _VERBS[found["verb"]], "success", {"unit": found["unit"]}, "system.unit"
    if found := _UNIT_FAILED.fullmatch(message):
        facts = {"unit": found["unit"], "status": found["result"], "reason": "unhealthy"}
        return UNIT_FAIL, "failed", facts, "system.unit"
    return None


CLOCK = "clock"
"""Action of a line of the time client."""
_WRONG = re.compile(r"System clock wrong by (?P<offset>-?[0-9.]+) seconds")
_JUMP = re.compile(r"(?P<how>Forward|Backward) time jump detected!")


def _chrony(message: str) -> Told | None:
    """Read chronyd about the host's clock (chrony, ``logchange`` and sched.c)."""
    if found := _WRONG.match(message):
        return CLOCK, "failed", {"offset": float(found["offset"])}, "system.time"
    if found := _JUMP.match(message):
        return CLOCK, "failed", {"state": found["how"].lower()}, "system.time"
    return None


_DENIED = re.compile(
    r'.*FATAL:\s+(?:password|certificate|peer|Ident|SCRAM) ?authentication failed for user "(?P<user>[^"]*)"'
)
_NO_ENTRY = re.compile(
    r'.*FATAL:\s+(?:no pg_hba\.conf entry for|pg_hba\.conf rejects connection for) host "(?P<peer>[^"]*)",'
    r' user "(?P<user>[^"]*)", database "(?P<database>[^"]*)"'
)
_AUTHORIZED = re.compile(r".*LOG:\s+connection authorized: user=(?P<user>\S+) database=(?P<database>\S+)")
DATABASE_SESSION = "open-database-session"
"""Action of a line of PostgreSQL about somebody who was let in."""


def _postgres(message: str) -> Told | None:
    """Read PostgreSQL about who was let in, and who was not (libpq/auth.c)."""
    if found := _DENIED.match(message):
        return "sign-in", "refused", {"user": found["user"], "reason": "certificate-refused"}, "postgresql.log"
    if found := _NO_ENTRY.match(message):
        facts = {**found.groupdict(), "reason": "unlisted"}
        return "sign-in", "refused", facts, "postgresql.log"
    if found := _AUTHORIZED.match(message):
        return DATABASE_SESSION, "success", found.groupdict(), "postgresql.log"
    return None


_READERS: dict[str, Callable[[str], Told | None]] = {
    "systemd": _systemd,
    "chronyd": _chrony,
    "postgres": _postgres,
}
