"""Reads what a search of audit events asks for (IHE ITI-81, over FHIR R4 3.1.1): names, times, and which page."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from simulators.errors import ArgumentError
from simulators.siem.console.queries.place import PAGE, Place, Window

if TYPE_CHECKING:
    from simulators.siem.console.visit import Visit

NAMES = {
    "patient.identifier": "patient", "agent.identifier": "person", "user": "person", "source": "host",
    "source.identifier": "host", "type": "code", "outcome": "outcome",
}  # fmt: skip
"""Parameters, by what they find in the store."""
ENTITY = "entity.identifier"
"""A study by its UID, or an accession number."""
KNOWN = frozenset({*NAMES, ENTITY, "date", "_count", "_format", "_page"})
UID = re.compile(r"(?:urn:oid:)?([0-9]+(?:\.[0-9]+)+)")
DATE = re.compile(r"(eq|ge|le|gt|lt)?(\d{4}-\d{2}-\d{2}(?:T.+)?)")
OUTCOMES = {"0": "success", "4": "failure", "8": "failure", "12": "failure"}
"""What the store knows of AuditEvent.outcome: how grave a failure was, the event itself says."""
DAY = timedelta(days=1)


def wanted_by(visit: Visit) -> dict[str, str]:
    """Return what is asked for, by what it finds.

    Raises:
        ArgumentError: a parameter is not known here, or its value can find nothing.
    """
    strange = sorted(set(visit.request.query_params) - KNOWN)
    if strange:
        raise ArgumentError(f"{strange[0][:40]} is not searched by.", remedy=f"Known are {', '.join(sorted(KNOWN))}.")
    wanted = {}
    for name, means in NAMES.items():
        if value := _value(visit, name):
            wanted[means] = value.partition("@")[0] if means == "person" else value
    if "outcome" in wanted:
        if wanted["outcome"] not in OUTCOMES:
            raise ArgumentError("There is no such outcome.", remedy="It is 0, 4, 8 or 12.")
        wanted["outcome"] = OUTCOMES[wanted["outcome"]]
    if value := _value(visit, ENTITY):
        found = UID.fullmatch(value)
        wanted["study" if found else "accession"] = found[1] if found else value
    return wanted


def window_of(visit: Visit) -> Window:
    """Return the time that is asked for, which ITI-81 requires.

    Raises:
        ArgumentError: there is none, or it is none.
    """
    since, until = None, None
    for text in visit.request.query_params.getlist("date"):
        found = DATE.fullmatch(text.strip())
        try:
            when = datetime.fromisoformat(found[2]) if found else None
        except ValueError:
            when = None
        if found is None or when is None:
            raise ArgumentError(f"{text[:40]} is no date.", remedy="Write it as date=ge2026-01-05T09:00:00Z.")
        when = when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
        exact, day = found[1] or "eq", DAY if len(found[2]) == len("2026-01-05") else timedelta(seconds=1)
        if exact in {"ge", "eq"}:
            since = when
        if exact == "gt":
            since = when + day
        if exact in {"le", "eq"}:
            until = when + day
        if exact == "lt":
            until = when
    if since is None:
        raise ArgumentError("It is not said of which time.", remedy="Add a date, such as date=ge2026-01-05.")
    return Window(since, until)


def page_of(visit: Visit) -> tuple[Place | None, int]:
    """Return where the page begins, and how many events it has.

    Raises:
        ArgumentError: one of them is none.
    """
    count = visit.asked("_count")
    if count and not re.fullmatch(r"[0-9]{1,6}", count):
        raise ArgumentError("_count is no number.", remedy=f"Ask for 1 to {PAGE}.")
    return Place.of(visit.asked("_page")), min(max(int(count or PAGE), 1), PAGE)


def _value(visit: Visit, name: str) -> str:
    """Return a token's value: what follows its system (FHIR R4 3.1.1.5.11)."""
    return visit.asked(name).rpartition("|")[2]
