"""sudo and su: who ran, or tried to run, a program as somebody else."""

from __future__ import annotations

import re

from simulators.audit.told import FORGE_EVENT, SUDO, told_by
from simulators.siem.parse.reading import Line, Read, told

DATASET = "system.auth"

_SU = re.compile(r"(?P<failed>FAILED SU )?\(to (?P<target>\S{1,64})\) (?P<user>\S{1,64}) on \S{1,64}")


def read(line: Line) -> Read | None:
    """Read a line of sudo; of the command only its program is kept."""
    entry = {"MESSAGE": line.message, "SYSLOG_IDENTIFIER": "sudo", "_PID": line.pid, "__REALTIME_TIMESTAMP": "0"}
    event = told_by(entry)
    if event is None or event.action not in {SUDO, FORGE_EVENT}:
        return None
    return Read(event.action, event.outcome, dict(event.facts), DATASET)


def read_su(line: Line) -> Read | None:
    """Read a line of su (util-linux)."""
    if not (found := _SU.fullmatch(line.message)):
        return None
    facts = told(user=found["user"], target=found["target"], verb="su")
    if found["failed"]:
        return Read(SUDO, "refused", {**facts, "reason": "not-permitted"}, DATASET)
    return Read(SUDO, "success", facts, DATASET)
