"""Colours and line patterns of the picture.

Colours are of the sets by Okabe and Ito and by Tol, told apart with any colour vision; each service also has a line
pattern of its own, so that a print without colour can be read too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

INK = "#1b1f24"
FAINT = "#57606a"
PAPER = "#ffffff"
ZONE = "#f6f8fa"
ZONE_LINE = "#8c959f"
HUB = "#fff8e6"
HUB_LINE = "#9a6700"


@dataclass(frozen=True)
class Stroke:
    """How the lines of one service are drawn."""

    colour: str
    dashes: str


KNOWN = {
    "dicom-tls": Stroke("#0072b2", "none"),
    "hl7-tls": Stroke("#d55e00", "9 4"),
    "dicomweb-tls": Stroke("#117733", "12 3 3 3"),
    "postgresql": Stroke("#882255", "3 3"),
    "syslog-tls": Stroke("#57606a", "none"),
    "certificate-status": Stroke("#57606a", "none"),
}
OTHERS = (
    Stroke("#332288", "6 2 2 2"),
    Stroke("#997700", "9 4"),
    Stroke("#aa3377", "12 3 3 3"),
    Stroke("#225555", "3 3"),
    Stroke("#663333", "none"),
)

HEALTH = {"healthy": ("#117733", "healthy"), "unhealthy": ("#c1360b", "unhealthy")}
UNKNOWN_HEALTH = "#997700"


def strokes(services: Iterable[str]) -> dict[str, Stroke]:
    """Return each service's stroke, in the order given; services that are not known take the next free one."""
    chosen: dict[str, Stroke] = {}
    others = 0
    for service in services:
        if service in chosen:
            continue
        chosen[service] = KNOWN.get(service, OTHERS[others % len(OTHERS)])
        others += service not in KNOWN
    return chosen


def health_mark(state: str) -> tuple[str, str]:
    """Return colour and word of a host's state."""
    return HEALTH.get(state, (UNKNOWN_HEALTH, state))
