"""Packets that segmentation must stop whatever their addresses say: in another's name, or errors with a load.

Each host sends them from its own card, where the fabric judges; and each zone's are put on the firewall's own cable,
past the fabric, where the firewall judges alone: on a real site the switches may have no such filter.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from lab.engine.fabric import gateway_cable
from lab.engine.forging import Forged
from lab.engine.packets import IPV4, RST, SYN, frame, tcp, unreachable
from lab.topology.fabric_log import SOURCE as FABRIC

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lab.topology.site import ResolvedFlow, Site


class Kind(StrEnum):
    """What is sent."""

    SOURCE = "source"
    """A packet of a declared flow in the name of its caller."""

    RESET = "reset"
    """A reset of a connection that is open, in the name of its server."""

    ERROR = "error"
    """An error message (ICMP) about such a connection, in the sender's own name, with a load of its choice."""


@dataclass(frozen=True)
class Forgery:
    """One packet to send.

    Attributes:
        kind: What is sent.
        source: Who sends it.
        past_fabric: It is put on the firewall's own cable in the source's zone.
        claims: The address that it claims to come from.
        victim: Whom it is for.
        connection: The flow that it is about.
    """

    kind: Kind
    source: str
    past_fabric: bool
    claims: str
    victim: str
    connection: ResolvedFlow

    @property
    def name(self) -> str:
        """What it is, in words."""
        words = {
            Kind.SOURCE: f"as {self.connection.source} to {self.victim}",
            Kind.RESET: f"reset as {self.connection.target} to {self.victim}",
            Kind.ERROR: f"error message to {self.victim}",
        }
        return words[self.kind] + (" past the fabric" if self.past_fabric else "")


def forgeries(site: Site) -> list[Forgery]:
    """What is tried: from every host, about the flow of a host in another zone to the log, which is always open."""
    found = []
    beyond_fabric: set[str] = set()
    for source, entry in site.hosts.items():
        if entry.gateway:
            continue
        flow = _flow_of_others(site, entry.zone)
        if flow is None:
            continue
        own, here, there = (
            str(entry.address),
            str(site.hosts[flow.source].address),
            str(site.hosts[flow.target].address),
        )
        ways = [False] if entry.zone in beyond_fabric else [False, True]
        beyond_fabric.add(entry.zone)
        for past_fabric in ways:
            found.append(Forgery(Kind.SOURCE, source, past_fabric, here, flow.target, flow))
            found.append(Forgery(Kind.RESET, source, past_fabric, there, flow.source, flow))
        found.append(Forgery(Kind.ERROR, source, past_fabric=False, claims=own, victim=flow.source, connection=flow))
    return found


def _flow_of_others(site: Site, zone: str) -> ResolvedFlow | None:
    """A flow to the log between two other zones; a foreign device that may send its log need not do it."""
    for flow in site.flows_to("log-collection"):
        if flow.source not in site.managed:
            continue
        caller, server = site.hosts[flow.source], site.hosts[flow.target]
        if not caller.gateway and len({zone, caller.zone, server.zone}) == 3:  # noqa: PLR2004 # all of them differ
            return flow
    return None


@dataclass(frozen=True)
class Connection:
    """A caller's connection to the log that is open: the caller's port, and the number of the server's next octet."""

    port: int
    number: int


def forged(site: Site, forgery: Forgery, connections: Mapping[str, Connection]) -> Forged:
    """Write a forgery octet by octet; ``connections`` has each caller's."""
    flow, entry = forgery.connection, site.hosts[forgery.source]
    zone = site.topology.zones[entry.zone]
    here, there = str(site.hosts[flow.source].address), str(site.hosts[flow.target].address)
    port, number = connections[flow.source].port, connections[flow.source].number
    sequence, load = secrets.randbits(32), secrets.token_bytes(16)
    packet = {
        Kind.SOURCE: lambda: tcp(here, there, (port ^ 1, flow.port), SYN, sequence),
        Kind.RESET: lambda: tcp(there, here, (flow.port, port), RST, number),
        Kind.ERROR: lambda: unreachable(forgery.claims, here, tcp(here, there, (port, flow.port), SYN, sequence), load),
    }[forgery.kind]()
    return Forged(
        host="" if forgery.past_fabric else forgery.source,
        interface=gateway_cable(site, entry.zone) if forgery.past_fabric else site.interfaces(forgery.source)[0].name,
        octets=frame(str(entry.address), str(zone.gateway), IPV4, packet),
        victim=forgery.victim,
        # a real segment of the connection may have the ports and the number of a forged one, but not its flags too
        mark=load if forgery.kind is Kind.ERROR else packet[20:36],
    )


def expected_events(site: Site, forgery: Forgery) -> Iterator[tuple[str, dict[str, object]]]:
    """Whose log has to hold it, and the keys that its event has there."""
    zone = site.hosts[forgery.source].zone
    target = str(site.hosts[forgery.victim].address)
    about: dict[str, object] = {"outcome": "refused", "target": target}
    if forgery.kind is Kind.ERROR:
        zones = {"source_zone": zone, "target_zone": site.hosts[forgery.victim].zone}
        yield site.gateway, {**about, **zones, "action": "connect", "protocol": "icmp", "peer": forgery.claims}
    elif forgery.past_fabric:
        yield (
            site.gateway,
            {**about, "action": "connect", "reason": "forged-source", "peer": forgery.claims, "source_zone": zone},
        )
    else:
        yield (
            FABRIC,
            {
                **about,
                "action": "send-frame",
                "reason": "foreign-frame",
                "claims": forgery.claims,
                "peer": forgery.source,
            },
        )
