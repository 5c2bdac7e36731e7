"""A host that watches gets each frame of other zones once, and none that it sends arrives: with real frames."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from lab.engine import fabric
from lab.engine.fabric import mac_address, mirror_name, wanted_network
from lab.engine.mirror_ports import refusals, tap_commands, taps_of
from lab.engine.packets import ARP, IPV4, SYN, arp, frame, tcp
from lab.settings import ROOT
from tests.unit.lab.engine.namespaces import unshared
from tests.unit.site_builder import build_site

if TYPE_CHECKING:
    from pathlib import Path

    from lab.topology.site import Site

PROGRAM = ROOT / "tests" / "unit" / "lab" / "engine" / "mirror_trial.py"
FW, A, B, FAR, ELSEWHERE = "10.1.41.1", "10.1.41.11", "10.1.41.12", "10.2.0.9", "10.1.43.8"


def watched_site(mirror: Any = "all", **witness: Any) -> Site:
    zones = {"near": ("41", True), "far": ("42", False), "apart": ("43", False), "sensors": ("44", False)}
    hosts = {
        "fw": {"zone": "near", "address": FW, "gateway": True, "roles": ["base"]},
        "a": {"zone": "near", "address": A, "roles": ["base"]},
        "b": {"zone": "near", "address": B, "roles": ["base"]},
        "c": {"zone": "far", "address": "10.1.42.11", "roles": ["base"]},
        "w": {"zone": "sensors", "address": "10.1.44.11", "roles": ["base"], "mirror": mirror, **witness},
    }
    description = {
        "site": "watched",
        "zones": {
            name: {"vlan": int(vlan), "subnet": f"10.1.{vlan}.0/24", "isolated": isolated, "purpose": "x"}
            for name, (vlan, isolated) in zones.items()
        },
        "hosts": hosts,
        "flows": [{"from": "a", "to": "b", "service": "web", "why": "test"}],
    }
    web = {"unit": "w.service", "port": 1, "remedy": "r"}
    return build_site(description, {"base": {"summary": "x", "services": {"web": web}}})


def test_every_port_of_the_watched_zones_is_copied_and_no_other() -> None:
    def ports(mirror: Any) -> dict[str, str | None]:
        wanted = wanted_network(watched_site(mirror), {"w": 9})["mirrors"][0]["taps"]
        return {tap["port"]: tap["source"] for tap in wanted}

    assert ports("all") == {
        "v41-1": FW,
        "v42-1": "10.1.42.1",
        "v43-1": "10.1.43.1",
        "v41-11": None,
        "v41-12": None,
        "v42-11": None,
    }
    assert ports(["far"]) == {"v42-1": "10.1.42.1", "v42-11": None}


def test_a_site_without_a_witness_has_no_mirror() -> None:
    assert wanted_network(watched_site(None), {"a": 2, "w": 9})["mirrors"] == []


def test_the_cable_of_a_mirror_is_left_to_the_one_who_lays_it() -> None:
    site = watched_site()
    assert mirror_name(site, "w") == "m44-11"
    for pids in ({"w": 9}, {"a": 2}):
        assert "m44-11" in wanted_network(site, pids)["ignored"]


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    state: Path = tmp_path_factory.mktemp("fabric")
    site = watched_site()
    task = {
        "state": str(state),
        "wanted": wanted_network(site, {"fw": 1, "a": 2, "b": 3, "w": 4}),
        "frames": [{"from": one, "to": other, "frame": octets.hex()} for one, other, octets in FRAMES.values()],
    }
    return unshared(PROGRAM, task)


def packet(source: str, target: str, port: int) -> bytes:
    return tcp(source, target, (port, 104), SYN)


FRAMES = {
    "between zones": ("a", "fw", frame(A, FW, IPV4, packet(A, FAR, 1))),
    "within an isolated zone": ("a", "b", frame(A, B, IPV4, packet(A, B, 2))),
    "in a neighbour's name": ("a", "fw", frame(A, FW, IPV4, packet(B, FAR, 3))),
    "by ARP": ("a", "fw", frame(A, FW, ARP, arp(A, A, FW, FW))),
    "by the firewall itself": ("fw", "a", frame(FW, A, IPV4, packet(FW, A, 4))),
}
BROUGHT = "what the firewall brings from elsewhere"
FRAMES[BROUGHT] = ("fw", "a", frame(FW, A, IPV4, packet(ELSEWHERE, A, 5)))


@pytest.mark.parametrize("name", FRAMES)
def test_what_is_sent_is_seen_once_where_it_is_sent(trial: dict[str, Any], name: str) -> None:
    times = dict(zip(FRAMES, trial["copied"], strict=True))
    assert times[name] == (0 if name == BROUGHT else 1)


def test_nothing_that_the_witness_sends_arrives(trial: dict[str, Any]) -> None:
    assert trial["sent"] == [False] * len(FRAMES)
    assert f"counter packets {len(FRAMES)} " in trial["counted"]


def test_its_interface_has_no_address_and_asks_nobody(trial: dict[str, Any]) -> None:
    for state in trial["witness"]:
        assert "NOARP" in state
        assert "UP" in state
        assert "inet" not in state


def test_what_is_as_it_should_be_is_left_alone_and_the_rest_is_repaired(trial: dict[str, Any]) -> None:
    first, second, third, fourth = trial["changes"]
    assert first
    assert second == []
    assert third == ["w mirror0: no address", "w mirror0: up, and silent"]
    assert fourth == ["mirrors: what comes in at v41-1, v41-11, v41-12, v42-1, v43-1 is copied as described"]
    assert trial["left"] == []


def test_a_host_that_is_joined_again_is_heard_again_and_the_mirror_stays(trial: dict[str, Any]) -> None:
    assert [change for change in trial["rewired"] if change.startswith("b")]
    assert "mirrors: what comes in at v41-12 is copied as described" in trial["rewired"]
    assert [change for change in trial["rewired"] if change.startswith("w")] == []


def test_the_modules_that_are_carried_to_the_fabric_run_there_by_themselves() -> None:
    patch = "import os; os.setns = getattr(os, 'setns', lambda *_: None); os.CLONE_NEWNET = 0\n"
    argv = [sys.executable, "-ISc", patch + fabric.CARRIER, "look", *fabric.programs()]
    wanted = json.dumps({**wanted_network(watched_site(), {}), "mirrors": []})
    command = ["unshare", "--user", "--map-root-user", "--net", *argv]
    done = subprocess.run(command, input=wanted, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "br41: made" in json.loads(done.stdout)["changes"]


def test_two_who_watch_get_a_copy_each() -> None:
    taps = {("m44-11", 0, 0, 0), ("m44-12", 0, 0, 0)}
    copies = tap_commands("v41-11", taps)[1]
    assert copies.endswith("action mirred egress mirror dev m44-11 action mirred egress mirror dev m44-12")


def test_a_copy_that_goes_nowhere_is_noticed() -> None:
    shown = {
        "options": {"match": {"value": "0", "mask": "0", "off": 0}, "actions": [{"kind": "mirred", "to_dev": "*"}]}
    }
    assert taps_of(shown) == [("*", 0, 0, 0)]
    assert taps_of({"protocol": "all", "kind": "u32"}) == []


def test_all_that_comes_from_a_witness_is_dropped() -> None:
    text = refusals([{"port": "m44-11"}])
    assert 'hook ingress device "m44-11" priority 0; policy drop;' in text
    assert text.startswith("table netdev mirrors\ndelete table netdev mirrors\n")


def test_a_mirrors_card_has_an_address_of_nobody() -> None:
    site = watched_site()
    card = wanted_network(site, {"w": 9})["mirrors"][0]["mac"]
    assert card not in {mac_address(host.address) for host in site.hosts.values()}
