"""A description as far as it could be read, for the rules to judge."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.topology.model import Flow, Host, Partner, Person, Zone
    from lab.topology.profiles import Placed, Profiles
    from lab.topology.role import Catalog, Service
    from lab.topology.source import Key, Source


@dataclass(frozen=True)
class Draft:
    """The readable parts of a site, and the names of all that are written.

    A part that could not be read has been reported already. Rules look at ``zone_names``, ``profile_names``,
    ``host_names`` and ``role_names`` before they call something missing, so that one mistake is not reported as two.
    """

    source: Source
    site: str
    domain: str
    zones: dict[str, Zone]
    profiles: Profiles
    written_hosts: dict[str, Host]
    people: dict[str, Person]
    partners: dict[str, Partner]
    flows: dict[int, Flow]
    zone_names: frozenset[str]
    profile_names: frozenset[str]
    host_names: frozenset[str]
    role_names: frozenset[str]
    catalog: Catalog

    @cached_property
    def hosts(self) -> dict[str, Host]:
        """The readable hosts, with the roles of their profiles."""
        return self.profiles.expand(self.written_hosts)

    @property
    def all_hosts_read(self) -> bool:
        """Whether every host that is written could be read, and every profile that they name."""
        known = all(
            host.profile is None or self.profiles.resolves(host.profile) for host in self.written_hosts.values()
        )
        return known and self.host_names == set(self.written_hosts)

    def placed(self, host: str) -> list[Placed]:
        """Return the roles of a host, each where it is written."""
        return self.profiles.of_host(host, self.written_hosts[host])

    def role_place(self, host: str, role: str) -> Key:
        """Return where a role that a host has is written: at the host, or in a profile."""
        return next(entry.place for entry in self.placed(host) if entry.role == role)

    def select(self, selector: str | list[str]) -> list[str]:
        """Return the readable hosts that a selector matches."""
        wanted = [selector] if isinstance(selector, str) else selector
        return [name for name, host in self.hosts.items() if any(host.matches(name, entry) for entry in wanted)]

    def offers(self, host: str) -> list[tuple[str, str, Service]]:
        """Return (role, service name, service) of a host, in the order of its roles; a role twice counts once."""
        return [
            (role, name, service)
            for role in dict.fromkeys(self.hosts[host].roles)
            if role in self.catalog
            for name, service in self.catalog[role].services.items()
        ]

    def roles_known(self, host: str) -> bool:
        """Whether every role of a host could be read, so that its services are all known."""
        profile = self.hosts[host].profile
        if profile is not None and not self.profiles.resolves(profile):
            return False
        return all(role in self.catalog for role in self.hosts[host].roles)
