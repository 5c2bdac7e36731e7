"""What a privacy officer reads of access that was taken in emergencies."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from simulators.command_line import Result, table
from simulators.gateway.break_glass import read_grants
from simulators.gateway.serve import grants_file

if TYPE_CHECKING:
    import argparse

    from simulators.settings import Settings


def listing(_: argparse.Namespace, __: Settings) -> Result:
    """List grants, the oldest first."""
    rows = [
        {**asdict(grant), "since": _time(grant.since), "until": _time(grant.until)}
        for grant in read_grants(grants_file())
    ]
    return Result(rows, table(rows, ("since", "until", "person", "patient", "reason")))


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
