"""Every connection that segmentation is judged by, and what the description says of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from lab.hospital.collected import collector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.topology.site import Site

UNSERVED_PORTS = 2
"""How many ports are tried that no role offers: a filter that only knows the served ones is not default deny."""


class Judge(StrEnum):
    """Whose refusal has to be on record at the log collector."""

    NOBODY = "nobody"
    """The flow is declared; or layer 2 keeps the two apart; or the target is not the hospital's and sends no log."""

    FIREWALL = "firewall"
    """The connection crosses zones, or is meant for the firewall itself."""

    TARGET = "target"
    """The connection stays within a zone, or comes from the firewall: the target's own filter has to refuse it."""


@dataclass(frozen=True)
class Attempt:
    """One connection to try."""

    source: str
    target: str
    protocol: str
    port: int
    source_address: str
    address: str
    source_zone: str
    target_zone: str
    service: str | None
    """The service that the description declares between the two, or None where nothing is declared."""
    judge: Judge
    judged_by: str
    """The host that has to refuse: the firewall where it judges, the target otherwise."""
    foreign: bool = False
    """Whether the target is a foreign device."""

    @property
    def allowed(self) -> bool:
        """True where a flow permits the connection."""
        return self.service is not None

    @property
    def direction(self) -> str:
        """How the firewall's log names the two sides: zones, and the firewall by its name."""
        return f"{self.source_zone}>{self.target_zone}"


def served(site: Site) -> list[tuple[str, int]]:
    """Each (protocol, port) that some host of the site offers to the network, sorted."""
    return sorted(
        {
            (service.protocol, service.port)
            for host in site.hosts
            for service in site.services(host).values()
            if service.scope == "network" and service.port is not None
        }
    )


def unserved(site: Site, count: int = UNSERVED_PORTS) -> list[tuple[str, int]]:
    """TCP ports that no role offers in any scope: the first ones above the lowest port served."""
    taken = {service.port for role in site.catalog.values() for service in role.services.values()}
    lowest = min((port for _, port in served(site)), default=1)
    free = (port for port in range(lowest + 1, 65536) if port not in taken)
    return [("tcp", next(free)) for _ in range(count)]


def attempts(site: Site) -> list[Attempt]:
    """Every ordered pair of hosts on every port of the site and on ports that nothing serves.

    The firewall is tried at its address in every zone; it is a source like every other host. What it opens to a foreign
    device is judged where it is declared only: no filter stands between the two.
    """
    ports = served(site) + unserved(site)
    return [
        attempt
        for source in site.hosts
        for target in site.hosts
        if source != target
        for attempt in _pair(site, source, target, ports)
        if attempt.allowed or not (source == site.gateway and target not in site.managed)
    ]


def _pair(site: Site, source: str, target: str, ports: list[tuple[str, int]]) -> Iterator[Attempt]:
    declared = {
        (flow.protocol, flow.port): flow.service
        for flow in site.flows
        if (flow.source, flow.target) == (source, target)
    }
    here, there = site.hosts[source], site.hosts[target]
    for interface in site.interfaces(target):
        for protocol, port in ports:
            service = declared.get((protocol, port)) if interface.address == there.address else None
            yield Attempt(
                source=source,
                target=target,
                protocol=protocol,
                port=port,
                source_address=str(site.address_towards(source, target)),
                address=str(interface.address),
                source_zone=here.zone,
                target_zone=target if there.gateway else there.zone,
                service=service,
                judge=Judge.NOBODY if service else _judge(site, source, target),
                judged_by=site.gateway if _judge(site, source, target) is Judge.FIREWALL else target,
                foreign=target not in site.managed,
            )


def _judge(site: Site, source: str, target: str) -> Judge:
    here, there = site.hosts[source], site.hosts[target]
    if there.gateway or (here.zone != there.zone and not here.gateway):
        return Judge.FIREWALL
    if not here.gateway and site.topology.zones[here.zone].isolated:
        return Judge.NOBODY
    return Judge.TARGET if sends_log(site, target) else Judge.NOBODY


def sends_log(site: Site, host: str) -> bool:
    """True where a host's log reaches the collector: it has a flow to it, or is the collector, and is no device."""
    if host not in site.managed:
        return False
    centre = collector(site)
    return host == centre or any(flow.source == host for flow in site.flows_to("log-collection"))
