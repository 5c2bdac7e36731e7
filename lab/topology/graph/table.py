"""The table of flows under the picture."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.topology.graph.canvas import number
from lab.topology.graph.layout import CHARACTER, MARGIN

if TYPE_CHECKING:
    from lab.topology.graph.drawing import Drawing
    from lab.topology.site import Site

LINE = 15
FEW = 4
"""Hosts of a selector are named up to this many."""


@dataclass(frozen=True)
class Column:
    """A column's heading and its part of the width."""

    heading: str
    share: float


COLUMNS = (
    Column("", 0.03),
    Column("service", 0.165),
    Column("from", 0.17),
    Column("to", 0.15),
    Column("permits", 0.18),
    Column("why", 0.305),
)


def draw_table(drawing: Drawing) -> float:
    """Draw the flows below the picture; return the height of the whole drawing."""
    canvas, site = drawing.canvas, drawing.site
    width = drawing.picture.width - 2 * MARGIN
    lefts = [MARGIN + width * sum(column.share for column in COLUMNS[:place]) for place in range(len(COLUMNS))]
    y = drawing.picture.bottom + 22
    for column, left in zip(COLUMNS, lefts, strict=True):
        canvas.add("text", column.heading, x=left, y=y, style="font-weight:bold")
    y += 7
    for net in drawing.picture.nets:
        cells = [
            "",
            f"{net.service} {net.port}/{net.protocol}",
            _who(site, net.flow.from_, net.sources),
            _who(site, net.flow.to, net.targets),
            " ".join(net.flow.permits) or "the whole service",
            net.flow.why,
        ]
        wrapped = [
            textwrap.wrap(cell, max(8, int(width * column.share / CHARACTER) - 1), break_on_hyphens=False)
            for cell, column in zip(cells, COLUMNS, strict=True)
        ]
        rule = f"M{MARGIN} {number(y)}h{number(width)}"
        canvas.add("path", d=rule, stroke="#d0d7de", stroke_width=1)
        drawing.badge(MARGIN + 10, y + 11, net, filled=False)
        for left, lines in zip(lefts, wrapped, strict=True):
            for row, line in enumerate(lines):
                canvas.add("text", line, x=left, y=y + LINE * (row + 1))
        y += LINE * max(map(len, wrapped)) + 7
    return y + MARGIN


def _who(site: Site, selector: str | list[str], hosts: tuple[str, ...]) -> str:
    """Name the hosts when they are few, and otherwise what is written."""
    if len(hosts) <= FEW:
        return ", ".join(hosts)
    written = [selector] if isinstance(selector, str) else selector
    words = [entry.replace("role:", "role ").replace("zone:", "zone ") for entry in written]
    return f"{', '.join(words)} ({len(hosts)} of {len(site.hosts)} hosts)"
