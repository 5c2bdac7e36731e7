"""A line as the collector keeps it (docs/logs.md) becomes fields: an event, or what a daemon wrote in its own words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from simulators.events.actions import ACTIONS
from simulators.siem.normalise.moment import seconds_of, stamp
from simulators.siem.normalise.told import number, of_facts
from simulators.siem.parse.reading import Line, Read
from simulators.siem.parse.table import read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.siem.fields import Fields

LONGEST = 1000
"""Characters of a text that are kept."""


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
    if not isinstance(data, dict):
        data = None
    told = _event(program, data) if data is not None else None
    stated = str(data["time"]) if told is not None and data is not None and "time" in data else ""
    if told is None:
        told = read(Line(program, pid, message, str(line.get("severity") or ""), data))
    if told is not None:
        fields = of_facts(told.action, told.outcome, program, told.facts, host)
        fields.update(told.fields)
        fields["event.dataset"] = told.dataset
    else:
        fields = {"event.dataset": "system.line", "event.provider": program, "host.name": host}
        if message:
            fields["message"] = message[:LONGEST]
    fields["process.name"] = program
    if pid.isdigit():
        fields["process.pid"] = number(pid)
    stamp(fields, stated or str(line.get("time") or ""), received)
    return fields


def _event(program: str, data: Mapping[str, Any]) -> Read | None:
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
    return Read(action.word, str(data.get("outcome") or ""), facts, "pacslab.event")


_STUDY = re.compile(r"/studies/([0-9.]{1,64})(?:/|$)")
