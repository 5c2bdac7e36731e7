"""Profiles: lists of roles that hosts share, written once in a description and expanded when it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lab.topology.model import Host
    from lab.topology.source import Key

INCLUDE = "profile:"
"""Before a profile's name, where a profile takes in another."""


@dataclass(frozen=True)
class Placed:
    """A role that a host has, and where in the file it is written."""

    role: str
    place: Key


@dataclass(frozen=True)
class Profiles:
    """The profiles of a description, as far as they could be read."""

    lists: Mapping[str, Sequence[str]]

    def resolves(self, profile: str) -> bool:
        """Whether a profile is there, and so is every one that it takes in, without a circle."""
        return self._resolves(profile, ())

    def circle(self, profile: str) -> list[str]:
        """Return the way on which a profile takes in itself; nothing where it does not."""
        return next((way for way in self._ways(profile, ()) if way[-1] == profile), [])

    def roles(self, profile: str) -> list[Placed]:
        """Return the roles of a profile that resolves, in order, each where it is written."""
        found: list[Placed] = []
        for position, entry in enumerate(self.lists[profile]):
            if entry.startswith(INCLUDE):
                found += self.roles(entry.removeprefix(INCLUDE))
            else:
                found.append(Placed(entry, ("profiles", profile, position)))
        return found

    def of_host(self, name: str, host: Host) -> list[Placed]:
        """Return a host's roles: those of its profile, then its own; of a profile that does not resolve, none."""
        shared = self.roles(host.profile) if host.profile and self.resolves(host.profile) else []
        return shared + [Placed(role, ("hosts", name, "roles", at)) for at, role in enumerate(host.roles)]

    def expand(self, hosts: Mapping[str, Host]) -> dict[str, Host]:
        """Return hosts whose ``roles`` are all that they have."""
        return {
            name: host.model_copy(update={"roles": [placed.role for placed in self.of_host(name, host)]})
            for name, host in hosts.items()
        }

    def _included(self, profile: str) -> list[str]:
        return [entry.removeprefix(INCLUDE) for entry in self.lists[profile] if entry.startswith(INCLUDE)]

    def _resolves(self, profile: str, above: tuple[str, ...]) -> bool:
        if profile not in self.lists or profile in above:
            return False
        return all(self._resolves(below, (*above, profile)) for below in self._included(profile))

    def _ways(self, profile: str, above: tuple[str, ...]) -> Iterator[list[str]]:
        """Yield each way downwards from a profile, up to where it ends or meets itself."""
        here = (*above, profile)
        if profile in above or profile not in self.lists or not self._included(profile):
            yield list(here)
            return
        for below in self._included(profile):
            yield from self._ways(below, here)
