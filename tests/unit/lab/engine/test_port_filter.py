"""A port of the fabric speaks as its own host: tried with real frames, in namespaces of the test's own."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

import pytest

from lab.engine.fabric import mac_address, wanted_network
from lab.engine.packets import ARP, IPV4, IPV6, SYN, VLAN, arp, frame, tcp
from lab.settings import ROOT
from tests.unit.lab.engine.namespaces import unshared
from tests.unit.lab.engine.test_network import small_site

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = ROOT / "tests" / "unit" / "lab" / "engine" / "fabric_trial.py"
FW, A, B, ELSEWHERE = "10.1.41.1", "10.1.41.11", "10.1.41.12", "10.0.0.9"


def packet(source: str, target: str, port: int) -> bytes:
    return tcp(source, target, (port, 104), SYN)


@dataclass(frozen=True)
class Attempt:
    """A frame that a host sends to another, and what is to come of it."""

    source: str
    target: str
    frame: bytes
    claims: str = ""
    protocol: str = ""
    arrives: bool = False


OWN = Attempt("a", "fw", frame(A, FW, IPV4, packet(A, FW, 1)), arrives=True)
ATTEMPTS = {
    "its own packet": OWN,
    "its own announcement": Attempt("a", "fw", frame(A, FW, ARP, arp(A, A, FW, FW)), arrives=True),
    "what the firewall brings from elsewhere": Attempt(
        "fw", "a", frame(FW, A, IPV4, packet(ELSEWHERE, A, 2)), arrives=True
    ),
    "a neighbour's address": Attempt("a", "fw", frame(A, FW, IPV4, packet(B, FW, 3)), B, "tcp"),
    "a neighbour's address and MAC": Attempt("a", "fw", frame(B, FW, IPV4, packet(B, FW, 4)), B, "tcp"),
    "an address of another zone": Attempt("a", "fw", frame(A, FW, IPV4, packet(ELSEWHERE, FW, 5)), ELSEWHERE, "tcp"),
    "a neighbour's address in ARP": Attempt("a", "fw", frame(A, FW, ARP, arp(A, B, FW, FW)), B, "arp"),
    "the gateway's address in ARP": Attempt("a", "fw", frame(A, FW, ARP, arp(A, FW, FW, FW)), FW, "arp"),
    "another's MAC inside ARP": Attempt("a", "fw", frame(A, FW, ARP, arp(B, A, FW, FW)), A, "arp"),
    "IPv6": Attempt("a", "fw", frame(A, FW, IPV6, bytes(40)), "", "ipv6"),
    "a frame of a VLAN": Attempt(
        "a", "fw", frame(A, FW, VLAN, struct.pack("!HH", 7, IPV4) + packet(A, FW, 6)), "", "vlan"
    ),
    "another protocol": Attempt("a", "fw", frame(A, FW, 0x88CC, bytes(40)), "", "other"),
    "a host of the zone in the firewall's name": Attempt("fw", "a", frame(FW, A, IPV4, packet(B, A, 7)), B, "tcp"),
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of all attempts, in one network."""
    site = small_site(isolated=True)
    wanted = wanted_network(site, dict.fromkeys(site.hosts, 0))
    frames = [
        {"from": attempt.source, "to": attempt.target, "frame": attempt.frame.hex()} for attempt in ATTEMPTS.values()
    ]
    return unshared(PROGRAM, {"state": str(tmp_path_factory.mktemp("state")), "wanted": wanted, "frames": frames})


@pytest.mark.parametrize("name", ATTEMPTS)
def test_a_port_takes_what_is_its_hosts_own_and_nothing_else(seen: dict[str, Any], name: str) -> None:
    assert seen["arrived"][list(ATTEMPTS).index(name)] == ATTEMPTS[name].arrives


def test_each_refused_frame_is_told_with_port_host_and_what_it_claims(seen: dict[str, Any]) -> None:
    refused = [attempt for attempt in ATTEMPTS.values() if not attempt.arrives]
    assert [(event["peer"], event.get("claims", ""), event["protocol"]) for event in seen["events"]] == [
        (attempt.source, attempt.claims, attempt.protocol) for attempt in refused
    ]
    assert {event["fabric_port"] for event in seen["events"]} == {"v41-11", "v41-1"}
    assert {(event["action"], event["outcome"], event["reason"]) for event in seen["events"]} == {
        ("send-frame", "refused", "foreign-frame")
    }


def test_every_refused_frame_is_counted_by_port(seen: dict[str, Any]) -> None:
    refused = [attempt.source for attempt in ATTEMPTS.values() if not attempt.arrives]
    assert seen["counted"] == {"v41-11": refused.count("a"), "v41-1": refused.count("fw")}


def test_neighbours_of_the_firewall_and_the_gateway_of_hosts_are_set_for_good(seen: dict[str, Any]) -> None:
    firewall = seen["neighbours"]["fw"]
    for address in (A, B):
        assert f"{address} dev vlan41 lladdr {mac_address(IPv4Address(address))} PERMANENT" in firewall
    assert f"{FW} dev vlan41 lladdr {mac_address(IPv4Address(FW))} PERMANENT" in seen["neighbours"]["a"]


def test_a_second_look_finds_nothing_to_do(seen: dict[str, Any]) -> None:
    assert seen["again"] == []


def test_a_flood_is_counted_and_told_a_few_times(tmp_path: Path) -> None:
    site = small_site(isolated=True)
    wanted = wanted_network(site, dict.fromkeys(site.hosts, 0))
    forged = ATTEMPTS["a neighbour's address"].frame.hex()
    wanted["filter"] = wanted["filter"].replace("burst 20 packets", "burst 5 packets")
    seen = unshared(
        PROGRAM, {"state": str(tmp_path), "wanted": wanted, "frames": [{"from": "a", "to": "fw", "frame": forged}] * 10}
    )
    assert seen["counted"] == {"v41-11": 10}
    assert 5 <= len(seen["events"]) < 20
