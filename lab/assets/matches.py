"""Known weaknesses, matched against what hosts are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.assets.known import known_at, packages_with
from lab.images.recipe import install_variables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lab.assets.known import Known, Weakness
    from lab.assets.model import Installed, Package
    from lab.topology.site import Site


@dataclass(frozen=True)
class Match:
    """A weakness, and where it is: on which hosts, in which of their packages; on no host where nothing has it."""

    part: str
    weakness: Weakness
    hosts: Mapping[str, tuple[Package, ...]]

    @property
    def present(self) -> bool:
        """Whether a host has it."""
        return bool(self.hosts)

    @property
    def unanswered(self) -> bool:
        """Whether a host has it, and nobody decided what to do about that."""
        return self.present and self.weakness.response is None


def matches(known: Sequence[Known], installed: Mapping[str, Installed]) -> list[Match]:
    """Every known weakness with the hosts that have it, the most severe first; an unknown severity before all."""
    found = [
        Match(
            entry.part,
            entry.weakness,
            {host: packages for host, own in installed.items() if (packages := _with(entry, own))},
        )
        for entry in known
    ]
    return sorted(found, key=lambda match: (not match.present, -_score(match.weakness), match.part))


def foreseen(site: Site) -> list[Match]:
    """Weaknesses that come with the site's roles and its settings, before any image is built.

    Raises:
        UsageError: a file of the register has mistakes.
    """
    variables = install_variables(site)
    found = []
    for entry in known_at(site):
        comes = entry.weakness.comes_with
        if comes is None or any(variables.get(name) != value for name, value in comes.when.items()):
            continue
        hosts = {name: () for name, host in site.managed.items() if comes.role in host.roles}
        if hosts:
            found.append(Match(entry.part, entry.weakness, hosts))
    return found


def _with(known: Known, installed: Installed) -> tuple[Package, ...]:
    return tuple(packages_with(known, installed.packages))


def _score(weakness: Weakness) -> float:
    return 11.0 if weakness.cvss is None else weakness.cvss
