"""Which decision a person may take about an incident, and what it has to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.errors import ArgumentError, NotFoundError
from simulators.printable import printable
from simulators.siem.incidents.model import Choice, Decision, State

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from simulators.siem.incidents.model import Incident

LONGEST_NOTE = 2000
"""Characters."""
SHORTEST_NOTE = 3
ALLOWED = {
    State.OPEN: {Choice.ACKNOWLEDGE, Choice.CLOSE},
    State.ACKNOWLEDGED: {Choice.ACKNOWLEDGE, Choice.CLOSE},
    State.CLOSED: {Choice.REOPEN},
}
"""What may follow on each state; whoever acknowledges again adds a note."""


def decide(known: Iterable[Incident], number: int, choice: Choice, *, person: str, note: str, at: datetime) -> Decision:
    """Return a decision that may be added.

    Args:
        known: the incidents as they are.
        number: the incident's.
        choice: what is decided.
        person: who decides, by the name at sign-on.
        note: why.
        at: now.

    Raises:
        NotFoundError: there is no such incident.
        ArgumentError: its state does not allow it, nobody is named, or it is not said why.
    """
    incident = next((one for one in known if one.number == number), None)
    if incident is None:
        raise NotFoundError(f"There is no incident {number}.", remedy="List the incidents.")
    if choice not in ALLOWED[incident.state]:
        raise ArgumentError(f"Incident {number} is {incident.state}.", remedy="Look at what was decided before.")
    if not person.strip():
        raise ArgumentError("Nobody is named who decides.", remedy="Sign in.")
    told = printable(note.strip())
    if not SHORTEST_NOTE <= len(told) <= LONGEST_NOTE:
        remedy = f"Write a note of {SHORTEST_NOTE} to {LONGEST_NOTE} characters."
        raise ArgumentError(f"It is not said why somebody wants to {choice} incident {number}.", remedy=remedy)
    return Decision(number, choice, person.strip(), told, at)
