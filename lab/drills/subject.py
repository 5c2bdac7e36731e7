"""Where a fault is made."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Subject:
    """What the fault is made at.

    Attributes:
        host: The host.
        part: What of it: a unit, a folder, a moment; empty for all of it.
    """

    host: str
    part: str = ""

    def __str__(self) -> str:
        """As it stands in results."""
        return f"{self.host} {self.part}".rstrip()
