"""Where everything of the picture stands: zones left and right of the firewall, flows as tracks through it."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from lab.topology.graph.nets import Net, site_nets, uncommon_roles

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.topology.site import Site

GRID = 18
"""Rows are this high, in pixels. Lines leave left hosts on whole rows and right hosts on half rows: none overlap."""
MARGIN = 24
ZONE_WIDTH = 384
GAP = 34
"""Between zones and firewall."""
TRACK = 22
"""Between two tracks in the firewall."""
MIN_HUB = 260
TOP = 180
"""Where the columns of zones begin."""
HEADER = 2 * GRID
PAD = 12
LANE = 20
"""Between two flows that stay inside a zone."""
CHARACTER = 6.35
"""Width of a character at 11 px, in pixels: a little more than the mean, so that nothing overlaps."""
BESIDE_ROLES = 122
"""What stands beside a card's roles: margins, flow numbers and the host's state, in pixels."""

Side = Literal["left", "right"]


@dataclass
class Card:
    """One host. ``ends`` says at which height each net of it leaves, by the net's number; ``common`` have no lines."""

    host: str
    roles: list[str]
    nets: list[Net]
    common: list[Net]
    y: float = 0
    ends: dict[int, float] = field(default_factory=dict)

    @property
    def height(self) -> int:
        """Rows for its text or its nets, whichever are more."""
        return GRID * max(1 + bool(self.common) + max(1, len(self.roles)), len(self.nets) + 1)


@dataclass
class Box:
    """One zone with its hosts."""

    zone: str
    cards: list[Card]
    inside: list[Net]
    side: Side = "left"
    x: float = 0
    y: float = 0

    @property
    def height(self) -> int:
        """The whole box, with the space below it."""
        return HEADER + sum(card.height for card in self.cards) + (0 if self.cards else GRID) + GRID

    @property
    def inset(self) -> int:
        """Space on the outer side, where flows that stay inside the zone run."""
        return PAD + LANE * len(self.inside)


@dataclass
class Picture:
    """The whole layout. ``tracks`` holds the x of each net that passes the firewall, by its number."""

    nets: list[Net]
    boxes: list[Box]
    tracks: dict[int, float]
    hub: tuple[float, float]
    """Left and right edge of the firewall."""
    width: float
    bottom: float
    """Lower end of the columns."""

    def cards(self) -> list[tuple[Box, Card]]:
        """Return every card with its zone."""
        return [(box, card) for box in self.boxes for card in box.cards]


def lay_out(site: Site) -> Picture:
    """Place a site's zones, hosts and flows."""
    nets = site_nets(site)
    lines = [net for net in nets if not net.common and net.inside is None]
    boxes = _boxes(site, nets, lines)
    left, right = _columns(site, boxes, lines)
    for _ in range(4):  # each column follows the other until neither moves
        _stack(left, 0)
        _stack(right, GRID / 2)
        _order_by_neighbours(left, right)
        _order_by_neighbours(right, left)
    _stack(left, 0)
    _stack(right, GRID / 2)
    hub_width = max(MIN_HUB, TRACK * (len(lines) + 1))
    hub_left = MARGIN + ZONE_WIDTH + GAP
    hub = (hub_left, hub_left + hub_width)
    for box in left:
        box.side, box.x = "left", MARGIN
    for box in right:
        box.side, box.x = "right", hub[1] + GAP
    order = _order_tracks(lines, left, right)
    step = hub_width / (len(order) + 1)
    return Picture(
        nets=nets,
        boxes=[*left, *right],
        tracks={number: hub_left + step * (place + 1) for place, number in enumerate(order)},
        hub=hub,
        width=hub[1] + GAP + ZONE_WIDTH + MARGIN,
        bottom=max(_height(left), _height(right)) + TOP,
    )


def _boxes(site: Site, nets: list[Net], lines: list[Net]) -> list[Box]:
    roles = uncommon_roles(site)
    boxes = []
    for zone in site.topology.zones:
        box = Box(zone, [], [net for net in nets if net.inside == zone and not net.common])
        characters = int((ZONE_WIDTH - box.inset - PAD - BESIDE_ROLES) / CHARACTER)
        box.cards += [
            Card(
                name,
                textwrap.wrap(", ".join(roles[name]), characters, break_on_hyphens=False),
                [net for net in lines if name in net.hosts],
                [net for net in nets if net.common and name in net.hosts],
            )
            for name, host in site.hosts.items()
            if host.zone == zone and not host.gateway
        ]
        boxes.append(box)
    return boxes


def _columns(site: Site, boxes: list[Box], lines: list[Net]) -> tuple[list[Box], list[Box]]:
    """Put zones that mostly open connections left and those that mostly serve right, in columns of like height."""

    def opens(box: Box) -> int:
        names = [card.host for card in box.cards]
        return sum((name in net.sources) - (name in net.targets) for net in lines for name in names)

    busy = sorted((box for box in boxes if any(card.nets for card in box.cards)), key=opens, reverse=True)
    idle = [box for box in boxes if box not in busy]
    pairs = {
        (site.hosts[source].zone, site.hosts[target].zone)
        for net in lines
        for source in net.sources
        for target in net.targets
    }

    def cost(cut: int) -> float:
        side = {box.zone: place < cut for place, box in enumerate(busy)}
        bent = sum(
            side.get(first) == side.get(second) for first, second in pairs
        )  # lines that come back to their own side
        spare = sum(box.height for box in idle)
        uneven = abs(_height(busy[:cut]) - _height(busy[cut:]))
        return bent + max(0, uneven - spare) / 60

    cut = min(range(len(busy) + 1), key=cost)
    left, right = busy[:cut], busy[cut:]
    served = {target for net in site_nets(site) if net.common for target in net.targets}
    for box in sorted(idle, key=lambda one: any(card.host in served for card in one.cards), reverse=True):
        serves = any(card.host in served for card in box.cards)
        column = right if _height(right) < _height(left) or (serves and _height(right) < _height(left) + 200) else left
        column.append(box)
    return left, right


def _height(column: Iterable[Box]) -> int:
    return sum(box.height for box in column)


def _stack(column: list[Box], offset: float) -> None:
    """Set the heights of boxes, cards and line ends from the order of the column."""
    y = TOP + offset
    for box in column:
        box.y = y
        y += HEADER
        for card in box.cards:
            card.y = y
            spare = (card.height // GRID - 1 - len(card.nets)) // 2 * GRID
            card.ends = {net.number: y + spare + GRID * (place + 1) for place, net in enumerate(card.nets)}
            y += card.height
        y = box.y + box.height


def _order_by_neighbours(column: list[Box], other: list[Box]) -> None:
    """Sort zones, hosts and line ends towards the middle of what they are joined to, so that lines cross less."""
    heights: dict[int, list[float]] = {}
    for box in [*column, *other]:
        for card in box.cards:
            for number, y in card.ends.items():
                heights.setdefault(number, []).append(y)

    def pull(net: Net, own: float) -> float:
        others = [y for y in heights[net.number] if y != own]
        return sum(others) / len(others) if others else own

    def middle(card: Card) -> float:
        pulls = [pull(net, card.ends[net.number]) for net in card.nets]
        return sum(pulls) / len(pulls) if pulls else float("inf")

    for box in column:
        for card in box.cards:
            card.nets.sort(key=lambda net, card=card: pull(net, card.ends[net.number]))  # type: ignore[misc] # mypy cannot infer a lambda with a default
        box.cards.sort(key=middle)
    column.sort(key=lambda box: min(map(middle, box.cards), default=float("inf")))


def _order_tracks(lines: list[Net], left: list[Box], right: list[Box]) -> list[int]:
    """Order the tracks so that lines cross as little as neighbouring swaps can achieve."""
    ends = {net.number: _ends(net, left, right) for net in lines}

    def crossings(first: int, second: int) -> int:
        """Count where lines cross when the first track stands left of the second."""
        (left_first, right_first), (left_second, right_second) = ends[first], ends[second]
        span_first, span_second = [*left_first, *right_first], [*left_second, *right_second]
        return sum(min(span_first) < y < max(span_first) for y in left_second) + sum(
            min(span_second) < y < max(span_second) for y in right_first
        )

    order = [net.number for net in lines]
    for _ in order:
        for place, (first, second) in enumerate(pairwise(order)):
            if order[place : place + 2] == [first, second] and crossings(second, first) < crossings(first, second):
                order[place : place + 2] = [second, first]
    return order


def _ends(net: Net, left: list[Box], right: list[Box]) -> tuple[list[float], list[float]]:
    """Return the heights at which a net's lines come in from the left and from the right."""
    sides = [
        [card.ends[net.number] for box in column for card in box.cards if net.number in card.ends]
        for column in (left, right)
    ]
    return sides[0], sides[1]


def card_span(box: Box) -> tuple[float, float]:
    """Return left edge and width of a zone's cards."""
    left = box.x + (box.inset if box.side == "left" else PAD)
    return left, ZONE_WIDTH - box.inset - PAD
