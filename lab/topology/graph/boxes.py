"""Draw the firewall, the zones and the hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.topology.graph import style
from lab.topology.graph.drawing import BADGE_STEP
from lab.topology.graph.layout import GRID, HEADER, PAD, TOP, ZONE_WIDTH, card_span

if TYPE_CHECKING:
    from lab.topology.graph.drawing import Drawing
    from lab.topology.graph.layout import Box, Card

HUB_HEADER = 72
NUMBERS = 26
"""Width that the numbers of a card's flows take, in pixels."""
STRIPE = 6


def draw_firewall(drawing: Drawing) -> None:
    """Draw the gateway host, through which everything between zones passes."""
    canvas, (left, right) = drawing.canvas, drawing.picture.hub
    name = drawing.site.gateway
    top, middle = TOP - HUB_HEADER, (left + right) / 2
    height = drawing.picture.bottom - top - GRID / 2
    edge = {"fill": style.HUB, "stroke": style.HUB_LINE}
    canvas.add("rect", x=left, y=top, width=right - left, height=height, rx=8, stroke_width=2, **edge)
    canvas.add("text", name, x=middle, y=top + 20, class_="name middle")
    facts = f"{drawing.site.hosts[name].address} · the gateway of every zone"
    canvas.add("text", facts, x=middle, y=top + 37, class_="middle")
    canvas.add("text", "denies and logs what no flow allows", x=middle, y=top + 53, class_="faint middle")
    common = [net for net in drawing.picture.nets if net.common and name in net.hosts]
    drawing.badges(name, common, right - PAD - BADGE_STEP * len(common), top + 16)
    state = drawing.state(name)
    if state:
        colour, word = state
        canvas.add("rect", x=left + 1, y=top + 8, width=STRIPE, height=HUB_HEADER - 22, fill=colour)
        canvas.add("text", word, x=left + 13, y=top + 20, style=f"fill:{colour};font-weight:bold")


def draw_zone(drawing: Drawing, box: Box) -> None:
    """Draw a zone's frame and heading; its hosts come later, above the lines."""
    canvas, zone = drawing.canvas, drawing.site.topology.zones[box.zone]
    edge = {"stroke": style.INK, "stroke_dasharray": "5 3"} if zone.isolated else {"stroke": style.ZONE_LINE}
    edge["fill"] = style.ZONE
    size = {"width": ZONE_WIDTH, "height": box.height - GRID / 2}
    canvas.add("rect", x=box.x, y=box.y, rx=8, stroke_width=1.5, **size, **edge)
    canvas.add("text", box.zone, x=box.x + PAD, y=box.y + 16, class_="name")
    tag = f"isolated · VLAN {zone.vlan}" if zone.isolated else f"VLAN {zone.vlan}"
    canvas.add("text", f"{tag} · {zone.subnet}", x=box.x + ZONE_WIDTH - PAD, y=box.y + 16, class_="end")
    canvas.add("text", zone.purpose, x=box.x + PAD, y=box.y + 31, class_="faint")
    if not box.cards:
        canvas.add("text", "no host but the firewall", x=box.x + PAD, y=box.y + HEADER + 12, class_="faint")


def draw_host(drawing: Drawing, box: Box, card: Card) -> None:
    """Draw a host's card, with the numbers of its flows at the edge that faces the firewall."""
    canvas, host = drawing.canvas, drawing.site.hosts[card.host]
    x, width = card_span(box)
    left = box.side == "left"
    numbers = NUMBERS if card.nets else 0
    text = x + PAD + (0 if left else numbers)
    end = x + width - PAD - (numbers if left else 0)
    with canvas.group(f"{card.host}: {host.asset.purpose}. Roles: {', '.join(host.roles)}"):
        frame = {"x": x, "y": card.y + 2, "width": width, "height": card.height - 4}
        foreign = {"stroke_dasharray": "5 3"} if host.device is not None else {}
        canvas.add("rect", rx=5, fill=style.PAPER, stroke=style.INK, stroke_width=1, **foreign, **frame)
        title = card.host if host.ae_title is None else f"{card.host} · {host.ae_title}"
        canvas.add("text", title, x=text, y=card.y + 15, class_="name")
        canvas.add("text", str(host.address), x=end, y=card.y + 15, class_="end")
        drawing.badges(card.host, card.common, text, card.y + 27)
        below = card.y + 30 + (GRID if card.common else 0)
        for row, line in enumerate(card.roles):
            canvas.add("text", line, x=text, y=below + 15 * row, class_="faint")
        for net in card.nets:
            badge = x + width - 14 if left else x + 14
            drawing.badge(badge, card.ends[net.number], net, filled=card.host in net.targets)
        state = drawing.state(card.host)
        if state:
            colour, word = state
            stripe = {**frame, "x": x if left else x + width - STRIPE, "width": STRIPE}
            canvas.add("rect", fill=colour, **stripe)
            canvas.add("text", word, x=end, y=card.y + 30, class_="end", style=f"fill:{colour};font-weight:bold")
