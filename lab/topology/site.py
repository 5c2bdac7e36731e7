"""A site with everything that follows from its description: resolved flows, names, interfaces."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from lab.access.policy import load_policy
from lab.topology.catalog import certificate_profiles
from lab.topology.role import Memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from ipaddress import IPv4Address
    from pathlib import Path

    from lab.topology.model import Flow, FreeSpace, Host, Topology
    from lab.topology.role import Catalog, Certificate, Provision, RoleMeta, Service

MIRROR = "mirror0"
"""The interface of a host at which copies of other zones' frames arrive."""


@dataclass(frozen=True)
class ResolvedFlow:
    """One flow between two hosts, with the addresses and the port it means."""

    source: str
    target: str
    service: str
    protocol: str
    port: int
    permits: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class Interface:
    """One network interface of a host."""

    name: str
    zone: str
    address: IPv4Address
    prefix: int


@dataclass(frozen=True)
class Site:
    """The description together with the role catalogue; every derived fact is asked of it."""

    topology: Topology
    catalog: Catalog
    path: Path

    @property
    def name(self) -> str:
        """The site's name."""
        return self.topology.site

    @property
    def hosts(self) -> dict[str, Host]:
        """Hosts by name, in the order written."""
        return self.topology.hosts

    @cached_property
    def managed(self) -> dict[str, Host]:
        """Hosts that the project installs, configures and looks into: all but foreign devices."""
        return {name: host for name, host in self.hosts.items() if not host.foreign}

    @property
    def gateway(self) -> str:
        """The host that stands in every zone; the rules of a description hold that there is exactly one."""
        return next(name for name, host in self.hosts.items() if host.gateway)

    def fqdn(self, host: str) -> str:
        """The DNS name of a host; it is also the name in its certificates."""
        return f"{host}.{self.topology.domain}"

    def names(self, host: str, profile: str) -> list[str]:
        """The DNS names in a host's certificate of a profile: its own, and for a server one that its profile is in.

        A client that verifies the latter accepts no other certificate of the host. It is a name to verify, not to look
        up; every TLS library checks it, which no library does of an OU.
        """
        own = self.fqdn(host)
        return [own, f"{profile}.{own}"] if certificate_profiles(self.catalog)[profile].serves else [own]

    def identity(self, host: str, service: str) -> str:
        """The DNS name that a client of a service verifies."""
        presents = self.services(host)[service].presents
        return self.fqdn(host) if presents is None else self.names(host, presents)[-1]

    def services(self, host: str) -> dict[str, Service]:
        """Every service of a host, by name, over all its roles."""
        return {
            name: service for role in self.hosts[host].roles for name, service in self.catalog[role].services.items()
        }

    def probed_ports(self, host: str) -> dict[str, int]:
        """TCP ports by which a foreign device is judged, by service: those that it offers to the network.

        None for a place, where a program may run or not.
        """
        device = self.hosts[host].device
        if device is None or device.image is None:
            return {}
        return {
            name: service.port
            for name, service in self.services(host).items()
            if service.scope == "network" and service.protocol == "tcp" and service.port is not None
        }

    def plain_ports(self, host: str) -> dict[tuple[str, str], int]:
        """Loopback ports of a host of ours that lead to others over TLS where a role asks: by (service, target)."""
        found: dict[tuple[str, str], int] = {}
        for name, service in self.services(host).items():
            asked = name in self.asks(host) and host in self.managed
            if service.carries is None or service.port is None or not asked:
                continue
            targets = sorted(flow.target for flow in self.flows_out(host) if flow.service == service.carries)
            found |= {(service.carries, target): service.port + number for number, target in enumerate(targets)}
        return found

    def certificates(self, host: str) -> dict[str, Certificate]:
        """Every certificate a host needs, by name, over all its roles."""
        return {
            name: certificate
            for role in self.hosts[host].roles
            for name, certificate in self.catalog[role].certificates.items()
            if certificate.asked is None or certificate.asked in self.asks(host)
        }

    def capabilities(self, host: str) -> dict[str, list[str]]:
        """Linux capabilities that the host's roles need, each with what fails without it; sorted by name."""
        return self._needs(host, lambda meta: meta.capabilities)

    def devices(self, host: str) -> dict[str, list[str]]:
        """Device files of the machine that the host's roles need, each with what for; sorted by name."""
        return self._needs(host, lambda meta: meta.devices)

    def storage(self, host: str) -> dict[str, list[str]]:
        """Folders that must be writable and have room, each with what fails when it is full; sorted by name."""
        return self._needs(host, lambda meta: meta.storage)

    def memory(self, host: str) -> Memory:
        """What a host of ours needs of the machine's memory, and what it may take at most."""
        entry = self.hosts[host]
        own = sum((self.catalog[role].own_memory for role in entry.roles), Memory())
        return Memory(needs=min(own.needs, entry.memory), most=entry.memory) if entry.memory else own

    def free_space(self, host: str) -> FreeSpace:
        """The room that these folders need."""
        return self.hosts[host].free_space or self.topology.free_space

    def _needs(self, host: str, part: Callable[[RoleMeta], dict[str, str]]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for role in self.hosts[host].roles:
            for name, reason in part(self.catalog[role]).items():
                found.setdefault(name, []).append(f"{role}: {reason}")
        return dict(sorted(found.items()))

    def asks(self, host: str) -> dict[str, dict[str, list[str]]]:
        """What the host's roles ask of services: by service, then by the word that the service takes."""
        asked: dict[str, dict[str, list[str]]] = {}
        for role in self.hosts[host].roles:
            for service, words in self.catalog[role].asks.items():
                known = asked.setdefault(service, {})
                for word, values in words.items():
                    known[word] = list(dict.fromkeys([*known.get(word, []), *values]))
        return asked

    def ports(self, host: str, service: str) -> list[int]:
        """The ports of a host's service, none where it has none."""
        entry = self.services(host)[service]
        if entry.port is None:
            return []
        if entry.carries is None:
            return [entry.port]
        targets = {flow.target for flow in self.flows_out(host) if flow.service == entry.carries}
        return [entry.port + number for number in range(len(targets))]

    def believing(self, host: str) -> list[tuple[str, int]]:
        """Services of a host that believe whom they serve over loopback, with their ports.

        Not those that a device beside the host serves or calls: which account it has is not the host's to know.
        """
        services = self.services(host)
        device = any(entry.beside for entry in services.values())
        return [
            (name, port)
            for name, entry in services.items()
            if entry.scope == "loopback" and entry.protocol == "tcp"
            if not (entry.beside or (device and entry.carries is not None))
            for port in self.ports(host, name)
        ]

    def local_callers(self, host: str, service: str) -> list[str]:
        """The accounts, beside root, whose programs may open a service of their own host over loopback."""
        roles = [self.catalog[role] for role in self.hosts[host].roles]
        return sorted({account for meta in roles if service in meta.asks for account in meta.opens_as})

    def providers(self, provision: Provision) -> list[str]:
        """Hosts that offer what the lab itself looks for, in the order written."""
        return [
            name
            for name in self.hosts
            if any(service.provides == provision for service in self.services(name).values())
        ]

    def flows_to(self, provision: Provision) -> list[ResolvedFlow]:
        """Flows to a service that provides what the lab itself looks for."""
        return [flow for flow in self.flows if self.services(flow.target)[flow.service].provides == provision]

    @cached_property
    def administrators(self) -> tuple[str, ...]:
        """People who may administer hosts, where they sign in before; nobody where the site has no such sign-on."""
        sources = {flow.source for flow in self.flows_to("administration")}
        signs_in = any(
            "hosts" in self.asks(flow.source).get(flow.service, {}).get("place", [])
            for flow in self.flows
            if flow.source in sources
        )
        policy, people = load_policy(), self.topology.people if signs_in else {}
        return tuple(name for name, person in people.items() if policy.scope(person.roles, "administer-hosts"))

    def opening_certificates(self, host: str) -> dict[str, Certificate]:
        """Certificates with which programs of a host open connections: what an intruder there would take."""
        return {name: certificate for name, certificate in self.certificates(host).items() if certificate.opens}

    def interfaces(self, host: str) -> list[Interface]:
        """The host's interfaces: one, or for the firewall one in every zone, its own zone first."""
        here = self.hosts[host]
        zones = self.topology.zones
        own = Interface(f"vlan{zones[here.zone].vlan}", here.zone, here.address, zones[here.zone].subnet.prefixlen)
        if not here.gateway:
            return [own]
        others = [
            Interface(f"vlan{zone.vlan}", name, zone.gateway, zone.subnet.prefixlen)
            for name, zone in zones.items()
            if name != here.zone
        ]
        return [own, *others]

    def mirrored(self, host: str) -> list[str]:
        """The zones of which a host gets a copy of every frame, in the order written; none for nearly every host."""
        entry = self.hosts[host]
        if entry.mirror is None:
            return []
        return [
            zone
            for zone in self.topology.zones
            if zone != entry.zone and (entry.mirror == "all" or zone in entry.mirror)
        ]

    def address_towards(self, host: str, peer: str) -> IPv4Address:
        """The address from which a host speaks to a peer: the firewall uses the one in the peer's zone."""
        for interface in self.interfaces(host):
            if interface.zone == self.hosts[peer].zone:
                return interface.address
        return self.hosts[host].address

    def select(self, selector: str | list[str]) -> list[str]:
        """Resolve a selector to host names, in the order written in the description."""
        wanted = [selector] if isinstance(selector, str) else selector
        return [name for name, host in self.hosts.items() if any(host.matches(name, entry) for entry in wanted)]

    def with_function(self, function: str) -> list[str]:
        """The hosts that state a function, by name: in which order they are written means nothing."""
        return sorted(name for name, host in self.hosts.items() if function in host.functions)

    @cached_property
    def flows(self) -> tuple[ResolvedFlow, ...]:
        """All flows between hosts, one for each (source, target, service), permits merged."""
        merged: dict[tuple[str, str, str], ResolvedFlow] = {}
        for flow in self.topology.flows:
            for resolved in self._resolve(flow):
                key = (resolved.source, resolved.target, resolved.service)
                before = merged.get(key)
                merged[key] = resolved if before is None else _merge(before, resolved)
        return tuple(merged.values())

    def _resolve(self, flow: Flow) -> Iterable[ResolvedFlow]:
        for target in self.select(flow.to):
            service = self.services(target)[flow.service]
            if service.port is None:  # refused by lab.topology.rules before a Site is handed out
                continue
            for source in self.select(flow.from_):
                if source != target:
                    yield ResolvedFlow(
                        source, target, flow.service, service.protocol, service.port, tuple(flow.permits), flow.why
                    )

    def flows_in(self, host: str) -> list[ResolvedFlow]:
        """Flows that others may open to this host."""
        return [flow for flow in self.flows if flow.target == host]

    def flows_out(self, host: str) -> list[ResolvedFlow]:
        """Flows that this host may open to others."""
        return [flow for flow in self.flows if flow.source == host]


def _merge(first: ResolvedFlow, second: ResolvedFlow) -> ResolvedFlow:
    return ResolvedFlow(
        first.source,
        first.target,
        first.service,
        first.protocol,
        first.port,
        tuple(dict.fromkeys([*first.permits, *second.permits])),
        first.why if second.why in first.why else f"{first.why}; {second.why}",
    )
