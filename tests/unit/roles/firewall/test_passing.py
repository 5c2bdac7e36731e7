"""What passes the firewall: tried with real packets, in namespaces of the test's own, past the fabric's filter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lab.engine.fabric import wanted_network
from lab.settings import ROOT
from tests.unit.lab.engine.namespaces import unshared
from tests.unit.lab.trust.sites import tiny_site
from tests.unit.roles.firewall.rules import host_rules, render, write_ruleset

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROGRAM = ROOT / "tests" / "unit" / "roles" / "firewall" / "firewall_trial.py"
SITE = tiny_site()
HOSTS = ("pacs1", "ct1", "ct2", "guest1")


@pytest.fixture
def scene(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Play a scene at the firewall of the tiny site, with settings of its role."""

    def play(name: str, **settings: Any) -> dict[str, Any]:
        rules = render(SITE, SITE.gateway, "firewall", "zones.nft.j2", **settings)
        zones = SITE.topology.zones
        task = {
            "state": str(tmp_path),
            "wanted": wanted_network(SITE, dict.fromkeys((SITE.gateway, *HOSTS), 0)),
            "rules": str(write_ruleset(tmp_path / "rules", host_rules(SITE, SITE.gateway), rules)),
            "gateway": SITE.gateway,
            "addresses": {host: str(SITE.hosts[host].address) for host in HOSTS},
            "gateways": {host: str(zones[SITE.hosts[host].zone].gateway) for host in HOSTS},
            "scene": name,
        }
        return unshared(PROGRAM, task)

    return play


def test_a_packet_in_the_name_of_another_zone_stays_outside_and_is_logged(
    scene: Callable[..., dict[str, Any]],
) -> None:
    seen = scene("forged")
    assert (seen["syn"], seen["reset"], seen["lives"]) == (False, False, True)
    assert seen["own"]
    assert [prefix for prefix, _ in seen["logged"]] == ["ZFORGED guest"] * 2


def test_an_error_message_is_no_way_in_for_what_it_carries(scene: Callable[..., dict[str, Any]]) -> None:
    seen = scene("errors")
    assert seen["arrived"] == {"guest1": False, "pacs1": False}
    assert [prefix for prefix, _ in seen["logged"]] == ["ZDENY guest>scanners", "ZDENY core>scanners"]


def test_nobody_uses_up_a_neighbours_share_in_its_name(scene: Callable[..., dict[str, Any]]) -> None:
    seen = scene("neighbours_name", firewall_connections_per_source=50)
    assert seen["connected"] == 20
    assert ["ZDENY scanners>core", 1] in seen["logged"]


def test_a_source_holds_as_many_connections_as_it_may(scene: Callable[..., dict[str, Any]]) -> None:
    seen = scene("too_many", firewall_connections_per_source=5)
    assert seen["held"] == 5
    assert ["ZDENY scanners>core", 1] in seen["logged"]
    assert seen["other"]
    assert seen["again"]


def test_a_flood_from_one_zone_blinds_the_log_of_no_other(scene: Callable[..., dict[str, Any]]) -> None:
    seen = scene("flood", firewall_refusals_per_sender_at_once=200, firewall_refusals_at_once=400)
    assert seen["after"] == 50
    assert 200 <= seen["during"]["ZDENY guest>core"] < 400
    assert 50 <= seen["during"]["ZFORGED guest"] < 200
    assert seen["counted"]["forged_30"] == 3000
    assert seen["counted"]["refused_30"] == 3000
