"""Flows as the picture shows them: one net for each flow that is written, joining all its hosts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.topology.model import Flow
    from lab.topology.site import Site

SMALL = 3
"""A net of this many hosts is always drawn as a line."""


@dataclass(frozen=True)
class Net:
    """A flow with the hosts that it joins; ``number`` counts from 1 in the order of the file."""

    number: int
    flow: Flow
    port: int
    protocol: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    common: bool
    """Most hosts take part: shown as a badge at each host, because lines from everywhere hide all others."""
    inside: str | None
    """The zone that it never leaves; None when it reaches the firewall."""

    @property
    def service(self) -> str:
        """The service that is opened."""
        return self.flow.service

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host that takes part, sources first."""
        return tuple(dict.fromkeys([*self.sources, *self.targets]))


def site_nets(site: Site) -> list[Net]:
    """Return the nets of a site in the order of its flows."""
    return [_net(site, number, flow) for number, flow in enumerate(site.topology.flows, start=1)]


def _net(site: Site, number: int, flow: Flow) -> Net:
    targets = site.select(flow.to)
    sources = [host for host in site.select(flow.from_) if targets != [host]]
    entry = site.services(targets[0])[flow.service]
    joined = [site.hosts[host] for host in [*sources, *targets]]
    zones = {host.zone for host in joined}
    return Net(
        number=number,
        flow=flow,
        port=entry.port or 0,
        protocol=entry.protocol,
        sources=tuple(sources),
        targets=tuple(targets),
        common=len({*sources, *targets}) > max(SMALL, len(site.hosts) / 2),
        inside=zones.pop() if len(zones) == 1 and not any(host.gateway for host in joined) else None,
    )


def uncommon_roles(site: Site) -> dict[str, list[str]]:
    """Return each host's roles that tell it from the others: those that fewer than half of all hosts have."""
    hosts = site.hosts
    count = {role: sum(role in host.roles for host in hosts.values()) for host in hosts.values() for role in host.roles}
    return {name: [role for role in host.roles if count[role] * 2 < len(hosts)] for name, host in hosts.items()}
