"""Passive discovery at the switch: which ports it has, and whose cards it has heard there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.engine import names
from lab.engine.execute import execute
from lab.engine.fabric import bridge_name, port_owners
from lab.errors import EngineError
from lab.results.model import Promise
from lab.verify.assets.finding import CHANGED, MISSING, UNDECLARED, as_described, otherwise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lab.engine.lab import Lab
    from lab.engine.port_filter import PortOwner
    from lab.results.model import Result
    from lab.topology.site import Site
    from lab.verify.check import Context

PORTS = Promise("assets.ports", "Every host is at its port of the network, and no port is anybody else's.")
REMEDY = "Run `pacslab up`, which joins hosts to their zones and removes other links; then ask who was there."
LINKS, TABLE = ("ip", "-j", "-d", "link", "show"), ("bridge", "-j", "fdb", "show")


@dataclass(frozen=True)
class Switch:
    """What the lab's switch tells of itself: by port its zone, and the cards that were heard at it."""

    ports: Mapping[str, str]
    heard: Mapping[str, frozenset[str]]


def read_switch(lab: Lab) -> Switch:
    """Ask the fabric for its ports and its table of addresses.

    Raises:
        EngineError: it does not run, or did not answer.
    """
    said = {}
    for words in (LINKS, TABLE):
        done = execute(lab.docker, names.fabric(lab.name), list(words))
        if done.code:
            raise EngineError(f"The fabric did not answer: {done.stderr.strip()}", remedy="Run `pacslab up`.")
        said[words] = done.read(list[dict[str, Any]], "the fabric")
    return switch(lab.site, said[LINKS], said[TABLE])


def switch(site: Site, links: Sequence[Mapping[str, Any]], table: Sequence[Mapping[str, Any]]) -> Switch:
    """What ``ip -j link`` and ``bridge -j fdb`` said, by the site's zones."""
    zones = {bridge_name(zone.vlan): name for name, zone in site.topology.zones.items()}
    ports = {link["ifname"]: zones[link["master"]] for link in links if link.get("master") in zones}
    heard: dict[str, set[str]] = {}
    for entry in table:
        if entry.get("master") in zones and entry.get("state") != "permanent":  # those are the ports' own
            heard.setdefault(entry["ifname"], set()).add(entry["mac"])
    return Switch(ports, {port: frozenset(cards) for port, cards in heard.items()})


def judge_ports(context: Context) -> Iterator[Result]:
    """Compare the switch's ports with those of the description: one result a port, and one a zone for all others.

    Raises:
        EngineError: the switch does not answer.
    """
    if context.wants(PORTS):
        site = context.lab.site
        seen = read_switch(context.lab)
        owners = {owner.port: owner for owner in port_owners(site)}
        for owner in owners.values():
            if context.wants_host(owner.host):
                yield judge_port(site, owner, seen)
        if not context.hosts:
            yield from judge_others(context.lab, seen, owners.keys())


def judge_port(site: Site, owner: PortOwner, seen: Switch) -> Result:
    """Whether a host is at its port, with its own card."""
    zone = next(name for name, entry in site.topology.zones.items() if entry.subnet == owner.zone)
    cards = seen.heard.get(owner.port, frozenset()) - {owner.mac}
    found = seen.ports.get(owner.port)
    told: dict[str, Any] = {
        "subject": f"port {owner.port}",
        "expected": f"{owner.host} with {owner.mac} in zone {zone}",
        "read": f"zone {found or 'none'}, heard {', '.join(sorted(seen.heard.get(owner.port, ()))) or 'nothing'}",
        "source": "switch ports and table of addresses of the fabric",
    }
    facts: dict[str, Any] = {
        "peer": owner.host,
        "target": str(owner.address),
        "asset_zone": zone,
        "fabric_port": owner.port,
    }
    if found is None:
        return otherwise(PORTS, owner.host, MISSING, observed="no such port", remedy=REMEDY, **told, **facts)
    if found != zone:
        return otherwise(PORTS, owner.host, CHANGED, observed=f"in zone {found}", remedy=REMEDY, **told, **facts)
    if cards:
        mac = ", ".join(sorted(cards))
        return otherwise(
            PORTS, owner.host, CHANGED, observed=f"also heard {mac}", remedy=REMEDY, **told, **facts, mac=mac
        )
    return as_described(PORTS, owner.host, **told)


def judge_others(lab: Lab, seen: Switch, declared: Sequence[str] | Any) -> Iterator[Result]:
    """Whether a zone has ports that are nobody's."""
    for zone in lab.site.topology.zones:
        others = sorted(port for port, place in seen.ports.items() if place == zone and port not in declared)
        told: dict[str, Any] = {
            "subject": f"zone {zone}",
            "expected": "no other port",
            "read": ", ".join(sorted(port for port, place in seen.ports.items() if place == zone)),
            "source": "switch ports of the fabric",
        }
        if others:
            yield otherwise(
                PORTS,
                lab.name,
                UNDECLARED,
                observed=f"{', '.join(others)}",
                remedy=REMEDY,
                **told,
                asset_zone=zone,
                fabric_port=others[0],
            )
        else:
            yield as_described(PORTS, lab.name, **told)
