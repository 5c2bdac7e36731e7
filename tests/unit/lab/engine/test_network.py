"""The fabric: names cannot collide, isolation follows the description, and only what is missing is added."""

from __future__ import annotations

import json
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest

from lab.engine import wire
from lab.engine.fabric import mac_address, port_name, wanted_network
from lab.engine.spec import Cgroups, fabric_spec, host_spec
from lab.settings import ROOT
from lab.topology.load import load_site
from lab.topology.model import Topology
from lab.topology.site import Site
from tests.unit.site_builder import build_site

KERNEL_LIMIT = 15


def small_site(**zone: Any) -> Site:
    description = {
        "site": "small",
        "zones": {
            "one": {"vlan": 41, "subnet": "10.1.41.0/24", "purpose": "first", **zone},
            "two": {"vlan": 4094, "subnet": "10.0.0.0/8", "purpose": "second"},
        },
        "hosts": {
            "fw": {"zone": "one", "address": "10.1.41.1", "gateway": True, "roles": ["base", "firewall"]},
            "a": {"zone": "one", "address": "10.1.41.11", "roles": ["base"]},
            "b": {"zone": "one", "address": "10.1.41.12", "roles": ["base"]},
        },
        "flows": [{"from": "a", "to": "b", "service": "web", "why": "test"}],
    }
    web = {"unit": "w.service", "port": 1, "remedy": "r"}
    return build_site(description, {"base": {"summary": "x", "services": {"web": web}}, "firewall": {"summary": "y"}})


@pytest.mark.parametrize("site_name", ["reference", "small-practice"])
def test_interface_names_of_the_fabric_are_unique_and_short_enough(site_name: str) -> None:
    site = load_site(ROOT / "inventories" / site_name / "topology.yml")
    hosts = wanted_network(site, dict.fromkeys(site.hosts, 1))["hosts"]
    ports = [port["port"] for host in hosts for port in host["ports"]]
    assert len(ports) == len(set(ports))
    assert max(map(len, ports)) <= KERNEL_LIMIT


def test_the_longest_possible_name_fits_the_kernel() -> None:
    assert len(port_name(4094, IPv4Network("10.0.0.0/8"), IPv4Address("10.255.255.254"))) <= KERNEL_LIMIT


def test_mac_addresses_are_locally_administered_unicast() -> None:
    first = int(mac_address(IPv4Address("10.24.41.11")).split(":", maxsplit=1)[0], 16)
    assert first & 0b10
    assert not first & 0b01


def test_ports_of_isolated_zones_are_isolated_except_the_firewalls() -> None:
    hosts = wanted_network(small_site(isolated=True), {"fw": 1, "a": 2})["hosts"]
    isolated = {(host["name"], port["interface"]): port["isolated"] for host in hosts for port in host["ports"]}
    assert isolated == {("fw", "vlan41"): False, ("fw", "vlan4094"): False, ("a", "vlan41"): True}


def test_every_host_but_the_firewall_has_a_default_route_by_it() -> None:
    hosts = wanted_network(small_site(), {"fw": 1, "a": 2})["hosts"]
    assert {host["name"]: host["gateway"] for host in hosts} == {"fw": None, "a": "10.1.41.1"}


class Kernel:
    """Stands in for ``ip``: answers looks with what is there, and keeps what it is told."""

    # ruff: noqa: D102, D107 # the methods are those of lab.engine.wire

    def __init__(self, fabric: list[dict[str, Any]], hosts: dict[int, tuple[list[Any], ...]]) -> None:
        self.fabric, self.hosts, self.here = fabric, hosts, 0
        self.told: list[tuple[int, list[str]]] = []

    def ip(self, batch: list[str], *options: str) -> str:
        if "-j" not in options:
            self.told.append((self.here, batch))
            return ""
        if self.here:
            return "".join(json.dumps(document) for document in self.hosts[self.here])
        return json.dumps(self.fabric)

    def enter(self, pid: int) -> bool:
        self.here = pid
        return pid in self.hosts

    def go_to(self, _: int) -> None:
        self.here = 0


def run(kernel: Kernel, wanted: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> wire.Work:
    for name in ("ip", "enter", "go_to"):
        monkeypatch.setattr(wire, name, getattr(kernel, name))
    kernel.here = 0
    work = wire.Work(wanted)
    for host in wanted["hosts"]:
        work.add_host(host)
    work.apply(0)
    return work


MAC, GATEWAY_MAC = "02:00:0a:01:29:0b", "02:00:0a:01:29:01"


def wired() -> Kernel:
    outer = {
        "ifname": "v41-11", "ifindex": 7, "link_index": 3, "master": "br41", "flags": ["UP"],
        "linkinfo": {"info_kind": "veth", "info_slave_data": {"isolated": True}},
    }  # fmt: skip
    inner = {
        "ifname": "vlan41", "ifindex": 3, "link_index": 7, "address": MAC, "flags": ["UP"],
        "addr_info": [{"local": "10.1.41.11", "prefixlen": 24}],
    }  # fmt: skip
    bridges = [
        {"ifname": name, "ifindex": 2, "flags": ["UP"], "linkinfo": {"info_kind": "bridge"}}
        for name in ("br41", "br4094")
    ]
    neighbour = {"dst": "10.1.41.1", "dev": "vlan41", "lladdr": GATEWAY_MAC, "state": ["PERMANENT"]}
    return Kernel(
        [*bridges, outer], {50: ([inner], [{"dst": "default", "gateway": "10.1.41.1", "dev": "vlan41"}], [neighbour])}
    )


def wanted() -> dict[str, Any]:
    return wanted_network(small_site(isolated=True), {"a": 50})


def test_a_network_that_is_as_described_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = wired()
    assert run(kernel, wanted(), monkeypatch).changes == []
    assert kernel.told == []


def test_a_new_host_is_joined_addressed_and_routed(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel([], {50: ([{}], [])})
    run(kernel, wanted(), monkeypatch)
    fabric = [line for pid, batch in kernel.told if pid == 0 for line in batch]
    assert f"link add v41-11 type veth peer name vlan41 address {MAC} netns 50" in fabric
    assert "link set v41-11 type bridge_slave isolated on" in fabric
    assert kernel.told[-1] == (
        50,
        [
            "addr add 10.1.41.11/24 brd + dev vlan41",
            "link set vlan41 up",
            f"neigh replace 10.1.41.1 lladdr {GATEWAY_MAC} dev vlan41 nud permanent",
            "route replace default via 10.1.41.1",
        ],
    )


def test_lost_isolation_alone_is_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = wired()
    kernel.fabric[-1]["linkinfo"]["info_slave_data"]["isolated"] = False
    run(kernel, wanted(), monkeypatch)
    assert kernel.told == [(0, ["link set v41-11 type bridge_slave isolated on"])]


def test_a_lost_address_alone_is_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = wired()
    kernel.hosts[50][0][0]["addr_info"] = []
    run(kernel, wanted(), monkeypatch)
    assert kernel.told == [(50, ["addr add 10.1.41.11/24 brd + dev vlan41"])]


def test_a_neighbour_that_was_told_otherwise_is_set_right(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = wired()
    kernel.hosts[50][2][0]["lladdr"] = MAC
    run(kernel, wanted(), monkeypatch)
    assert kernel.told == [(50, [f"neigh replace 10.1.41.1 lladdr {GATEWAY_MAC} dev vlan41 nud permanent"])]


def test_a_link_into_another_fabric_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = wired()
    kernel.fabric.pop()
    run(kernel, wanted(), monkeypatch)
    assert kernel.told[0] == (50, ["link del vlan41"])
    assert any(line.startswith("link add v41-11 ") for line in kernel.told[1][1])


def test_the_link_of_a_host_no_longer_described_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = wired()
    kernel.fabric.append({"ifname": "v41-99", "ifindex": 9, "flags": [], "linkinfo": {"info_kind": "veth"}})
    assert run(kernel, wanted(), monkeypatch).changes == ["v41-99: removed"]


def test_a_host_that_ended_is_told_and_stops_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = wired()
    work = run(kernel, wanted_network(small_site(isolated=True), {"b": 99, "a": 50}), monkeypatch)
    assert work.problems == ["b: its container ended"]


def test_no_host_is_on_a_docker_network_or_privileged() -> None:
    site = small_site()
    for spec in [fabric_spec("x", site, "i"), *(host_spec("x", site, host, "i", Cgroups(1)) for host in site.hosts)]:
        config = spec.body["HostConfig"]
        assert config["NetworkMode"] == "none"
        assert config["CapDrop"] == ["ALL"]
        assert not config.get("Privileged", False)


def test_only_the_fabric_sees_the_machines_processes() -> None:
    site = small_site()
    assert fabric_spec("x", site, "i").body["HostConfig"]["PidMode"] == "host"
    assert "PidMode" not in host_spec("x", site, "a", "i", Cgroups(1)).body["HostConfig"]


@pytest.mark.parametrize(
    "capability",
    [
        "SYS_MODULE",
        "SYS_RAWIO",
        "SYS_PTRACE",
        "SYS_BOOT",
        "SYS_TIME",
        "MKNOD",
        "NET_RAW",
        "AUDIT_CONTROL",
        "NET_BIND_SERVICE",
    ],
)
def test_hosts_lack_dangerous_capabilities(capability: str) -> None:
    assert capability not in host_spec("x", small_site(), "a", "i", Cgroups(1)).body["HostConfig"]["CapAdd"]


def test_a_changed_address_or_image_changes_the_digest_of_that_host_only() -> None:
    before, after = small_site(), small_site()
    raw = after.topology.model_dump(by_alias=True, mode="json")
    raw["hosts"]["a"]["address"] = "10.1.41.13"
    after = Site(Topology.model_validate(raw), after.catalog, after.path)

    def digest(site: Site, host: str, image: str = "i") -> str:
        return host_spec("x", site, host, image, Cgroups(1)).digest

    assert digest(before, "a") == digest(small_site(), "a")
    assert digest(before, "a") != digest(after, "a")
    assert digest(before, "b") == digest(after, "b")
    assert digest(before, "a") != digest(before, "a", "other")
