"""Ansible's module of this project: what is configured on a host, by the files that it may put in place."""

from __future__ import annotations

from simulators.audit.told import CONFIGURE
from simulators.siem.parse.reading import Line, Read

DATASET = "system.change"


def read(line: Line) -> Read | None:
    """Read the line with which a task begins; contents are not in it, and values of arguments are not kept."""
    return Read(CONFIGURE, "success", {}, DATASET) if line.message.startswith("Invoked with ") else None
