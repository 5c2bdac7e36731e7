"""Colours and line patterns of the picture.

Colours are of the sets by Okabe and Ito and by Tol, told apart with any colour vision; each service also has a line
pattern of its own, so that a print without colour can be read too.
"""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

from lab.topology.catalog import network_services
from lab.topology.role import Line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.topology.role import Catalog

INK = "#1b1f24"
FAINT = "#57606a"
PAPER = "#ffffff"
ZONE = "#f6f8fa"
ZONE_LINE = "#8c959f"
HUB = "#fff8e6"
HUB_LINE = "#9a6700"


OTHERS = (
    Line(colour="#332288", dashes="6 2 2 2"),
    Line(colour="#997700", dashes="9 4"),
    Line(colour="#aa3377", dashes="12 3 3 3"),
    Line(colour="#225555", dashes="3 3"),
    Line(colour="#663333", dashes="none"),
)

HEALTH = {"healthy": ("#117733", "healthy"), "unhealthy": ("#c1360b", "unhealthy")}
UNKNOWN_HEALTH = "#997700"


def strokes(services: Iterable[str], catalog: Catalog) -> dict[str, Line]:
    """Return how each service is drawn, in the order given: as its role says, or as the next free style."""
    chosen: dict[str, Line] = {}
    declared = {name: service.line for name, service in network_services(catalog).items() if service.line is not None}
    free = cycle(OTHERS)
    for service in services:
        if service not in chosen:
            chosen[service] = declared.get(service) or next(free)
    return chosen


def health_mark(state: str) -> tuple[str, str]:
    """Return colour and word of a host's state."""
    return HEALTH.get(state, (UNKNOWN_HEALTH, state))
