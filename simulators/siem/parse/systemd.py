"""systemd (252 to 257) about a host's units; told by process 1 alone, since anybody can write under its name."""

from __future__ import annotations

import re

from simulators.audit.told import MANAGER, UNIT_FAIL, UNIT_RELOAD, UNIT_START, UNIT_STOP, WHOLE_HOST
from simulators.siem.parse.reading import Line, Read

DATASET = "system.unit"
RESTART = "unit-restart"

_CHANGED = re.compile(
    r"(?P<verb>Started|Stopped|Reloaded) (?:target )?(?P<unit>[\w@.:\\-]{1,120}\.(?:service|socket|timer)|"
    + re.escape(WHOLE_HOST)
    + r")\b"
)
_ABOUT = re.compile(r"(?P<unit>[\w@.:\\-]{1,120}\.service): (?P<what>[A-Z][^\n]*)")
_VERBS = {"Started": UNIT_START, "Stopped": UNIT_STOP, "Reloaded": UNIT_RELOAD}
_RESULT = re.compile(r"Failed with result '(?P<result>[a-z-]{1,40})'\.")
_AGAIN = "Scheduled restart job, restart counter is at "
_OUT_OF_MEMORY = "A process of this unit has been killed by the OOM killer."


def read(line: Line) -> Read | None:
    """Read a line of systemd."""
    if line.pid != MANAGER:
        return None
    message = line.message
    if found := _CHANGED.match(message):
        return Read(_VERBS[found["verb"]], "success", {"unit": found["unit"]}, DATASET)
    about = _ABOUT.match(message)
    return _trouble(about["unit"], about["what"]) if about else None


def _trouble(unit: str, what: str) -> Read | None:
    if found := _RESULT.fullmatch(what):
        return Read(UNIT_FAIL, "failed", {"unit": unit, "status": found["result"], "reason": "unhealthy"}, DATASET)
    if what == _OUT_OF_MEMORY:
        return Read(UNIT_FAIL, "failed", {"unit": unit, "status": "oom-kill", "reason": "unhealthy"}, DATASET)
    if what.startswith(_AGAIN) and (count := what[len(_AGAIN) :].rstrip(".")).isdigit():
        return Read(RESTART, "failed", {"unit": unit, "attempts": int(count[:9]), "reason": "unhealthy"}, DATASET)
    return None
