"""A real firewall is managed over an interface of its own, and over none of its zones."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.unit.lab.trust.sites import tiny_site
from tests.unit.roles.firewall.rules import chain, host_rules, render, write_ruleset, zone_rules

if TYPE_CHECKING:
    from pathlib import Path

NFT = shutil.which("nft", path="/usr/sbin:/usr/bin") or "nft"
SOURCES = [{"source": "192.0.2.10", "port": 22}]
SITE = tiny_site()
GATEWAY = SITE.gateway
ZONES = {f"vlan{zone.vlan}" for zone in SITE.topology.zones.values()}


def outside(sources: list[dict[str, object]]) -> list[str]:
    """What happens to packets for addresses of no zone."""
    return chain(
        render(SITE, GATEWAY, "firewall", "zones.nft.j2", base_management_sources=sources),
        "outside",
    )


def test_a_lab_where_nobody_is_named_lets_nothing_in_from_outside_the_zones() -> None:
    rules = chain(zone_rules(SITE), "outside")
    assert not [line for line in rules if "established" in line or "management" in line]


def test_who_manages_the_firewall_reaches_its_own_addresses_only() -> None:
    (line,) = [line for line in outside(SOURCES) if "management" in line]
    assert "fib daddr type local ip saddr 192.0.2.10 tcp dport 22 accept" in line


def test_answers_to_the_firewalls_own_questions_come_in() -> None:
    (line,) = [line for line in outside(SOURCES) if "established" in line]
    assert "fib daddr type local ct state established,related accept" in line


def test_nothing_of_it_holds_for_a_zones_interface() -> None:
    lines = [line for line in outside(SOURCES) if "fib daddr type local" in line]
    assert len(lines) == 2
    for line in lines:
        excluded = line.partition("iifname != {")[2].partition("}")[0]
        assert {name.strip(' "') for name in excluded.split(",")} == ZONES


def test_everything_else_is_still_refused_in_the_end() -> None:
    assert outside(SOURCES)[-1] == "drop"


def test_nft_accepts_the_rules(tmp_path: Path) -> None:
    rules = render(SITE, GATEWAY, "firewall", "zones.nft.j2", base_management_sources=SOURCES)
    path = write_ruleset(tmp_path, host_rules(SITE, GATEWAY, base_management_sources=SOURCES), rules)
    done = subprocess.run(
        ["unshare", "--net", NFT, "--check", "--file", path], capture_output=True, text=True, check=False
    )
    if "Operation not permitted" in done.stderr:
        pytest.skip("no network namespace of its own: not allowed here")
    assert (done.returncode, done.stderr) == (0, "")
