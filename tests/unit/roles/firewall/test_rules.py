"""Filters let through what the site's flows say, and log everything else with the names of its zones."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from ansible.errors import AnsibleError

from lab.topology.load import site_names
from lab.topology.variables import host_variables, site_variables
from tests.unit.lab.trust.sites import tiny_site
from tests.unit.roles.firewall.rules import MAIN, chain, elements, host_rules, write_ruleset, zone_rules
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from pathlib import Path

    from lab.topology.site import Site

SITES = [tiny_site(), *(committed_site(name) for name in site_names())]
NAMES = ["tiny", *site_names()]
PREFIX_LIMIT = 127  # characters: NF_LOG_PREFIXLEN less the terminating zero
COMMENT_LIMIT = 128  # octets of a set element's comment (nft(8))

NFT = shutil.which("nft", path="/usr/sbin:/usr/bin") or "nft"
"""An ordinary user's PATH often lacks /usr/sbin."""

every_site = pytest.mark.parametrize("site", SITES, ids=NAMES)


@every_site
def test_between_zones_exactly_the_flows_pass(site: Site) -> None:
    fw = site.gateway
    facts = site_variables(site)
    wanted = {
        (
            facts["site_zones"][flow["source_zone"]]["interface"],
            flow["source_address"],
            flow["target_address"],
            flow["protocol"],
            str(flow["port"]),
        )
        for flow in facts["site_flows"]
        if fw not in {flow["source"], flow["target"]} and flow["source_zone"] != flow["target_zone"]
    }
    assert elements(zone_rules(site), "flows") == wanted


@every_site
def test_the_only_way_through_is_the_set_of_flows(site: Site) -> None:
    statements = chain(zone_rules(site), "forward")
    assert statements == [
        "ct state established iifname . ip saddr . ip daddr . meta l4proto . th dport @flows accept",
        "ct state established ct direction reply oifname . ip daddr . ip saddr . meta l4proto . th sport @flows accept",
        "ct state invalid drop",
        "meta iifname . ip saddr . ip daddr . meta l4proto . th dport @flows goto zones",
        "goto refuse",
    ]


def test_the_firewall_itself_takes_its_own_flows_only() -> None:
    rules = zone_rules(tiny_site())
    assert elements(rules, "own_flows") == {("vlan20", "10.0.20.11", "10.0.10.1", "udp", "123")}
    accepting = [line for line in chain(rules, "input") if "accept" in line or "goto zones" in line]
    assert accepting == [
        "ct state established iifname . ip saddr . ip daddr . meta l4proto . th dport @own_flows accept",
        "iifname . ip saddr . ip daddr . meta l4proto . th dport @own_flows goto zones",
    ]


@every_site
def test_a_refusal_is_logged_with_both_zones(site: Site) -> None:
    rules = zone_rules(site)
    zones = site.topology.zones
    for source, entry in zones.items():
        for target, other in zones.items():
            assert chain(rules, f"refuse_{entry.vlan}_{other.vlan}") == [
                f'log prefix "ZDENY {source}>{target} " group 1',
                "goto away",
            ]
            assert f'"vlan{entry.vlan}" . "vlan{other.vlan}" : goto refuse_{entry.vlan}_{other.vlan},' in rules
        assert chain(rules, f"refuse_{entry.vlan}_own")[0] == f'log prefix "ZDENY {source}>{site.gateway} " group 1'


@every_site
def test_prefixes_and_comments_fit_the_kernel(site: Site) -> None:
    rules = zone_rules(site) + "".join(host_rules(site, host) for host in site.hosts)
    assert all(len(prefix) <= PREFIX_LIMIT for prefix in re.findall(r'log prefix "([^"]*)"', rules))
    assert all(len(comment.encode()) < COMMENT_LIMIT for comment in re.findall(r'comment "([^"]*)"', rules))


@every_site
def test_a_host_accepts_exactly_the_flows_to_it(site: Site) -> None:
    for host in site.hosts:
        if host == site.gateway:
            continue
        wanted = {
            (flow["source_address"], flow["protocol"], str(flow["port"]))
            for flow in host_variables(site, host)["flows_in"]
        }
        rules = host_rules(site, host)
        assert elements(rules, "accepted") == wanted, host
        incoming = rules[rules.index("set accepted {") :]
        gateway = site.topology.zones[site.hosts[host].zone].gateway
        undelivered = "icmp type { destination-unreachable, time-exceeded, parameter-problem }"
        assert [line.strip() for line in incoming.splitlines() if re.search(r"\baccept\b", line)] == [
            f"ct state related ip saddr {gateway} {undelivered} accept",
            "ip saddr . meta l4proto . th dport @accepted accept",
        ]


ARCHIVE = {
    "4242": {"haproxy"},
    "8042": {"haproxy", "image-manager"},
    "11200": {"image-manager", "orthanc"},
    "11201": {"image-manager", "orthanc"},
    "12575": {"haproxy"},
}


def test_over_loopback_a_service_is_opened_by_those_who_ask_for_it_alone() -> None:
    rules = host_rules(committed_site("small-practice"), "pacs1")
    callers: dict[str, set[str]] = {}
    for port, account in elements(rules, "loopback_callers"):
        callers.setdefault(port, set()).add(account)
    assert callers == ARCHIVE
    assert set(re.findall(r"\d+", re.search(r"set loopback_services {(.*?)}", rules, re.DOTALL)[1])) == set(ARCHIVE)
    assert chain(rules, "loopback")[1:] == [
        'oifname != "lo" accept',
        "tcp flags & (fin | syn | rst | ack) != syn accept",
        "tcp dport != @loopback_services accept",
        "meta skuid 0 accept",
        "tcp dport . meta skuid @loopback_callers accept",
        'limit rate 10/second burst 100 packets log prefix "LDENY " group 1',
        "reject with tcp reset",
    ]


@every_site
def test_every_loopback_service_is_guarded(site: Site) -> None:
    for host in site.hosts:
        ports = {
            str(entry.port)
            for entry in site.services(host).values()
            if entry.scope == "loopback" and entry.port and not entry.beside and entry.carries is None
        }
        found = re.search(r"set loopback_services {.*?elements = {(.*?)}", host_rules(site, host), re.DOTALL)
        assert ports <= set(re.findall(r"\d+", found[1] if found else "")), host


def test_what_a_host_refuses_is_logged() -> None:
    assert chain(host_rules(tiny_site(), "ct1"), "refuse")[-2:] == [
        "ct state established meta l4proto tcp reject with tcp reset",
        "drop",
    ]


def test_on_the_firewall_the_host_filter_leaves_the_judgement_to_the_zones() -> None:
    assert "accepted" not in host_rules(tiny_site(), "fw1")


def test_before_anything_is_configured_a_host_is_closed() -> None:
    assert MAIN.count("policy drop;") == 2
    accepting = [line.strip() for line in MAIN.splitlines() if line.strip().endswith("accept")]
    assert accepting == ['iif "lo" accept', "ct state established ct direction reply accept"]


def test_a_machine_reached_over_ssh_is_not_shut_off_from_who_configures_it() -> None:
    with pytest.raises(AnsibleError, match="base_management_sources"):
        host_rules(tiny_site(), "ct1", ansible_connection="ssh")
    rules = host_rules(
        tiny_site(), "ct1", ansible_connection="ssh", base_management_sources=[{"source": "192.0.2.10", "port": 22}]
    )
    assert 'ip saddr 192.0.2.10 tcp dport 22 accept comment "management"' in rules


@every_site
def test_nft_accepts_every_hosts_rules(site: Site, tmp_path: Path) -> None:
    for host in site.hosts:
        zones = [zone_rules(site)] if host == site.gateway else []
        path = write_ruleset(tmp_path / host, host_rules(site, host), *zones)
        command = ["unshare", "--user", "--map-root-user", "--net", NFT, "--check", "--file", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{host}: {done.stderr}"
