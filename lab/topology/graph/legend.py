"""Draw the heading: the site, and what lines, marks and colours mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.topology.graph import style
from lab.topology.graph.canvas import number
from lab.topology.graph.drawing import arrow, badge, dot
from lab.topology.graph.layout import GAP, MARGIN

if TYPE_CHECKING:
    from lab.topology.graph.drawing import Drawing


def describe(drawing: Drawing) -> str:
    """Say the site in one line."""
    topology = drawing.site.topology
    counts = f"{len(topology.zones)} zones, {len(topology.hosts)} hosts, {len(topology.flows)} flows"
    return f"{counts}. What no flow allows is denied."


def draw_legend(drawing: Drawing) -> None:
    """Draw the site's title above the left column, and the meaning of marks above the right one."""
    canvas, topology = drawing.canvas, drawing.site.topology
    canvas.add("text", topology.title, x=MARGIN, y=38, class_="title")
    canvas.add("text", f"{topology.domain} · {describe(drawing)}", x=MARGIN, y=58, class_="faint")
    cards = "Hosts: name · DICOM AE title, address, and the roles that fewer than half of all hosts have."
    canvas.add("text", cards, x=MARGIN, y=74, class_="faint")
    _services(drawing)
    _marks(drawing)
    if drawing.health is not None:
        _states(drawing)


def _services(drawing: Drawing) -> None:
    canvas, x, y = drawing.canvas, float(MARGIN), 98.0
    for service in dict.fromkeys(net.service for net in drawing.picture.nets if not net.common):
        width = 46 + 6.9 * len(service)
        if x + width > drawing.picture.hub[0] - GAP / 2:
            x, y = float(MARGIN), y + 20
        stroke = drawing.strokes[service]
        line = {"d": f"M{number(x)} {number(y)}h30", "stroke": stroke.colour, "stroke_dasharray": stroke.dashes}
        canvas.add("path", class_="net", **line)
        canvas.add("text", service, x=x + 36, y=y + 4)
        x += width


def _marks(drawing: Drawing) -> None:
    canvas, x = drawing.canvas, drawing.picture.hub[1] + GAP
    dot(canvas, x + 6, 34, style.INK)
    canvas.add("text", "opens the connection", x=x + 22, y=38)
    arrow(canvas, x + 186, 34, 1, style.INK)
    canvas.add("text", "serves it", x=x + 196, y=38)
    badge(canvas, (x + 8, 56), "1", style.FAINT, filled=False)
    canvas.add("text", "opens,", x=x + 22, y=60)
    badge(canvas, (x + 76, 56), "1", style.FAINT, filled=True)
    canvas.add("text", "serves a flow of nearly every host (no line)", x=x + 90, y=60)
    frame = {"fill": style.ZONE, "stroke": style.INK, "stroke_dasharray": "5 3"}
    canvas.add("rect", x=x, y=72, width=18, height=13, rx=3, stroke_width=1.5, **frame)
    canvas.add("text", "isolated: its hosts cannot reach each other", x=x + 26, y=82)


def _states(drawing: Drawing) -> None:
    states = [drawing.state(host) or ("", "") for host in drawing.site.hosts]
    x = drawing.picture.hub[1] + GAP
    for colour, word in dict.fromkeys(sorted(states, key=states.count, reverse=True)):
        drawing.canvas.add("rect", x=x, y=94, width=6, height=13, fill=colour)
        drawing.canvas.add("text", f"{states.count((colour, word))} {word}", x=x + 12, y=104)
        x += 40 + 7 * len(word)
