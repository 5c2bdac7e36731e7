"""LemonLDAP::NG (2.21) beside its audit, which is events of ``pacslab-sign-on``: start, stop, faults."""

from __future__ import annotations

import re

from simulators.siem.parse.reading import Line, Read

DATASET = "portal.log"
FAULT = "application-fault"

_MANAGER = re.compile(r"FastCGI: manager \(pid \d{1,10}\): (?P<state>initialized|dying: safe exit)")
_PERL = re.compile(r" at (?P<place>[\w./-]{1,200}) line (?P<number>\d{1,7})[.,]")


def read(line: Line) -> Read | None:
    """Read a line of the portal."""
    if line.message.startswith("FastCGI: "):
        if found := _MANAGER.match(line.message):
            return Read("start" if found["state"] == "initialized" else "stop", "success", {}, DATASET)
        return None
    if found := _PERL.search(line.message):
        trace = f"{found['place']}:{found['number']}"
        return Read(FAULT, "failed", {"reason": "internal-error", "trace": trace}, DATASET)
    return None
