"""Draw flows: tracks through the firewall, and lanes inside a zone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.topology.graph.canvas import number
from lab.topology.graph.drawing import Drawing, summary
from lab.topology.graph.layout import LANE, TOP, card_span

if TYPE_CHECKING:
    from lab.topology.graph.layout import Box, Card
    from lab.topology.graph.nets import Net


def draw_lines(drawing: Drawing) -> None:
    """Draw every flow that is not shown as a badge."""
    for net in drawing.picture.nets:
        if net.number in drawing.picture.tracks:
            _track(drawing, net)
    for box in drawing.picture.boxes:
        for lane, net in enumerate(box.inside):
            _lane(drawing, box, lane, net)


def _track(drawing: Drawing, net: Net) -> None:
    """Draw a flow's track, and a line from it to each of its hosts."""
    x = drawing.picture.tracks[net.number]
    ends = [(box, card, card.ends[net.number]) for box, card in drawing.picture.cards() if net.number in card.ends]
    firewall = [name for name in net.hosts if drawing.site.hosts[name].gateway]
    heights = [y for _, _, y in ends] + [TOP + 2.0] * len(firewall)
    path = f"M{number(x)} {number(min(heights))}V{number(max(heights))}"
    for box, _, y in ends:
        path += f"M{number(_edge(box))} {number(y)}H{number(x)}"
    with drawing.canvas.group(summary(net), class_="flow"):
        drawing.path(net, path)
        for y in heights:
            if min(heights) < y < max(heights):
                drawing.canvas.add("circle", cx=x, cy=y, r=3.2, fill=drawing.stroke(net).colour)
        for box, card, y in ends:
            drawing.end(_edge(box), y, -1 if box.side == "left" else 1, net, card.host)
        for name in firewall:
            drawing.badge(x, TOP + 2.0, net, filled=name in net.targets)


def _lane(drawing: Drawing, box: Box, lane: int, net: Net) -> None:
    """Draw a flow that stays inside its zone, on the zone's outer side: the firewall does not see it."""
    left, width = card_span(box)
    outwards, edge = (-1, left) if box.side == "left" else (1, left + width)
    x = edge + outwards * (LANE * (lane + 1) - 4)
    cards = [card for card in box.cards if card.host in net.hosts]
    middle = sum(card.y + card.height / 2 for card in cards) / len(cards)
    ends = [(card, card.y + card.height / 2 + _nested(lane, card, middle)) for card in cards]
    heights = [y for _, y in ends]
    path = f"M{number(x)} {number(min(heights))}V{number(max(heights))}"
    for y in heights:
        path += f"M{number(x)} {number(y)}H{number(edge)}"
    with drawing.canvas.group(summary(net), class_="flow"):
        drawing.path(net, path)
        for card, y in ends:
            drawing.end(edge, y, -outwards, net, card.host)
        drawing.badge(x, (min(heights) + max(heights)) / 2, net, filled=False)


def _nested(lane: int, card: Card, middle: float) -> float:
    """Return how far a lane's end is from the middle of a card, so that outer lanes go around inner ones."""
    return (lane * 14 - 7) * (-1 if card.y + card.height / 2 < middle else 1)


def _edge(box: Box) -> float:
    """Return the x at which lines meet the cards of a zone."""
    left, width = card_span(box)
    return left + width if box.side == "left" else left
