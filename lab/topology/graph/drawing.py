"""What every part of the picture draws with, and the small marks they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.topology.graph import style
from lab.topology.graph.canvas import Canvas, number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lab.topology.graph.layout import Picture
    from lab.topology.graph.nets import Net
    from lab.topology.role import Line
    from lab.topology.site import Site

BADGE = 8
"""Radius of a flow's number, in pixels."""
BADGE_STEP = 2 * BADGE + 2
"""From one number to the next in a row of them."""


@dataclass(frozen=True)
class Drawing:
    """A picture being drawn. ``health`` is each host's state, or None when no state is shown."""

    canvas: Canvas
    site: Site
    picture: Picture
    strokes: dict[str, Line]
    health: Mapping[str, str] | None

    def stroke(self, net: Net) -> Line:
        """Return how a flow's lines are drawn."""
        return self.strokes[net.service]

    def state(self, host: str) -> tuple[str, str] | None:
        """Return colour and word of a host's state, when states are shown."""
        return None if self.health is None else style.health_mark(self.health.get(host, "unknown"))

    def badge(self, x: float, y: float, net: Net, *, filled: bool) -> None:
        """Draw a flow's number; filled where the flow is served."""
        badge(self.canvas, (x, y), str(net.number), self.stroke(net).colour, filled=filled)

    def badges(self, host: str, nets: Sequence[Net], x: float, y: float) -> None:
        """Draw, from x to the right, the numbers of flows that a host takes part in without a line."""
        for place, net in enumerate(nets):
            self.badge(x + BADGE + place * BADGE_STEP, y, net, filled=host in net.targets)

    def path(self, net: Net, path: str) -> None:
        """Draw a flow's line, with a halo that parts it from the lines it crosses."""
        stroke = self.stroke(net)
        self.canvas.add("path", d=path, class_="halo")
        self.canvas.add("path", d=path, class_="net", stroke=stroke.colour, stroke_dasharray=stroke.dashes)

    def end(self, x: float, y: float, inwards: int, net: Net, host: str) -> None:
        """Draw where a flow meets a host: a dot where it is opened, an arrow where it is served."""
        serves, colour = host in net.targets, self.stroke(net).colour
        if serves:
            arrow(self.canvas, x, y, inwards, colour)
        if host in net.sources:
            dot(self.canvas, x - inwards * (12 if serves else 4), y, colour)


def arrow(canvas: Canvas, x: float, y: float, inwards: int, colour: str) -> None:
    """Draw an arrow's head whose tip is at x; ``inwards`` is 1 to the right and -1 to the left."""
    back = x - inwards * 10
    canvas.add("path", d=f"M{number(x)} {number(y)}L{number(back)} {number(y - 5)}V{number(y + 5)}Z", fill=colour)


def dot(canvas: Canvas, x: float, y: float, colour: str) -> None:
    """Draw where a connection is opened."""
    canvas.add("circle", cx=x, cy=y, r=4, fill=colour)


def badge(canvas: Canvas, at: tuple[float, float], text: str, colour: str, *, filled: bool) -> None:
    """Draw a number in a circle."""
    x, y = at
    canvas.add("circle", cx=x, cy=y, r=BADGE, fill=colour if filled else style.PAPER, stroke=colour, stroke_width=1.5)
    ink = style.PAPER if filled else style.INK
    canvas.add("text", text, x=x, y=y + 3.5, class_="badge", style=f"fill:{ink}")


def summary(net: Net) -> str:
    """Say a flow in one line."""
    return f"{net.number}: {', '.join(net.sources)} to {', '.join(net.targets)}, {net.service}: {net.flow.why}"
