"""Entries of a journal as the tests of audit messages need them: an event for each row of the table."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from simulators.audit.message import Source
from simulators.audit.table import TABLE
from simulators.audit.told import OF_OTHERS, OWN_UNIT, STOPPING, UNIT_MESSAGES, UNIT_STOP, Told, told_by
from simulators.events.actions import ACTIONS
from simulators.events.keys import GIVEN
from simulators.events.vocabulary import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulators.audit.table import Row

SOURCE = Source(
    "ris1", "ris1.imaging.internal", "reference", "imaging.internal", "RIS1", "4",
    {
        "ct1": "ct1.imaging.internal", "10.24.41.11": "ct1.imaging.internal", "CT1": "ct1.imaging.internal",
        "pacs-rad": "pacs-rad.imaging.internal", "PACSRAD": "pacs-rad.imaging.internal",
    },
)  # fmt: skip
PLAIN: dict[str, Any] = {
    "patient": "P0000001", "study": "1.2.3.4", "accession": "A0000001", "peer": "ct1", "ae_title": "CT1",
    "certificate": "ct1.imaging.internal", "person": "a.rivera", "user": "root",
}  # fmt: skip
"""Keys that an event of any action may have, with plain values."""
ROWS = [row for rows in TABLE.values() for row in rows]


def identify(row: Row) -> str:
    """Name a row for a test's title."""
    values = "-".join(sorted(value for words in row.values.values() for value in words)[:1])
    programs = "-".join(row.programs[:1])
    return "-".join(filter(None, (row.action, row.event.value, programs, values, *row.outcomes[:1])))


def event_for(row: Row, **facts: Any) -> Told:
    """Return an event that the row fits, with these facts and those that it needs."""
    program = row.programs[0] if row.programs else _programs(row.action)[0]
    outcome = row.outcomes[0] if row.outcomes else Outcome.SUCCESS
    needed = {key: next(iter(sorted(values)), PLAIN.get(key, "some")) for key, values in row.values.items()}
    known = {**facts, **{key: needed[key] for key in needed if row.values[key] or key not in facts}}
    if outcome in {Outcome.REFUSED, Outcome.FAILED}:
        known.setdefault("reason", "not-permitted")
    return Told(row.action, outcome.value, "2026-01-05T09:12:44.310Z", program, "1234", known)


def keys_of(action: str) -> list[str]:
    """Every key that an event of an action may have, besides action, outcome and time."""
    if action in OF_OTHERS:
        return ["user", "person", "peer", "certificate", "verb", "target", "status", "unit", "reason"]
    return [*sorted(GIVEN), *ACTIONS[action].facts, "transaction", "reason"]


def entry(message: object, program: str = "pacslab-ris", **more: str) -> dict[str, Any]:
    """Return an entry of the journal, as journalctl --output=json has it."""
    text = message if isinstance(message, str) else json.dumps(message)
    fields = {"SYSLOG_IDENTIFIER": program, "_PID": "1234", "__REALTIME_TIMESTAMP": "1767604364310000"}
    return {"MESSAGE": text, **fields, **more}


def of_unit(unit: str, what: str = UNIT_STOP, **more: str) -> dict[str, Any]:
    """What systemd tells of a unit."""
    (identifier,) = [number for number, action in UNIT_MESSAGES.items() if action == what]
    return entry("...", "systemd", MESSAGE_ID=identifier, UNIT=unit, _PID="1", **more)


def own_stop(at: float) -> dict[str, Any]:
    """What systemd tells when it begins to stop the daemon."""
    fields = {"MESSAGE_ID": STOPPING, "UNIT": OWN_UNIT, "__REALTIME_TIMESTAMP": str(int(at * 1e6))}
    return entry("Stopping ...", "systemd", _PID="1", **fields)


def told(message: object, program: str = "pacslab-ris", **more: str) -> Told:
    """Return what an entry tells."""
    found = told_by(entry(message, program, **more))
    assert found is not None
    return found


def described(messages: Iterable[str]) -> list[str]:
    """Return what messages say of their outcomes, empty where they say no more than the code."""
    found = [re.search(r"<EventOutcomeDescription>(.*?)<", message) for message in messages]
    return [match[1] if match else "" for match in found]


def _programs(action: str) -> tuple[str, ...]:
    return ACTIONS[action].programs if action in ACTIONS else ("systemd",)
