"""The picture of a site shows every zone, host and flow, and no two lines that could be taken for one."""

from __future__ import annotations

import re
import time
from itertools import combinations
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from lab.topology import load_site
from lab.topology.graph import draw_mermaid, draw_svg
from lab.topology.graph.layout import TRACK, card_span, lay_out
from lab.topology.graph.nets import site_nets
from lab.topology.load import site_names, site_path
from tests.unit.lab.topology.large_site import large_site
from tests.unit.lab.topology.sites import change, tiny_site

if TYPE_CHECKING:
    from pathlib import Path

    from lab.topology import Site

NAME_CHARACTER, NAME_HEIGHT = 7.0, 10.0
"""About what a character of a name or an address takes, in pixels."""
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(params=[*site_names(), "large"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    """Each site that is kept here, and a large one."""
    return large_site(tmp_path) if request.param == "large" else load_site(site_path(request.param))


def texts(picture: str) -> list[str]:
    root = ET.fromstring(picture)  # noqa: S314 # drawn by the code under test
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def test_every_zone_host_and_address_is_named(site: Site) -> None:
    shown = texts(draw_svg(site))
    assert set(site.topology.zones) <= set(shown)
    for name, host in site.hosts.items():
        assert name in shown or f"{name} · {host.ae_title}" in shown
        assert any(str(host.address) in text for text in shown)


def test_every_flow_is_a_line_or_a_badge_at_each_of_its_hosts(site: Site) -> None:
    picture = lay_out(site)
    for net in picture.nets:
        drawn = {card.host for _, card in picture.cards() if net.number in card.ends}
        without_gateway = {host for host in net.hosts if not site.hosts[host].gateway}
        assert drawn == (set() if net.common or net.inside else without_gateway)


def test_every_flow_is_a_row_of_the_table(site: Site) -> None:
    shown = texts(draw_svg(site))
    for net in site_nets(site):
        assert f"{net.service} {net.port}/{net.protocol}" in shown
        assert shown.count(str(net.number)) >= 1 + len(net.hosts) * (not net.inside)


def test_no_two_lines_lie_on_each_other(site: Site) -> None:
    picture = lay_out(site)
    heights = {
        side: {y for box, card in picture.cards() if box.side == side for y in card.ends.values()}
        for side in ("left", "right")
    }
    assert not heights["left"] & heights["right"]
    assert len(set(picture.tracks.values())) == len(picture.tracks)


def test_a_large_site_is_drawn_whole_and_soon(tmp_path: Path) -> None:
    site = large_site(tmp_path)
    assert len(site.topology.hosts) >= 40
    assert len(site.topology.flows) >= 80
    begun = time.process_time()
    picture = lay_out(site)
    assert time.process_time() - begun < 5
    left, right = picture.hub
    assert all(left < x < right for x in picture.tracks.values())
    assert min(abs(first - second) for first, second in combinations(picture.tracks.values(), 2)) >= TRACK


def test_no_box_overlaps_another_and_all_stand_on_the_page(site: Site) -> None:
    picture = lay_out(site)
    for first, second in combinations(picture.boxes, 2):
        assert first.side != second.side or first.y + first.height <= second.y or second.y + second.height <= first.y
    for box, card in picture.cards():
        left, width = card_span(box)
        assert left > 0
        assert left + width < picture.width
        assert box.y < card.y
        assert card.y + card.height <= box.y + box.height <= picture.bottom + 18


def test_no_flows_number_covers_a_host_s_name_or_address(site: Site) -> None:
    picture = ET.fromstring(draw_svg(site))  # noqa: S314 # drawn by the code under test
    circles = [tuple(float(circle.attrib[key]) for key in ("cx", "cy", "r")) for circle in picture.iter(f"{SVG}circle")]
    hosts = {name if host.ae_title is None else f"{name} · {host.ae_title}" for name, host in site.hosts.items()}
    addresses = {str(host.address) for host in site.hosts.values()}
    for element in picture.iter(f"{SVG}text"):
        said = element.text or ""
        if said in hosts | addresses:
            width, x, y = NAME_CHARACTER * len(said), float(element.attrib["x"]), float(element.attrib["y"])
            left = {"end": x - width, "middle": x - width / 2}.get(
                element.attrib.get("class", "").rpartition(" ")[2], x
            )
            assert [
                (cx, cy)
                for cx, cy, r in circles
                if left - r < cx < left + width + r and y - NAME_HEIGHT - r < cy < y + r
            ] == [], said


def test_text_of_the_description_cannot_break_the_picture(tmp_path: Path) -> None:
    hostile = "title: '<script>alert(1)</script> & \"quotes\"'"
    odd = tiny_site(tmp_path, change("title: A tiny site", hostile))
    assert "<script>" not in draw_svg(odd)
    assert any("<script>" in text for text in texts(draw_svg(odd)))


def test_a_flow_of_the_firewall_itself_is_drawn(tmp_path: Path) -> None:
    tiny = tiny_site(tmp_path)
    picture = lay_out(tiny)
    (flow,) = [net for net in picture.nets if net.sources == ("fw1",)]
    assert flow.number in picture.tracks
    assert texts(draw_svg(tiny)).count(str(flow.number)) == 3  # at the firewall, at the target, in the table


def test_health_is_a_word_as_well_as_a_colour(tmp_path: Path) -> None:
    tiny = tiny_site(tmp_path)
    states = {"fw1": "healthy", "pacs1": "unhealthy", "ct1": "exited"}
    shown = texts(draw_svg(tiny, states))
    assert {"healthy", "unhealthy", "exited", "unknown"} <= set(shown)
    assert "unhealthy" not in texts(draw_svg(tiny))
    assert "unhealthy" in draw_mermaid(tiny, states)


def test_the_same_site_gives_the_same_picture(site: Site) -> None:
    assert draw_svg(site) == draw_svg(load_site(site.path))
    assert draw_mermaid(site) == draw_mermaid(load_site(site.path))


def test_mermaid_has_each_zone_each_host_and_one_arrow_for_each_pair_and_service(site: Site) -> None:
    text = draw_mermaid(site)
    assert text.count("subgraph ") == len(site.topology.zones)
    assert all(f"<b>{host}</b>" in text for host in site.hosts)
    arrows = re.findall(r"^  (\w+) -->\|([\w-]+)\| (\w+)$", text, re.MULTILINE)
    assert len(arrows) == len(set(arrows)) > 0
    styled = [int(place) for line in re.findall(r"linkStyle ([\d,]+)", text) for place in line.split(",")]
    assert sorted(styled) == list(range(len(arrows)))
