"""What changes a host's own accounts, in the words that their audit messages have."""

from __future__ import annotations

from simulators.audit.local_accounts import change_of
from simulators.audit.told import CHANGE_LOCAL
from simulators.siem.parse.reading import Line, Read

DATASET = "system.auth"


def read(line: Line) -> Read | None:
    """Read a line of a program that changes accounts of the host."""
    facts = change_of(line.message)
    return Read(CHANGE_LOCAL, "success", facts, DATASET) if facts is not None else None
