"""Which of the collector's lines become events of the repository: what is understood, and no audit message tells."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from simulators.audit.table import rows_for
from simulators.audit.told import UNIT_MESSAGES, WHOLE_HOST, told_by
from simulators.siem.normalise.actions import SYSTEMD
from simulators.siem.normalise.lines import of_line
from simulators.siem.parse import systemd
from simulators.siem.parse.reading import Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simulators.siem.fields import Fields
    from simulators.siem.site import Site

DULL = frozenset({"system.line", "samba.audit", "edge.log"})
"""Datasets of what nobody judges or looks for, or of what is told by an event as well."""

OF_UNITS = frozenset(UNIT_MESSAGES.values())


class Sieve:
    """Reads lines, and lets through what becomes an event."""

    def __init__(self, audited: Mapping[str, Iterable[str]], site: Site | None = None) -> None:
        """Know which hosts send audit messages of their own, of which units too, and what the site adds."""
        self._audited = {host: frozenset({*units, WHOLE_HOST}) for host, units in audited.items()}
        self._site = site

    def event(self, line: bytes, received: float) -> tuple[str, Fields] | None:
        """Return the host and the event of a line; None where it becomes none.

        Args:
            line: as the collector keeps it.
            received: now, seconds since 1970.
        """
        try:
            read = json.loads(line)
        except ValueError:
            return None
        if not isinstance(read, dict) or not isinstance(read.get("host"), str):
            return None
        units = self._audited.get(read["host"])
        if units is not None and _is_audited(read, units):
            return None
        fields = of_line(read, received)
        if fields["event.dataset"] in DULL:
            return None
        return read["host"], self._site.enrich(fields) if self._site is not None else fields


def _is_audited(line: dict[str, Any], units: frozenset[str]) -> bool:
    """Whether the host's daemon makes an audit message of the line; of systemd's, of these units."""
    message, program, pid = str(line.get("message", "")), str(line.get("program", "")), str(line.get("pid", ""))
    if program == SYSTEMD:
        about = systemd.read(Line(program, pid, message))
        return about is not None and about.action in OF_UNITS and about.facts["unit"] in units
    entry = {"MESSAGE": message, "SYSLOG_IDENTIFIER": program, "_PID": pid, "__REALTIME_TIMESTAMP": "0"}
    if isinstance(line.get("data"), dict):
        entry["MESSAGE"] = json.dumps(line["data"])
    told = told_by(entry)
    return told is not None and any(not row.beside for row in rows_for(told))
