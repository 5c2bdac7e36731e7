"""The lab's network: bridges in the fabric, and a pair of virtual interfaces from a bridge into each host."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.engine import names
from lab.engine.execute import execute
from lab.engine.port_filter import PortOwner, port_filter
from lab.errors import EngineError
from lab.topology.fabric_log import LOOPBACK, fabric_log
from lab.topology.site import MIRROR

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Address, IPv4Network

    from lab.engine.client import Docker
    from lab.topology.site import Site

ATTEMPTS = 3
"""The kernel clears the links of an ended container a little later, so a link that was seen may be gone by the time it
is changed."""
PROGRAMS = ("lab.engine.wire", "lab.engine.mirror_ports")
CARRIER = """\
import sys, types
names, texts = sys.argv[2::2], sys.argv[3::2]
for name in ("lab", "lab.engine", *names[:-1]):
    sys.modules[name] = types.ModuleType(name)
for name, text in zip(names[:-1], texts):
    exec(compile(text, name, "exec"), sys.modules[name].__dict__)
    setattr(sys.modules["lab.engine"], name.rpartition(".")[2], sys.modules[name])
exec(compile(texts[-1], names[-1], "exec"), {"__name__": "__main__"})
"""
"""The fabric has none of our modules: they come with each call, the last one to be run and the others for it."""


@dataclass(frozen=True)
class Wiring:
    """What was missing in the network (and was added, unless it was only looked for), and what could not be done."""

    changes: list[str]
    problems: list[str]


def bridge_name(vlan: int) -> str:
    """The bridge of a zone."""
    return f"br{vlan}"


def port_name(vlan: int, subnet: IPv4Network, address: IPv4Address) -> str:
    """The fabric's end of a host's link: VLAN and host number, unique because addresses are, 14 characters at most."""
    return f"v{vlan}-{int(address) - int(subnet.network_address)}"


def gateway_cable(site: Site, zone: str) -> str:
    """The fabric's end of the firewall's cable in a zone."""
    entry = site.topology.zones[zone]
    return port_name(entry.vlan, entry.subnet, entry.gateway)


def mirror_name(site: Site, host: str) -> str:
    """The fabric's end of the cable over which a host gets copies; named by the host's own address."""
    entry = site.hosts[host]
    zone = site.topology.zones[entry.zone]
    return f"m{port_name(zone.vlan, zone.subnet, entry.address)[1:]}"


def mac_address(address: IPv4Address) -> str:
    """A locally administered MAC address made of the IPv4 address: the same in every copy of a lab."""
    return "02:00:" + ":".join(f"{byte:02x}" for byte in address.packed)


def wanted_network(site: Site, pids: Mapping[str, int]) -> dict[str, Any]:
    """The network of a site, as ``wire.py`` reads it, for the hosts whose first processes are known."""
    zones = site.topology.zones
    owners = port_owners(site)
    log = fabric_log(site)
    watching = [host for host, entry in site.hosts.items() if entry.mirror is not None]
    return {
        "bridges": [bridge_name(zone.vlan) for zone in zones.values()],
        "filter": port_filter(owners),
        "ports": {owner.port: owner.host for owner in owners},
        "collector": {"pid": pids[log.host], "address": LOOPBACK, "port": log.port}
        if log and log.host in pids
        else None,
        "hosts": [
            {"name": host, "pid": pid, "gateway": _gateway(site, host), "ports": _ports(site, host)}
            for host, pid in pids.items()
        ],
        "mirrors": [_mirror(site, host, pids[host]) for host in watching if host in pids],
        # links of hosts that do not run (yet): not ours to remove; mirrors are looked at by themselves
        "ignored": [
            *(port["port"] for host in site.hosts if host not in pids for port in _ports(site, host)),
            *(mirror_name(site, host) for host in watching),
        ],
    }


def port_owners(site: Site) -> list[PortOwner]:
    """Who speaks at each port of the fabric, whether or not the host runs."""
    return [
        PortOwner(
            port=port_name(zone.vlan, zone.subnet, interface.address),
            host=host,
            mac=mac_address(interface.address),
            address=interface.address,
            zone=zone.subnet,
            gateway=entry.gateway,
        )
        for host, entry in site.hosts.items()
        for interface in site.interfaces(host)
        for zone in [site.topology.zones[interface.zone]]
    ]


def _mirror(site: Site, host: str, pid: int) -> dict[str, Any]:
    """A host's mirror, and the ports that are copied there: of the firewall only what it says in its own name."""
    zones = site.mirrored(host)
    own = site.hosts[host].address
    return {
        "host": host,
        "pid": pid,
        "port": mirror_name(site, host),
        "interface": MIRROR,
        "mac": f"06:00{mac_address(own)[5:]}",  # nobody's: what is sent to the host itself goes to its own zone
        "taps": [
            {
                "port": port_name(zone.vlan, zone.subnet, interface.address),
                "source": str(interface.address) if entry.gateway else None,
            }
            for name, entry in site.hosts.items()
            for interface in site.interfaces(name)
            for zone in [site.topology.zones[interface.zone]]
            if interface.zone in zones
        ],
    }


def _neighbours(site: Site, host: str, zone: str) -> dict[str, str]:
    """Whom a host does not ask for by ARP: the gateway, and for the gateway every host of the zone."""
    if not site.hosts[host].gateway:
        asked = [site.topology.zones[zone].gateway]
    else:
        asked = [entry.address for entry in site.hosts.values() if entry.zone == zone and not entry.gateway]
    return {str(address): mac_address(address) for address in asked}


def _gateway(site: Site, host: str) -> str | None:
    entry = site.hosts[host]
    return None if entry.gateway else str(site.topology.zones[entry.zone].gateway)


def _ports(site: Site, host: str) -> list[dict[str, Any]]:
    ports = []
    for interface in site.interfaces(host):
        zone = site.topology.zones[interface.zone]
        ports.append(
            {
                "port": port_name(zone.vlan, zone.subnet, interface.address),
                "bridge": bridge_name(zone.vlan),
                "interface": interface.name,
                "address": f"{interface.address}/{interface.prefix}",
                "mac": mac_address(interface.address),
                "isolated": zone.isolated and not site.hosts[host].gateway,
                "neighbours": _neighbours(site, host, interface.zone),
            }
        )
    return ports


def programs() -> list[str]:
    """The name of each module that the fabric runs, followed by its text."""
    folder = Path(__file__).parent
    texts = {name: folder / f"{name.rpartition('.')[2]}.py" for name in PROGRAMS}
    return [word for name, path in texts.items() for word in (name, path.read_text("utf-8"))]


def wire(docker: Docker, lab: str, site: Site, pids: Mapping[str, int], *, apply: bool) -> Wiring:
    """Join the hosts to their zones, adding only what is missing; without ``apply``, say what that would be.

    Raises:
        EngineError: the fabric refused.
    """
    argv = ["python3", "-ISc", CARRIER, "apply" if apply else "look", *programs()]
    wanted = json.dumps(wanted_network(site, pids)).encode()
    for _ in range(ATTEMPTS):
        done = execute(docker, names.fabric(lab), argv, input=wanted, timeout=60)
        if not done.code:
            return done.read(Wiring, f"the fabric of lab {lab!r}")
    raise EngineError(
        f"The fabric of lab {lab!r} could not be wired: {done.stderr.strip()}",
        remedy=f"Run 'pacslab up --lab {lab}' again; if that does not help, 'pacslab down --lab {lab}' first.",
    )
